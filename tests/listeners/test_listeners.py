"""At one port Caddy speaks plain HTTP or TLS, to everybody: the older site's visitors go on being answered."""

from collections.abc import Callable, Mapping

import pytest
import visiting
from dockcaddy import plugins, testing
from dockcaddy.admission.conflicts.listeners import protocol_conflicts
from dockcaddy.caddyjson import FragmentDocuments
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from dockcaddy_policy import PolicySettings
from work import grows_evenly
from world_fixtures import Newcomers

Told = Callable[..., list[str]]
REGISTRY = plugins.load()
TRUSTED = {PolicySettings: PolicySettings(trust="all")}


def site(address: str, **directives: str) -> dict[str, str]:
    return {"caddy": address, "caddy.respond": "x"} | {f"caddy.{key}": value for key, value in directives.items()}


@pytest.fixture
def told(adapt: Callable[[str], bytes]) -> Callable[..., list[str]]:
    """The conflicts among containers with labels, the first being the oldest."""

    def told(*labels: Mapping[str, str], base: str = "") -> list[str]:
        containers = [testing.container(f"c{at}", labels=given, created=at) for at, given in enumerate(labels, 1)]
        pipeline = Pipeline(REGISTRY, TRUSTED)
        caddyfile = BaseCaddyfile("Caddyfile", base) if base else None
        fragments = pipeline.fragments(Inventory((EngineInventory("local", tuple(containers)),)), caddyfile)
        return [str(each.problem) for each in protocol_conflicts(FragmentDocuments(adapt).of(fragments))]

    return told


PLAIN = site("http://a.test:8081")
SPEAKING_TLS = [
    ("b.test:8081", "write http://b.test:8081"),
    ("B.test:08081", "write http://B.test:08081"),
    ("https://b.test:8081", "write http://b.test:8081"),
    ("HTTPS://b.test:8081", "write http://b.test:8081"),
    ("*.test:8081", "write http://*.test:8081"),
    ("*:8081", "write http://*:8081"),
    ("b.test:8081/path/*", "write http://b.test:8081"),
    ("127.0.0.1:8081", "write http://127.0.0.1:8081"),
    ("0.0.0.0:8081", "write http://0.0.0.0:8081"),
    ("[::1]:8081", "write http://[::1]:8081"),
    ("localhost:8081", "write http://localhost:8081"),
    ("bücher.test:8081", "write http://bücher.test:8081"),
    ("http://bücher.test:8081", "write http://xn--bcher-kva.test:8081"),
    ("http://b\u0430.test:8081", "write http://xn--b-8sb.test:8081"),
    ("http://{env.NAME}:8081", "write http://NAME, with the name itself,"),
    ("y.test, b.test:8081", "write http://b.test:8081"),
    ("https://:8081", "write http://:8081"),
]
SPEAKING_HTTP = [
    "http://b.test:8081",
    "HTTP://B.test:8081",
    "http://B.TEST:08081",
    "http://*.test:8081",
    "http://[::1]:8081",
    "http://xn--bcher-kva.test:8081",
    "http://{$NAME}:8081",
    ":8081",
    "http://:8081",
]
ELSEWHERE = [
    "b.test",
    "b.test:8082",
    "http://b.test",
    "https://b.test",
    "b.test:443",
    "b.test:80",
    "http://bücher.test",
]


@pytest.mark.parametrize(("address", "remedy"), SPEAKING_TLS)
def test_a_newer_one_does_not_turn_tls_on_for_an_older_one(told: Told, address: str, remedy: str) -> None:
    (conflict,) = told(PLAIN, site(address))
    assert conflict.startswith("container c2: label caddy: ")
    assert (
        " would turn on TLS at port 8081, which serves plain HTTP for container c1; the older resource wins" in conflict
    )
    assert f"{remedy}" in conflict and conflict.endswith("or use another port")


@pytest.mark.parametrize("address", [*SPEAKING_HTTP, *ELSEWHERE])
def test_what_speaks_http_too_or_elsewhere_stays(told: Told, address: str) -> None:
    assert told(PLAIN, site(address)) == []


@pytest.mark.parametrize("address", SPEAKING_HTTP)
def test_a_newer_one_is_not_answered_in_tls_without_a_word(told: Told, address: str) -> None:
    (conflict,) = told(site("a.test:8081"), site(address))
    assert conflict.startswith("container c2: label caddy: ")
    assert " needs plain HTTP at port 8081, which serves TLS for container c1; the older resource wins" in conflict
    assert "write https://" in conflict


@pytest.mark.parametrize(("address", "_"), SPEAKING_TLS)
def test_sites_that_speak_tls_may_share_a_port(told: Told, address: str, _: str) -> None:
    assert told(site("a.test:8081"), site(address)) == []


@pytest.mark.parametrize("older", [":8081", "http://a.test:8081"])
def test_a_directive_turns_it_on_too(told: Told, older: str) -> None:
    (conflict,) = told(site(older), site(":8081", tls="internal"))
    assert conflict.startswith("container c2: label caddy.tls: ") and "remove tls, or use another port" in conflict
    snippet = {"caddy_1": "(secure)", "caddy_1.tls": "internal", "caddy_0": ":8081", "caddy_0.import": "secure"}
    assert "container c2: label caddy_1.tls" in told(site(older), snippet)[0]


def test_who_shares_a_site_with_tls_need_not_say_so(told: Told) -> None:
    secure, more = (
        site(":8081", tls="internal"),
        {"caddy": ":8081", "caddy.handle": "/a/*", "caddy.handle.respond": "a"},
    )
    assert told(secure, more) == []
    assert "c3: label caddy: :8081 needs plain HTTP" not in str(told(site("a.test:8081"), secure, more))
    assert "needs plain HTTP at port 8081, which serves TLS" in told(secure, more | {"caddy": "http://:8081"})[0]


def test_every_newer_one_is_held_to_the_oldest(told: Told) -> None:
    found = told(PLAIN, site("b.test:8081"), site("http://c.test:8081"), site("d.test:8081"), PLAIN)
    assert [each.partition(":")[0] for each in found] == ["container c2", "container c4"]


BASES = {
    "its site": "http://op.test:8081 {\n\trespond x\n}\n",
    "its site for every name": ":8081 {\n\trespond x\n}\n",
    "its local certificates": "{\n\tlocal_certs\n}\nhttp://op.test:8081 {\n\trespond x\n}\n",
    "its listener": "{\n\tdefault_bind 127.0.0.1\n}\nhttp://op.test:8081 {\n\trespond x\n}\n",
    "the same listener": "{\n\tdefault_bind 127.0.0.1\n}\nhttp://op.test:8081 {\n\tbind tcp/127.0.0.1\n\trespond x\n}\n",
    "its automatic HTTPS": "{\n\tauto_https off\n}\nhttp://op.test:8081 {\n\trespond x\n}\n",
}


@pytest.mark.parametrize("case", BASES)
def test_the_operators_site_is_the_oldest(told: Told, case: str) -> None:
    (conflict,) = told(site("b.test:8081"), base=BASES[case])
    assert conflict.startswith("container c1: label caddy: b.test:8081 would turn on TLS")
    assert "for caddyfile Caddyfile; the older resource wins" in conflict


OTHERWISE = {
    "another listener": (PLAIN, "{\n\tdefault_bind 127.0.0.1\n}\nhttp://op.test:8082 {\n\tbind 127.0.0.2\n}\n", 8082),
    "the port for HTTP": (PLAIN, "{\n\thttp_port 8081\n}\n", 8081),
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_what_the_operator_says_about_ports_is_heeded(told: Told, case: str) -> None:
    older, base, port = OTHERWISE[case]
    assert told(older, site(f"b.test:{port}"), base=base) == []


def test_where_another_port_is_that_for_http_the_usual_one_is_like_any(told: Told) -> None:
    assert "at port 80," in told(site("http://a.test:80"), site("b.test:80"), base="{\n\thttp_port 8080\n}\n")[0]
    assert "at port 443," in told(site("http://a.test:443"), site("b.test:443"), base="{\n\thttps_port 8443\n}\n")[0]


def test_a_name_is_itself_where_the_operator_has_no_automatic_https(told: Told) -> None:
    assert told(PLAIN, site("http://bücher.test:8081"), base="{\n\tauto_https off\n}\n") == []


def test_a_socket_is_a_listener_whatever_the_port(told: Told) -> None:
    socket = "unix//run/x.sock"
    (conflict,) = told(site("http://a.test", bind=socket), site("b.test", bind=socket))
    assert f"would turn on TLS at {socket}" in conflict
    assert told(site("http://a.test", bind=socket), site("b.test", bind="unix//run/y.sock")) == []


def test_many_sites_at_one_port_are_no_more_work_each(told: Told) -> None:
    many = lambda size: lambda: told(*(site(f"http://x{n}.test:8081") for n in range(size)))  # noqa: E731
    assert many(300)() == []
    assert grows_evenly(many, 40)


PORT = "%FREE_PORT%"


@pytest.mark.parametrize(
    "newer",
    [
        {"caddy": f"two.test:{PORT}", "caddy.respond": "two"},
        {"caddy": f"http://zw\u00f6.test:{PORT}", "caddy.respond": "two"},
        {"caddy": f"127.0.0.1:{PORT}", "caddy.respond": "two", "caddy.tls": "internal"},
        {"caddy": f":{PORT}", "caddy.respond": "two", "caddy.tls": "internal"},
    ],
    ids=["name", "not ascii", "address", "directive"],
)
@pytest.mark.parametrize("together", [True, False])
def test_the_older_one_is_answered_in_plain_http_by_a_real_caddy(
    newcomers: Newcomers, newer: Mapping[str, str], together: bool
) -> None:
    older = {"caddy": f"http://one.test:{PORT}", "caddy.respond": "one"}
    before = newcomers.made(older, newer)
    if not together:
        newcomers.world.put(before[:1])
    newcomers.world.put(before)
    assert visiting.body(newcomers.world.ports["FREE_PORT"], "one.test") == "one"
    assert newcomers.told("container second", "would turn on TLS at port", "or use another port")
    assert newcomers.world.faults() == []
    # what makes way for it comes at once
    newcomers.world.put(before[1:])
    assert not newcomers.told("container second")


def test_what_the_operators_file_imports_is_seen_in_what_caddy_reads(
    newcomers: Newcomers, add_to_base: Callable[[str], None]
) -> None:
    (newcomers.world.folder / "etc/more.conf").write_text(
        newcomers.world.filled_in(f"http://imported.test:{PORT} {{\n\trespond imported\n}}\n")
    )
    add_to_base("import more.conf\n")
    newcomers.put({"caddy": f"two.test:{PORT}", "caddy.respond": "two"})
    assert visiting.body(newcomers.world.ports["FREE_PORT"], "imported.test") == "imported"
    assert newcomers.told("container first", "would serve TLS", "http://imported.test", "or use another port")

"""Whom a refusal is about is tried before anybody is left out: beside one, three and many who have done nothing."""

from collections.abc import Callable, Mapping

import pytest
from dockcaddy.errors import CaddyRefusal
from simulated_caddy import GOOD, Caddy, first_with, fragment, site
from world import Visit, World
from world_fixtures import Newcomers

INNOCENTS = (
    {"caddy": "http://o1.example.com:%PORT%", "caddy.respond": "o1"},
    {"caddy": "http://o2.example.com:%PORT%", "caddy.header": "X-Example example.com", "caddy.respond": "o2"},
    {"caddy": "http://example.com:%PORT%", "caddy.respond": "o3"},
)
HOSTS = ("o1.example.com", "o2.example.com", "example.com")


def visited(newcomers: Newcomers, host: str) -> str:
    return newcomers.world.visit(Visit(host)).body.decode()


def check_innocents(newcomers: Newcomers, number: int, culprits: int = 1) -> None:
    """The first `culprits` of four are left out, and nobody else is, even for a moment."""
    assert [visited(newcomers, host) for host in HOSTS[:number]] == ["o1", "o2", "o3"][:number]
    names = {problem.partition(":")[0] for problem in newcomers.world.problems()}
    assert names == {f"container {name}" for name in ("first", "second")[:culprits]}


@pytest.mark.parametrize("beside", [1, 3])
@pytest.mark.parametrize(
    "address",
    [
        "Example.COM.",
        "https://EXAMPLE.com.",
        "*.Example.COM.",
        "a_b.EXAMPLE.com.",
        "O1.Example.com., plain-one.test",
        "Bücher.Example.com.",
        "example.com.:%HTTPS_PORT%",
    ],
)
def test_a_host_is_compared_whole_and_in_any_case(newcomers: Newcomers, address: str, beside: int) -> None:
    before = newcomers.world.counts.loads
    newcomers.put(
        {"caddy": f'"{address}"' if ", " not in address else address, "caddy.respond": "x"}, *INNOCENTS[:beside]
    )
    check_innocents(newcomers, beside)
    assert newcomers.world.counts.loads == before + 1


# what Caddy can read, and fails when it is loaded
AT_LOAD: Mapping[str, Mapping[str, str]] = {
    "folder": {"caddy.tls.load": "%FOLDER%/etc/Caddyfile"},
    "missing folder": {"caddy.tls.load": "/no/such/folder"},
    "certificate": {"caddy.tls": "/no/such/cert.pem /no/such/key.pem"},
    "no certificate": {"caddy.tls": "%FOLDER%/etc/Caddyfile %FOLDER%/etc/Caddyfile"},
    "protocols": {"caddy.tls.protocols": "tls1.3 tls1.2"},
    "level": {"caddy.log.level": "warning"},
    "hash": {"caddy.basic_auth.bob": "nothing-hashed"},
    "path": {"caddy.@m.path_regexp": "((", "caddy.handle": "@m"},
    "header": {"caddy.@m.header_regexp": "X-A ((", "caddy.handle": "@m"},
    "expression": {"caddy.@m.expression": "foo(", "caddy.handle": "@m"},
    "address": {"caddy.@m.remote_ip": "300.1.1.1", "caddy.handle": "@m"},
    "rewrite": {"caddy.uri": "path_regexp (( x"},
    "health": {
        "caddy.reverse_proxy": "127.0.0.1:1",
        "caddy.reverse_proxy.health_body": "((",
        "caddy.reverse_proxy.health_uri": "/",
    },
}


def broken(name: str, host: str = "bad.test") -> dict[str, str]:
    scheme, port = ("https", "%HTTPS_PORT%") if "caddy.tls" in str(AT_LOAD[name]) else ("http", "%PORT%")
    return {"caddy": f"{scheme}://{host}:{port}", "caddy.respond": "x", **AT_LOAD[name]}


@pytest.mark.parametrize("name", AT_LOAD)
def test_what_fails_only_at_loading_costs_one_load_where_it_comes_alone(newcomers: Newcomers, name: str) -> None:
    before = newcomers.world.counts.loads
    newcomers.put(broken(name))
    assert newcomers.told("container first: ")
    assert newcomers.world.counts.loads == before + 1
    newcomers.put(broken(name), {"caddy": "http://next.test:%PORT%", "caddy.respond": "next"})
    assert newcomers.body("next") == "next"
    assert newcomers.world.counts.loads == before + 2


@pytest.mark.parametrize("beside", [1, 3])
@pytest.mark.parametrize("name", AT_LOAD)
def test_what_fails_only_at_loading_leaves_out_nobody_else(newcomers: Newcomers, name: str, beside: int) -> None:
    before = newcomers.world.counts.loads
    newcomers.put(broken(name), *INNOCENTS[:beside])
    check_innocents(newcomers, beside)
    assert newcomers.world.counts.loads <= before + 3


@pytest.mark.parametrize("one", ["folder", "level", "path"])
@pytest.mark.parametrize("other", ["certificate", "hash", "header", "protocols"])
def test_several_that_fail_at_loading_are_found_together(newcomers: Newcomers, one: str, other: str) -> None:
    before = newcomers.world.counts.loads
    newcomers.put(broken(one), broken(other, "Worse.TEST"), *INNOCENTS[:2])
    check_innocents(newcomers, 2, culprits=2)
    assert newcomers.world.counts.loads <= before + 5


@pytest.mark.parametrize("name", ["path", "header", "rewrite", "health", "hash"])
def test_of_one_site_the_one_that_made_the_part_is_left_out(newcomers: Newcomers, name: str) -> None:
    before = newcomers.world.counts.loads
    newcomers.put(*INNOCENTS, {**broken(name, "o1.example.com"), "caddy.respond": "/bad x"})
    assert [visited(newcomers, host) for host in HOSTS] == ["o1", "o2", "o3"]
    assert {problem.partition(":")[0] for problem in newcomers.world.problems()} == {"container fourth"}
    assert newcomers.world.counts.loads <= before + 3


def test_a_host_in_a_matcher_does_not_point_at_the_site_of_that_host(newcomers: Newcomers) -> None:
    before = newcomers.world.counts.loads
    within = {"caddy.handle": "@o", "caddy.@o.host": "o1.example.com", "caddy.handle.uri": "path_regexp (( x"}
    newcomers.put({"caddy": "http://*.example.com:%PORT%", **within}, *INNOCENTS[:2])
    check_innocents(newcomers, 2)
    assert newcomers.world.counts.loads <= before + 3


@pytest.mark.parametrize("beside", [1, 3])
def test_a_named_route_is_its_containers(newcomers: Newcomers, beside: int) -> None:
    before = newcomers.world.counts.loads
    route = {"caddy_0": "&(shared)", "caddy_0.uri": "path_regexp (( x"}
    newcomers.put({**route, "caddy_1": "http://bad.test:%PORT%", "caddy_1.invoke": "shared"}, *INNOCENTS[:beside])
    check_innocents(newcomers, beside)
    assert newcomers.world.counts.loads <= before + 3


def words_about_nobody(text: str) -> str:
    """Words that name what an innocent site says, for a fault that a global option has."""
    return "loading tls app module: provision tls: loading certificates: o1.test /srv/o1.pem" if "cause" in text else ""


@pytest.mark.parametrize("beside", [1, 3, 20])
def test_words_that_point_at_an_innocent_one_leave_it_in(beside: int) -> None:
    caddy = Caddy(words_about_nobody)
    innocents = [fragment(f"o{n}", site(f"o{n}", f"tls /srv/o{n}.pem", f"respond {n}"), n) for n in range(beside)]
    bad = fragment("bad", "{\n\tstorage cause\n}\n", 99)
    assert caddy.settle(*innocents, bad) == ["bad"]
    assert caddy.loads[-1].count("http://") == beside
    assert all("http://" in text for text in caddy.loads)


def test_of_a_kind_that_is_refused_only_the_one_at_fault_is_left_out() -> None:
    """They differ only by the host, and the words do not say it."""
    caddy = Caddy(first_with("http://b.test", "no reason"))
    alike = [fragment(name, site(name, "respond x")) for name in "abcde"]
    assert caddy.settle(*alike) == ["b"]


def test_what_is_there_stays_as_it_was_while_its_change_is_tried() -> None:
    caddy = Caddy(first_with("cause", "no reason"))
    caddy.settle(*GOOD, fragment("a", site("a", "respond before")))
    new = [fragment(f"new{n}", site(f"new{n}", f"respond {n}")) for n in range(3)]
    assert caddy.settle(*GOOD, fragment("a", site("a", "respond cause")), *new) == ["a"]
    assert all("respond before" in text for text in caddy.loads)
    assert "new2.test" in caddy.loads[-1]


@pytest.mark.parametrize("new", [1, 3])
def test_what_comes_while_caddy_refuses_everything_is_not_blamed(new: int) -> None:
    """As where a port that everybody needs is another program's by now."""
    broken: list[str] = []
    caddy = Caddy(lambda text: "listen tcp :80: bind: address already in use" if broken else "")
    caddy.settle(*GOOD)
    broken.append("port")
    late = [fragment(f"late{n}", site(f"late{n}", f"respond {n}")) for n in range(new)]
    with pytest.raises(CaddyRefusal):
        caddy.settle(*GOOD, *late)
    assert caddy.quarantine.problems == ()
    broken.clear()
    assert caddy.settle(*GOOD, *late) == []
    assert "late0.test" in caddy.loads[-1]


def adapting(refuses: Callable[[str], str]) -> Caddy:
    """A Caddy that refuses while it reads."""
    caddy = Caddy()
    plain = caddy.quarantine.adapt

    def adapt(text: str) -> bytes:
        complaint = refuses(text)
        if complaint:
            raise CaddyRefusal(complaint)
        return plain(text)

    caddy.quarantine.adapt = adapt
    return caddy


def test_who_stands_at_the_line_that_is_named_is_tried_too() -> None:
    def refuses(text: str) -> str:
        if "cause" not in text or "victim.test" not in text:
            return ""
        line = next(n for n, line in enumerate(text.splitlines(), 1) if "victim.test" in line)
        return f"Caddyfile:{line}: something is wrong here"

    caddy = adapting(refuses)
    victims = [fragment(f"victim{n}", site(f"v{n}.victim", "respond x"), n) for n in range(3)]
    assert caddy.settle(*victims, fragment("bad", site("bad", "respond cause"), 99)) == ["bad"]
    assert caddy.loads[-1].count("victim.test") == 3


def test_a_world_stays_calm(world: World) -> None:
    assert world.faults() == []

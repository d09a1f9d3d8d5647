"""What Caddy takes and would suffer from, in Caddy's own JSON of it."""

import json
import socket

import pytest
from adapting import document
from dockcaddy.admission.own_addresses import is_loopback_of_another
from dockcaddy.admission.unsafe import unsafe_settings
from dockcaddy.caddyjson.document import NANOSECONDS, Document
from dockcaddy.caddyjson.log_servers import with_dial_timeouts

LOOP = "&(loop) {\n\thandle {\n\t\tinvoke loop\n\t}\n}\nhttp://x.test:8080 {\n\tinvoke loop\n}\n"


def site(*lines: str, address: str = "http://x.test:8080") -> str:
    """A site with these lines."""
    return f"{address} {{\n" + "\n".join(lines) + "\n}\n"


HARMFUL = {
    "a route that invokes itself": (LOOP, 'the named route "loop" invokes itself'),
    "routes in a circle": (
        LOOP.replace("invoke loop\n\t\t}", "invoke other\n\t\t}") + "&(other) {\n\tinvoke loop\n}\n",
        "invokes itself",
    ),
    "a map of itself": (site("map {y} {y} {", "default a", "}"), "map makes {y} from itself"),
    "a map whose values name itself": (site("map {path} {y} {", "/a a{y}", "}"), "map makes {y} from itself"),
    "maps in a circle": (site("map {a} {b} {", "x y", "}", "map {b} {a} {", "x y", "}"), "from itself"),
    "a map where an error is handled": (
        site("handle_errors {", "map {y} {y} {", "default a", "}", "respond {y}", "}"),
        "from itself",
    ),
    "a map in a route": (
        "&(r) {\n\tmap {y} {y} {\n\t\tdefault a\n\t}\n}\n" + site("invoke r"),
        "map makes {y} from itself",
    ),
    "a proxy to itself": (site("reverse_proxy localhost:8080"), "this machine's port 8080 leads back to caddy"),
    "a proxy to itself by another name": (site("reverse_proxy [::1]:8080"), "leads back to caddy"),
    "a proxy to every address": (site("reverse_proxy :8080"), "leads back to caddy"),
    "a proxy to itself by a long name": (site("reverse_proxy [0:0:0:0:0:0:0:1%lo]:8080"), "leads back to caddy"),
    "a proxy to itself by the other family": (site("reverse_proxy [::ffff:7f00:1]:8080"), "leads back to caddy"),
    "a proxy to itself by a long number": (site("reverse_proxy 127.0.0.1:08080"), "leads back to caddy"),
    "a proxy to itself by the machine's name": (
        site(f"reverse_proxy {socket.gethostname()}:8080"),
        "leads back to caddy",
    ),
    "a proxy that finds itself": (
        site("reverse_proxy {", "dynamic a localhost 8080", "}"),
        "leads back to caddy",
    ),
    "proxies in a circle": (
        site("reverse_proxy 127.0.0.1:8081") + site("reverse_proxy 127.0.0.1:8080", address="http://x.test:8081"),
        "leads back to caddy",
    ),
    "plain HTTP where another site turns on TLS": (
        site("respond a") + site("respond b", address="y.test:8080"),
        "caddy would serve TLS at :8080 to clients of http://x.test because of y.test: write http:// in front",
    ),
    "checks without a pause": (
        site("reverse_proxy 10.0.0.1:80 {", "health_uri /", "health_interval 1us", "}"),
        "checked too often",
    ),
    "checks backwards": (
        site("reverse_proxy 10.0.0.1:80 {", "health_uri /", "health_interval -1s", "}"),
        "checked too often",
    ),
    "checks of thousands": (
        site(
            "reverse_proxy {",
            *(f"to 10.0.0.1:{port}" for port in range(1_000, 3_100)),
            "health_uri /",
            "health_interval 2s",
            "}",
        ),
        "2100 upstreams would be checked too often",
    ),
    "tries without a pause": (
        site("reverse_proxy 10.0.0.1:80 {", "lb_try_duration 1h", "lb_try_interval 1ns", "}"),
        "retried without a pause",
    ),
    "retries without a pause": (
        site("reverse_proxy 10.0.0.1:80 {", "lb_retries 99999", "}"),
        "retried without a pause",
    ),
    "a hash of gigabytes": (
        site("basic_auth argon2id {", f"eve $argon2id$v=19$m=4194304,t=1,p=1$c2FsdA${'a' * 43}", "}"),
        "the password hash of eve is too costly",
    ),
    "a hash of many rounds": (
        site("basic_auth argon2id {", f"eve $argon2id$v=19$m=65536,t=99,p=1$c2FsdA${'a' * 43}", "}"),
        "the password hash of eve is too costly",
    ),
    "a hash of hours": (site("basic_auth {", f"eve $2a$31${'a' * 53}", "}"), "the password hash of eve is too costly"),
}

HARMLESS = {
    "a route": "&(r) {\n\trespond a\n}\n" + site("invoke r"),
    "routes one after the other": "&(a) {\n\tinvoke b\n}\n&(b) {\n\trespond x\n}\n" + site("invoke a", "invoke b"),
    "a map": site("map {path} {a} {b} {", "/x {host} y", "~(.*) $1 z", "default {uri} {method}", "}", "respond {a}"),
    "a map of another's result": site("map {path} {a} {", "/x 1", "}", "map {a} {b} {", "1 2", "}"),
    "maps of two sites": site("map {a} {b} {", "x y", "}")
    + site("map {b} {a} {", "x y", "}", address="http://y.test:8080"),
    "a proxy to another port": site("reverse_proxy localhost:9090"),
    "a proxy to another site's port": site("reverse_proxy localhost:8081") + site("respond x", address="http://y:8081"),
    "a proxy to another machine": site("reverse_proxy 10.0.0.1:8080 example.org:8080"),
    "checks": site("reverse_proxy 10.0.0.1:80 10.0.0.2:80 {", "health_uri /", "health_interval 500ms", "}"),
    "retries": site("reverse_proxy 10.0.0.1:80 {", "lb_retries 5", "}"),
    "many retries with pauses": site("reverse_proxy 10.0.0.1:80 {", "lb_retries 9999", "lb_try_interval 1s", "}"),
    "a hash": site("basic_auth {", f"bob $2a$14${'a' * 53}", "}"),
    "a hash of what argon's authors recommend": site(
        "basic_auth argon2id {", f"bob $argon2id$v=19$m=65536,t=3,p=4$c2FsdA${'a' * 43}", "}"
    ),
    "tries": site("reverse_proxy 10.0.0.1:80 {", "lb_try_duration 5s", "lb_try_interval 250ms", "}"),
}


@pytest.mark.parametrize("case", HARMFUL)
def test_what_would_harm_every_site_is_found_in_caddys_json(caddy: str, case: str) -> None:
    text, words = HARMFUL[case]
    assert words in str([found.message for found in unsafe_settings(document(caddy, text))])


@pytest.mark.parametrize("case", HARMLESS)
def test_what_people_use_is_no_hazard(caddy: str, case: str) -> None:
    assert list(unsafe_settings(document(caddy, HARMLESS[case]))) == []


def test_a_proxy_to_another_address_of_this_machine_finds_itself_only_at_its_listener(caddy: str) -> None:
    own = _own_address()
    text = site(f"reverse_proxy {own}:8080")
    assert "leads back to caddy" in str(list(unsafe_settings(document(caddy, text))))
    assert list(unsafe_settings(document(caddy, text.replace("{\n", "{\nbind 127.0.0.1\n", 1)))) == []


def _own_address() -> str:
    """An address of this machine that others reach it at. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine is on no network")
        address: str = probe.getsockname()[0]
        return address


def test_a_hazard_names_the_hosts_of_its_site(caddy: str) -> None:
    both = site("respond a", address="http://good.test:8080") + HARMFUL["a map of itself"][0]
    assert [found.hosts for found in unsafe_settings(document(caddy, both))] == [frozenset({"x.test"})]


def test_thousands_of_maps_are_looked_through_in_no_time() -> None:
    maps = [
        {"handler": "map", "source": f"{{v{n}}}", "destinations": [f"{{v{n + 1}}}"], "mappings": [{"input": "x"}]}
        for n in range(20_000)
    ]
    config = {"apps": {"http": {"servers": {"srv0": {"routes": [{"handle": maps}]}}}}}
    assert list(unsafe_settings(Document.decode(json.dumps(config).encode()))) == []
    maps[0]["source"] = "{v20000}"
    assert len(list(unsafe_settings(Document.decode(json.dumps(config).encode())))) == 20_000


def log_to(*addresses: str) -> str:
    """Sites that send their logs there."""
    return "".join(
        site("log {", f"output net {address}", "}", address=f"http://x{n}.test") for n, address in enumerate(addresses)
    )


def writers(config: Document) -> list[dict[str, object]]:
    return [log["writer"] for log in config.rest["logging"]["logs"].values() if "writer" in log]


def test_caddy_does_not_wait_for_a_log_server_that_does_not_answer(caddy: str) -> None:
    (writer,) = writers(
        with_dial_timeouts(document(caddy, log_to("10.0.0.9:514").replace("514\n", "514 {\ndial_timeout 1h\n}\n")))
    )
    assert writer == {"output": "net", "address": "10.0.0.9:514", "dial_timeout": NANOSECONDS, "soft_start": True}
    (writer,) = writers(
        with_dial_timeouts(document(caddy, log_to("10.0.0.9:514").replace("514\n", "514 {\ndial_timeout 9ms\n}\n")))
    )
    assert writer["dial_timeout"] == 9_000_000


def test_many_log_servers_share_that_patience(caddy: str) -> None:
    found = writers(with_dial_timeouts(document(caddy, log_to(*(f"10.0.0.{n}:514" for n in range(10))))))
    assert [each["dial_timeout"] for each in found] == [NANOSECONDS // 10] * 10


def test_other_logs_stay_as_they_are(caddy: str) -> None:
    config = document(caddy, site("log {", "output stderr", "}"))
    assert with_dial_timeouts(config) is config


def test_a_container_at_a_loopback_address_of_its_own_is_not_caddy(caddy: str) -> None:
    text = "http://x.test:8080 {\n\treverse_proxy 127.64.0.2:8080\n}\n"
    assert "leads back to caddy" in str(list(unsafe_settings(document(caddy, text))))
    assert list(unsafe_settings(document(caddy, text), {"127.64.0.2"})) == []
    assert is_loopback_of_another("127.64.0.2")
    assert not any(map(is_loopback_of_another, ("127.0.0.1", "::1", "172.17.0.2", "localhost")))


def test_a_named_route_counts_for_every_site_that_invokes_it(caddy: str) -> None:
    text = "&(r) {\nhandle {\nmap {y} {x} {\ndefault a\n}\ninvoke s\n}\n}\n&(s) {\nmap {x} {y} {\ndefault a\n}\n}\n"
    sites = "".join(site("invoke r", address=f"http://x{n}.test:8080") for n in range(2)) + site("invoke s")
    found = list(unsafe_settings(document(caddy, text + sites)))
    assert {each.hosts for each in found} == {frozenset({"x0.test"}), frozenset({"x1.test"})}
    assert all("from itself" in each.message for each in found)

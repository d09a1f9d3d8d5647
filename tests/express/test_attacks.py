"""Hosts that are patterns, paths or other names of a site: Caddy answers as it does for a site of its own, or not at all."""

import socket
from collections.abc import Callable

import pytest
from stand_in_engine import StandInEngine
from town import Proxy, Town

Eventually = Callable[..., None]
ATTACKS = (
    "*",
    "?",
    "[a-z]*",
    "[a-z]*.test",
    "*.test",
    "second.*",
    "secon?.test",
    "s%65cond.test",
    "%2e%2e",
    "..",
    ".",
    "...",
    "../second.test",
    "a/../second.test",
    "second.test/..",
    "second.test/.",
    "//second.test",
    "\\second.test",
    "second.test\\",
    "second..test",
    ".second.test",
    "second.test.",
    "",
    "127.0.0.1",
    "[::1]",
    "second.test,first.test",
    "{http.request.host}",
    "{file./etc/passwd}",
    "~",
    "unknown.test",
)
SAME_SITE = ("second.test:1", "second.test:443", "second.test:x")


@pytest.fixture
def town(engine: StandInEngine, start_proxy: Callable[..., Proxy], eventually: Eventually) -> Town:
    """One site that Caddy has, and one that it finds in the folder."""
    made = Town(engine, start_proxy("--express"))
    made.add("first")
    eventually(lambda: made.right("first"))
    made.add("second")
    eventually(lambda: made.right("second"))
    return made


def answer(port: int, host: str, target: str = "/") -> bytes:
    """What the server sends for a Host header as it is written here."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while more := connection.recv(65536):
            received += more
    return received


def test_no_other_host_is_answered_by_a_site(town: Town) -> None:
    port = town.proxy.port
    addresses = [each.address.encode() for each in town.engine.containers.values()]
    for host in ATTACKS:
        received = answer(port, host)
        assert not any(address in received for address in addresses), (host, received)


def test_a_port_in_the_host_changes_nothing(town: Town) -> None:
    wanted = town.engine.containers["second"].address.encode()
    for host in SAME_SITE:
        assert wanted in answer(town.proxy.port, host), host


def test_the_path_chooses_no_site(town: Town) -> None:
    first, second = (town.engine.containers[name].address.encode() for name in ("first", "second"))
    for target in ("/../first.test/x", "/%2e%2e/first.test", "/first.test", "http://first.test/", "/*"):
        received = answer(town.proxy.port, "second.test", target)
        # an absolute target names the host itself
        assert (first if target.startswith("http") else second) in received or b" 400 " in received, (target, received)


def test_a_site_with_such_a_host_is_no_new_plain_site(town: Town, eventually: Eventually) -> None:
    loads = town.proxy.loads
    town.add("wide", caddy=f"http://*.wide.test:{town.proxy.port}")
    eventually(lambda: town.proxy.body("a.wide.test") == town.engine.containers["wide"].address)
    assert town.proxy.loads == loads + 1
    # its own name comes before the pattern
    town.add("a.wide")
    eventually(lambda: town.right("a.wide"))

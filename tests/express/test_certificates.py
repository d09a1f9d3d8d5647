"""New plain sites with certificates: Caddy obtains them for the sites in the folder only, and without dockcaddy."""

import contextlib
import json
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import visiting
from dockcaddy.caddy.admin import AdminClient
from stand_in_engine import StandInEngine
from town import Proxy, Town

Eventually = Callable[..., None]


@pytest.fixture
def ports(free_port: Callable[[], int]) -> tuple[int, int]:
    """Of HTTP and HTTPS."""
    return free_port(), free_port()


@pytest.fixture
def base() -> str:
    """The global options."""
    return ""


@pytest.fixture
def town(
    engine: StandInEngine,
    start_proxy: Callable[..., Proxy],
    ports: tuple[int, int],
    base: str,
    tmp_path: Path,
    eventually: Eventually,
) -> Town:
    """One site with a certificate that Caddy issues itself."""
    (tmp_path / "Caddyfile").write_text(base)
    given = (
        "--http-port",
        str(ports[0]),
        "--https-port",
        str(ports[1]),
        "--caddyfile-path",
        str(tmp_path / "Caddyfile"),
    )
    made = Town(engine, start_proxy("--express", *given))
    made.add("first", caddy="first.localhost")
    eventually(lambda: secure(ports[1], "first.localhost") == engine.containers["first"].address)
    return made


def handshake(port: int, host: str) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10), server_hostname=host)


def secure(port: int, host: str, sni: str = "") -> str:
    """What a visitor gets over TLS."""
    with handshake(port, sni or host) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while more := connection.recv(65536):
            received += more
    if not received:
        # before a new site is live, its connection may end with the reload
        raise ConnectionResetError("no response")
    head, _, body = received.partition(b"\r\n\r\n")
    return body.decode() if b" 200 " in head.splitlines()[0] else head.decode()


def names_in_certificate(port: int, host: str) -> bool:
    """Whether the certificate that is shown is for this host."""
    with handshake(port, host) as connection:
        return host.encode() in (connection.getpeercert(binary_form=True) or b"")


def test_a_new_site_has_its_own_certificate_and_nothing_is_loaded(
    town: Town, ports: tuple[int, int], eventually: Eventually
) -> None:
    loads = town.proxy.loads
    address = town.add("second", caddy="second.localhost").address
    eventually(lambda: secure(ports[1], "second.localhost") == address)
    assert names_in_certificate(ports[1], "second.localhost")
    assert town.proxy.loads == loads
    assert visiting.body(ports[0], "second.localhost") == "status 308"


def test_its_certificate_is_there_before_a_visitor_comes(town: Town, eventually: Eventually) -> None:
    town.add("second", caddy="second.localhost")
    eventually(lambda: town.proxy.said("caddy has a certificate for second.localhost"))


def test_it_moves_without_a_gap_and_has_the_same_certificate(
    town: Town, ports: tuple[int, int], tmp_path: Path, eventually: Eventually
) -> None:
    address = town.add("second", caddy="second.localhost").address
    eventually(lambda: secure(ports[1], "second.localhost") == address)
    with handshake(ports[1], "second.localhost") as connection:
        before = connection.getpeercert(binary_form=True)
    town.add("other", caddy="other.localhost", caddy__respond="here", **{"caddy.reverse_proxy": ""})
    eventually(lambda: secure(ports[1], "other.localhost") == "here")
    assert "second.localhost" in AdminClient(town.proxy.admin).config().decode()
    eventually(lambda: not any(each.is_file() for each in (tmp_path / "state/upstreams/sites").rglob("*")))
    assert secure(ports[1], "second.localhost") == address
    with handshake(ports[1], "second.localhost") as connection:
        assert connection.getpeercert(binary_form=True) == before


@pytest.mark.parametrize(
    "host", ["unknown.localhost", "second.localhost.", "x.second.localhost", "localhost", "unknown.test", "1.2.3.4"]
)
def test_a_host_without_a_site_gets_no_certificate(
    town: Town, ports: tuple[int, int], eventually: Eventually, host: str
) -> None:
    address = town.add("second", caddy="second.localhost").address
    eventually(lambda: secure(ports[1], "second.localhost") == address)
    assert not certificates(town, host)
    with contextlib.suppress(ssl.SSLError):
        assert address not in secure(ports[1], host)
    assert not certificates(town, host)


def certificates(town: Town, host: str) -> list[Path]:
    """What Caddy has in its storage for a host."""
    folder = Path(f"/proc/{town.proxy.process.pid}/cwd").resolve() / "data/caddy/certificates"
    return [each for each in folder.rglob("*.crt") if each.stem == host]


def test_only_caddy_itself_is_answered_whether_a_host_has_a_site(
    town: Town, ports: tuple[int, int], eventually: Eventually
) -> None:
    address = town.add("second", caddy="second.localhost").address
    eventually(lambda: secure(ports[1], "second.localhost") == address)
    path = "/.well-known/dockcaddy/site?domain="
    asked = {
        host: visiting.body(ports[0], "127.0.0.1", path + host)
        for host in ("second.localhost", "first.localhost", "..", "*", "second.*", "", "second.localhost/..", "%2e%2e")
    }
    assert asked.pop("second.localhost") == ""
    assert set(asked.values()) == {"status 403"}
    config = json.loads(AdminClient(town.proxy.admin).config())
    plain = next(each for each in config["apps"]["http"]["servers"].values() if each["listen"] == [f":{ports[0]}"])
    asking = {"path": ["/.well-known/dockcaddy/site"], "remote_ip": {"ranges": ["127.0.0.1/32"]}}
    assert [asking] in [each["match"] for each in plain["routes"] if "match" in each]


def test_one_that_is_gone_is_not_answered_and_gets_no_certificate_any_more(
    town: Town, ports: tuple[int, int], eventually: Eventually
) -> None:
    address = town.add("second", caddy="second.localhost").address
    eventually(lambda: secure(ports[1], "second.localhost") == address)
    town.engine.remove("second")
    eventually(lambda: secure(ports[1], "second.localhost", "first.localhost") != address)
    assert visiting.body(ports[0], "127.0.0.1", "/.well-known/dockcaddy/site?domain=second.localhost") == "status 403"


def test_plain_and_secure_sites_of_one_host_are_two(town: Town, ports: tuple[int, int], eventually: Eventually) -> None:
    town.add("plain", caddy="http://plain.localhost")
    eventually(lambda: visiting.body(ports[0], "plain.localhost") == town.engine.containers["plain"].address)
    loads = town.proxy.loads
    one = town.add("one", caddy="http://both.localhost").address
    two = town.add("two", caddy="https://both.localhost").address
    eventually(lambda: secure(ports[1], "both.localhost") == two)
    eventually(lambda: visiting.body(ports[0], "both.localhost") == one)
    assert town.proxy.loads == loads


@pytest.mark.parametrize("base", ["{\n\tlocal_certs\n}\n"])
def test_names_of_the_public_with_an_issuer_that_is_set_for_all(
    town: Town, ports: tuple[int, int], eventually: Eventually
) -> None:
    address = town.add("pub", caddy="pub.test.example").address
    eventually(lambda: secure(ports[1], "pub.test.example") == address)
    loads = town.proxy.loads
    address = town.add("more", caddy="more.test.example").address
    eventually(lambda: secure(ports[1], "more.test.example") == address)
    assert town.proxy.loads == loads
    # what is in the configuration is no such name
    policies = json.loads(AdminClient(town.proxy.admin).config())["apps"]["tls"]["automation"]["policies"]
    first = next(each for each in policies if "pub.test.example" in each.get("subjects", ()))
    assert not first.get("on_demand")


def test_a_fallback_for_all_hosts_does_not_take_the_redirect(
    town: Town, ports: tuple[int, int], eventually: Eventually
) -> None:
    town.add("fallback", caddy="http://", caddy__respond="fallback", **{"caddy.reverse_proxy": ""})
    eventually(lambda: visiting.body(ports[0], "unknown.localhost") == "fallback")
    loads = town.proxy.loads
    address = town.add("second", caddy="second.localhost").address
    eventually(lambda: secure(ports[1], "second.localhost") == address)
    assert visiting.body(ports[0], "second.localhost") == "status 308"
    assert visiting.body(ports[0], "first.localhost") == "status 308"
    assert town.proxy.loads == loads

"""What Caddy asks of connections to a site beside a wildcard's, in a real Caddy's JSON and of a real Caddy."""

import json
import socket
import ssl

import pytest
from adapting import document
from dockcaddy.caddyjson.connections import with_own_connections
from world_fixtures import Newcomers, newcomers, world

__all__ = ["newcomers", "world"]

SITE = "app.test {\nrespond app\n}\n"
WIDE = "*.test {\ntls {\nalpn nope\n}\nrespond all\n}\n"


def first_policy(caddy: str, text: str, *shared_hosts: str) -> object:
    """The first of Caddy's policies where that changed; None where it is the same document."""
    config = document(caddy, text)
    changed = with_own_connections(config, shared_hosts)
    if changed is config:
        return None
    return next(iter(json.loads(changed.encode())["apps"]["http"]["servers"].values()))["tls_connection_policies"][0]


@pytest.mark.parametrize("address", ["*.test", "https://"])
@pytest.mark.parametrize("line", ["alpn nope", "curves x25519", "protocols tls1.3 tls1.3"])
def test_what_a_wildcard_asks_of_connections_is_not_asked_of_other_sites(caddy: str, address: str, line: str) -> None:
    wide = WIDE.replace("*.test", address).replace("alpn nope", line)
    assert first_policy(caddy, SITE + wide) == {"match": {"sni": ["app.test"]}}


def test_a_certificate_that_is_good_for_all_stays_theirs(caddy: str) -> None:
    found = first_policy(caddy, SITE + WIDE.replace("tls {", "tls /a.pem /b.pem {"))
    assert found == {"match": {"sni": ["app.test"]}, "certificate_selection": {"any_tag": ["cert0"]}}


@pytest.mark.parametrize(
    "text", [SITE, WIDE, SITE.replace("app.test", "app.org") + WIDE, SITE + "*.test {\nabort\n}\n"]
)
def test_where_nobody_is_concerned_the_document_stays_the_same(caddy: str, text: str) -> None:
    assert first_policy(caddy, text) is None


def test_what_the_operator_wrote_is_for_everybody(caddy: str) -> None:
    assert first_policy(caddy, SITE + WIDE, "*.test") is None


def test_a_site_says_itself_what_is_asked(caddy: str) -> None:
    assert first_policy(caddy, SITE.replace("respond", "tls {\nalpn h2\n}\nrespond") + WIDE) is None


@pytest.mark.parametrize("address", ["*.test:%HTTPS_PORT%", ":%HTTPS_PORT%"])
def test_a_browser_reaches_an_older_site_beside_a_wildcard(newcomers: Newcomers, address: str) -> None:
    newcomers.put({"caddy": address, "caddy.tls": "internal", "caddy.tls.alpn": "nope", "caddy.respond": "newer"})
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", newcomers.world.ports["HTTPS_PORT"]), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="secure.test") as connection,
    ):
        assert connection.selected_alpn_protocol() in ("h2", "http/1.1")

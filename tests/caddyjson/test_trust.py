"""Which authorities Caddy puts into the machine's store of trusted certificates, asked of a real Caddy's JSON."""

import json
from typing import Any

import pytest
from adapting import document
from dockcaddy.caddyjson import Document
from dockcaddy.caddyjson.trust import without_installed_trust

INTERNAL = {
    "a site with tls internal": "app.test {\ntls internal\n}\n",
    "a site whose certificate can only be internal": "app.localhost {\nrespond x\n}\n",
    "a site without a name": "127.0.0.1 {\nrespond x\n}\n",
    "a site without a name, IPv6": "[::1] {\nrespond x\n}\n",
    "a name without a dot": "intranet {\nrespond x\n}\n",
    "one of several": "app.test, app.lan.internal, other.test {\nrespond x\n}\n",
    "one at another port": "app.localhost:8443 {\nrespond x\n}\n",
    "one where another port is for https": "{\nhttps_port 8443\n}\napp.localhost {\nrespond x\n}\n",
    "an acme server": "http://ca.test {\nacme_server\n}\n",
    "a global option": "{\nlocal_certs\n}\napp.test {\nrespond x\n}\n",
}


def authorities(config: Document) -> Any:
    return json.loads(config.encode())["apps"]["pki"]["certificate_authorities"]


@pytest.mark.parametrize("text", INTERNAL.values(), ids=INTERNAL)
def test_caddys_own_authority_is_not_put_there(caddy: str, text: str) -> None:
    assert authorities(without_installed_trust(document(caddy, text))) == {"local": {"install_trust": False}}


def test_nor_is_one_that_somebody_made(caddy: str) -> None:
    made = "{\npki {\nca mine {\nname Mine\n}\n}\n}\napp.test {\ntls {\nissuer internal {\nca mine\n}\n}\n}\n"
    found = authorities(without_installed_trust(document(caddy, made)))
    assert found["mine"] == {"name": "Mine", "install_trust": False}
    assert found["local"] == {"install_trust": False}


@pytest.mark.parametrize("address", ["http://app.test", "app.test", "*.app.test", "app.test:8443", ":8080"])
def test_where_no_certificate_is_caddys_own_nothing_is_changed(caddy: str, address: str) -> None:
    config = document(caddy, f"{address} {{\nrespond x\n}}\n")
    assert without_installed_trust(config) is config

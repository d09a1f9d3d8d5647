"""Whose visitors are sent to https, asked of a real Caddy's JSON."""

import json

import pytest
from adapting import document
from dockcaddy.caddyjson.redirects import with_own_redirects

SECURE = "app.test {\nrespond app\n}\n"
WIDE = "http://*.test {\nrespond all\n}\n"


def excepted(caddy: str, text: str, *shared_hosts: str) -> list[object]:
    """What each site for http is not for; where there is nothing the document stays the same."""
    config = document(caddy, text)
    changed = with_own_redirects(config, shared_hosts)
    servers = json.loads(changed.encode())["apps"]["http"]["servers"].values()
    matches = [match for server in servers for route in server["routes"] for match in route.get("match") or ()]
    found = [match["not"] for match in matches if "not" in match]
    assert found or changed is config
    return found


@pytest.mark.parametrize("address", ["http://*.test", "http://{http.request.host}", "*.test:80"])
def test_a_wildcard_leaves_visitors_that_are_sent_to_https_alone(caddy: str, address: str) -> None:
    assert excepted(caddy, SECURE + WIDE.replace("http://*.test", address)) == [[{"host": ["app.test"]}]]


def test_so_where_the_operator_chose_other_ports(caddy: str) -> None:
    options = "{\nhttp_port 8080\nhttps_port 8443\n}\n"
    assert excepted(caddy, options + SECURE + WIDE) == [[{"host": ["app.test"]}]]


def test_what_the_operator_wrote_is_for_everybody(caddy: str) -> None:
    assert excepted(caddy, SECURE + WIDE, "*.test") == []


@pytest.mark.parametrize("other", ["app.org", "app.test:8443", "http://app.test", "app.test, http://app.test"])
def test_who_is_not_sent_to_https_is_no_matter(caddy: str, other: str) -> None:
    assert excepted(caddy, SECURE.replace("app.test", other) + WIDE) == []


@pytest.mark.parametrize("option", ["off", "disable_redirects"])
def test_nobody_is_where_the_operator_says_so(caddy: str, option: str) -> None:
    assert excepted(caddy, f"{{\nauto_https {option}\n}}\n" + SECURE + WIDE) == []

"""Whose errors a site handles, asked of a real Caddy's JSON."""

import json

import pytest
from adapting import document
from dockcaddy.caddyjson.error_pages import with_own_errors

APP = "http://app.test:8080 {\nerror 401\n}\n"
WIDE = "http://*.test:8080 {\nhandle_errors {\nabort\n}\n}\n"


def excepted(caddy: str, text: str, *shared_hosts: str) -> list[object]:
    """What each error route is not for; where there is nothing the document stays the same."""
    config = document(caddy, text)
    changed = with_own_errors(config, shared_hosts)
    servers = json.loads(changed.encode())["apps"]["http"]["servers"].values()
    routes = [route for server in servers for route in (server.get("errors") or {}).get("routes") or ()]
    found = [match["not"] for route in routes for match in route.get("match") or () if "not" in match]
    assert found or changed is config
    return found


@pytest.mark.parametrize("address", ["http://*.test:8080", "http://:8080"])
def test_errors_of_other_sites_are_left_alone(caddy: str, address: str) -> None:
    assert excepted(caddy, APP + WIDE.replace("http://*.test:8080", address)) == [[{"host": ["app.test"]}]]


def test_the_operators_error_pages_are_for_everybody(caddy: str) -> None:
    assert excepted(caddy, APP + WIDE, "*.test") == []


@pytest.mark.parametrize("other", ["http://app.org:8080", "http://app.test:8081", "http://a.app.test:8080"])
def test_a_site_that_no_wildcard_covers_is_no_matter(caddy: str, other: str) -> None:
    assert excepted(caddy, APP.replace("http://app.test:8080", other) + WIDE) == []


def test_a_site_handles_its_own_errors(caddy: str) -> None:
    assert excepted(caddy, APP.replace("error 401", "error 401\nhandle_errors {\nrespond x\n}")) == []

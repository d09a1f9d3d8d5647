"""Which hosts Caddy is told to ask a certificate for, whatever wildcard covers them."""

import json

import pytest
from adapting import document
from dockcaddy.caddyjson.certificates import with_own_certificates

ACME = "tls {\nissuer acme {\ndir https://127.0.0.1:1/\n}\n}"
SITE = "app.example.org {\n%s\nrespond app\n}\n*.example.org {\n%s\nrespond all\n}\n"

# the site's own lines, the wildcard's
ALONE = {
    "a wildcard that no authority gives without dns": ("", ""),
    "one of a given authority": ("", ACME),
    "one that is asked for when somebody comes": ("", "tls internal {\non_demand\n}"),
    "one that is asked of another server": ("", "tls {\nget_certificate http http://x.test\n}"),
    "one of another kind than the site's own": ("tls internal", ACME),
    "one of an authority that nobody knows": ("tls internal", "tls {\nissuer internal {\nca other\n}\n}"),
    "one that no browser knows": (ACME, "tls internal"),
}
COVERED = {
    "an internal wildcard and nothing said": ("", "tls internal"),
    "the same for both": ("tls internal", "tls internal"),
    "a certificate out of files": ("tls /a.pem /b.pem", ""),
    "a site that waits for its visitors": ("tls {\non_demand\n}", ""),
}


def automated(caddy: str, text: str) -> list[str]:
    """What Caddy is told to ask for; with no such host the document stays the same."""
    config = document(caddy, text)
    changed = with_own_certificates(config)
    tls = json.loads(changed.encode())["apps"].get("tls") or {}
    found: list[str] = (tls.get("certificates") or {}).get("automate") or []
    assert found or changed is config
    return found


@pytest.mark.parametrize("case", ALONE)
def test_a_host_that_the_wildcard_would_leave_without_is_asked_for_itself(caddy: str, case: str) -> None:
    assert automated(caddy, SITE % ALONE[case]) == ["app.example.org"]


@pytest.mark.parametrize("case", COVERED)
def test_a_host_that_the_wildcard_serves_is_left_to_it(caddy: str, case: str) -> None:
    assert automated(caddy, SITE % COVERED[case]) == []


def test_a_host_without_tls_is_left_alone(caddy: str) -> None:
    assert automated(caddy, "http://app.example.org {\nrespond a\n}\n*.example.org {\nrespond b\n}\n") == []

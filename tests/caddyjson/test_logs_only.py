"""A configuration may be about logs only, whatever their fields are called."""

import pytest
from adapting import document
from dockcaddy.caddyjson import with_isolated_sites

FIELDS = ("pki", "errors", "acme_server", "request>headers>*.x")


@pytest.mark.parametrize("field", FIELDS)
def test_without_sites_nothing_is_changed(caddy: str, field: str) -> None:
    text = f"{{\nlog {{\nformat filter {{\nfields {{\n{field} delete\n}}\n}}\n}}\n}}\n"
    config = document(caddy, text)
    assert "apps" not in config.rest
    assert with_isolated_sites(config) is config

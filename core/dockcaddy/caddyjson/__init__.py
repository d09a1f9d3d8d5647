"""Caddy's JSON: transforms that keep one site from affecting the others."""

from collections.abc import Collection

from dockcaddy.caddyjson.certificates import with_own_certificates
from dockcaddy.caddyjson.connections import with_own_connections
from dockcaddy.caddyjson.error_pages import with_own_errors
from dockcaddy.caddyjson.log_servers import with_patience
from dockcaddy.caddyjson.redirects import with_own_redirects
from dockcaddy.caddyjson.trust import without_installed_trust

__all__ = ["with_isolated_sites"]


def with_isolated_sites(config: bytes, everybodys: Collection[str] = ()) -> bytes:
    """The configuration (JSON), in which no site waits for, answers for, shuts out or takes a certificate from another.

    The same bytes where nothing is to be changed. What is said for the hosts `everybodys` is meant for all.
    """
    config = without_installed_trust(with_patience(config))
    config = with_own_connections(with_own_certificates(config), everybodys)
    return with_own_redirects(with_own_errors(config, everybodys), everybodys)

"""Caddy's JSON: transforms that keep one site from affecting the others."""

from collections.abc import Collection

from dockcaddy.caddyjson.certificates import with_own_certificates
from dockcaddy.caddyjson.connections import with_own_connections
from dockcaddy.caddyjson.error_pages import with_own_errors
from dockcaddy.caddyjson.log_servers import with_dial_timeouts
from dockcaddy.caddyjson.redirects import with_own_redirects
from dockcaddy.caddyjson.trust import without_installed_trust

__all__ = ["with_isolated_sites"]


def with_isolated_sites(config: bytes, shared_hosts: Collection[str] = ()) -> bytes:
    """The configuration (JSON), in which no site affects the certificates, connections, errors or redirects of another.

    The same bytes where nothing changes. Settings for the `shared_hosts` (`""` is every host) apply to all sites, because
    the operator wrote them.
    """
    config = without_installed_trust(with_dial_timeouts(config))
    config = with_own_connections(with_own_certificates(config), shared_hosts)
    return with_own_redirects(with_own_errors(config, shared_hosts), shared_hosts)

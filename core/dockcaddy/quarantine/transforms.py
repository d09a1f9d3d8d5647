"""The transforms of Caddy's JSON that depend on the fragments of a configuration. Pure."""

from collections.abc import Iterable

from dockcaddy.caddyjson import with_isolated_sites
from dockcaddy.caddyjson.retries import Retries
from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration
from dockcaddy.merge.service_proxies import ServiceUpstreams


def transformed(config: bytes, configuration: Configuration, fragments: Iterable[Fragment], retries: Retries) -> bytes:
    """The JSON of the configuration, with isolated sites, and with `retries` for the proxies of services."""
    services = ServiceUpstreams.of(configuration.assembly)
    config = retries.applied(config, services.retried, services.watched)
    return with_isolated_sites(config, {host for each in fragments if each.is_operators for host in each.hosts})

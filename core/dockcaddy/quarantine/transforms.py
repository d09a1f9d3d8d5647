"""The transforms of Caddy's JSON that depend on the fragments of a configuration. Pure."""

from collections.abc import Sequence

from dockcaddy.caddyjson import with_isolated_sites
from dockcaddy.caddyjson.retries import Retries
from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration
from dockcaddy.merge.service_proxies import ServiceUpstreams


def transformed(config: bytes, configuration: Configuration, fragments: Sequence[Fragment], retries: Retries) -> bytes:
    """The JSON of the configuration, with isolated sites, and with `retries` for the proxies of services."""
    # most have none, and to look through all sites takes time
    if any(each.owner.startswith("service ") for each in fragments):
        services = ServiceUpstreams.of(configuration.assembly)
        config = retries.applied(config, services.retried, services.watched)
    return with_isolated_sites(config, {host for each in fragments if each.is_operators for host in each.hosts})

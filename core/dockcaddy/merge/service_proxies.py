"""The proxies of Swarm services. Pure."""

from collections.abc import Iterable, Iterator

from attrs import frozen

from dockcaddy.caddyfile import UPSTREAM_DIRECTIVES, Block, all_blocks, split_host_port, split_matcher
from dockcaddy.merge.assembly import Assembly

# a snippet may have the proxy, and get its upstreams as arguments
_NAMING_UPSTREAMS = UPSTREAM_DIRECTIVES | {"import"}
_RETRIES = frozenset(("lb_try_duration", "lb_retries"))
_PASSIVE_HEALTH = frozenset(("fail_duration", "max_fails", "unhealthy_status", "unhealthy_latency"))


@frozen
class ServiceUpstreams:
    """The hosts of services' upstreams: of proxies without settings of their own for retries, and for passive health."""

    retried: frozenset[str] = frozenset()
    watched: frozenset[str] = frozenset()

    @classmethod
    def of(cls, assembly: Assembly) -> "ServiceUpstreams":
        """Those of all sites."""
        sites = [each.block for each in assembly.sections if _is_of_service(each.block)]
        lines = (each for each in all_blocks(sites) if each.keys and each.keys[0] in _NAMING_UPSTREAMS)
        proxies = [each for each in lines if _is_of_service(each)]
        return cls(
            frozenset(host for each in proxies if _RETRIES.isdisjoint(_options(each)) for host in _hosts(each)),
            frozenset(host for each in proxies if _PASSIVE_HEALTH.isdisjoint(_options(each)) for host in _hosts(each)),
        )


def _is_of_service(block: Block) -> bool:
    return any(each.resource.startswith("service ") for each in block.origins)


def _options(proxy: Block) -> Iterator[str]:
    return (each.keys[0] for each in proxy.children if each.keys)


def _hosts(proxy: Block) -> Iterator[str]:
    """The hosts in a proxy's line, in its `to` lines, and in the sources of its `dynamic` upstreams."""
    yield from _hosts_of(split_matcher(proxy.keys[1:])[1])
    for line in all_blocks(each for each in proxy.children if each.keys[:1] in (("to",), ("dynamic",))):
        yield from _hosts_of(line.keys[1:])


def _hosts_of(upstreams: Iterable[str]) -> Iterator[str]:
    return (split_host_port(each.rpartition("://")[2])[0] for each in upstreams)

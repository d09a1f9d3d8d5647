"""The operator's resources: the containers that Caddy and dockcaddy run in, whose labels are trusted. Pure."""

import ipaddress
from collections.abc import Iterable, Iterator

from attrs import evolve

from dockcaddy.model import EngineInventory, Proxy, Resource

# the engine's label on a container that Swarm started
SERVICE_LABEL = "com.docker.swarm.service.id"
# the length of Docker's short ids
_LEAST_OF_ID = 12
_EVERYWHERE = ("", "0.0.0.0", "127.0.0.1")


def with_operators(engine: EngineInventory, proxy: Proxy) -> EngineInventory:
    """The engine with Caddy's container as its `caddy`, and with its `operators`.

    Caddy's is the container that the operator named, or the one that its admin endpoint belongs to, or the one that the
    program runs in.
    """
    caddy = _named(engine, proxy) or _at_the_endpoint(engine, proxy)
    found = frozenset(_ids(each for each in (engine.caddy, caddy) if each is not None))
    if found == engine.operators and caddy in (None, engine.caddy):
        return engine
    is_container = caddy is not None and caddy.kind == "container"
    return evolve(engine, caddy=caddy if is_container else engine.caddy, operators=found)


def _ids(resources: Iterable[Resource]) -> Iterator[str]:
    """Their ids, and those of the services that they belong to."""
    for each in resources:
        yield each.id
        if SERVICE_LABEL in each.labels and each.kind == "container":
            yield each.labels[SERVICE_LABEL]


def _named(engine: EngineInventory, proxy: Proxy) -> Resource | None:
    wanted = proxy.container
    if not wanted:
        return None
    is_id = len(wanted) >= _LEAST_OF_ID
    # anyone may give a container a name that looks like another container's id or service
    by_id = [each for each in engine.resources if is_id and each.id.startswith(wanted)]
    fitting = by_id or [each for each in engine.resources if each.name == wanted]
    return min(fitting, key=lambda each: each.created, default=None)


def _at_the_endpoint(engine: EngineInventory, proxy: Proxy) -> Resource | None:
    """The container with one of the admin endpoints; the oldest of several with that name."""
    endpoints = proxy.admin_endpoints
    given = engine.resources if endpoints else ()
    containers = [each for each in given if each.kind == "container" and each.running]
    for host, port in endpoints:
        found = [each for each in containers if _has_endpoint(each, host, port, engine)]
        if found:
            return min(found, key=lambda each: each.created)
    return None


def _has_endpoint(container: Resource, host: str, port: int, engine: EngineInventory) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if host != "localhost":
            return _has_name(container, host, engine.caddy)
        address = ipaddress.ip_address("127.0.0.1")
    if address.is_loopback:
        # inside a container, loopback is the container itself
        return engine.caddy is None and any(
            each.host_port == port and each.protocol == "tcp" and each.host_ip in _EVERYWHERE
            for each in container.ports
        )
    return any(str(address) in (each.ipv4, each.ipv6) for each in container.attachments)


def _has_name(container: Resource, host: str, own: Resource | None) -> bool:
    """Whether Docker's DNS resolves the host to the container, on a network that dockcaddy's own container shares."""
    if own is None:
        return False
    shared = {each.network for each in own.attachments}
    return any(
        each.network in shared and (container.name == host or host in each.aliases) for each in container.attachments
    )

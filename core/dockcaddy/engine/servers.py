"""Caddys that labels ask a controller to configure: `<prefix>_controlled_server` on a container or a service. No I/O."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from dockcaddy.engine.reach.shared_networks import endpoints
from dockcaddy.engine.records.resources import container_name, runs
from dockcaddy.model import ControlledServer

Json = Mapping[str, Any]
# a network and an address there
_Place = tuple[str, str]
# whether addresses on the network with this id count
Counts = Callable[[str], bool]


def server_label(prefix: str) -> str:
    """The label of a server."""
    return f"{prefix}_controlled_server"


def is_server(labels: Mapping[str, str] | None, prefix: str) -> bool:
    """Whether the labels ask a controller to configure a Caddy, whatever the label's value is."""
    return server_label(prefix) in (labels or {})


def servers_of_containers(
    items: Iterable[Json], prefix: str, own: Iterable[str], counts: Counts
) -> tuple[ControlledServer, ...]:
    """Those of these servers that run, by name. See `server_of_container`."""
    up = (item for item in items if item.get("State") in ("running", None))
    found = [server_of_container(each, prefix, own, counts) for each in up]
    return tuple(sorted(found, key=lambda server: server.name))


def server_of_container(
    item: Json, prefix: str, own: Iterable[str], counts: Counts = lambda network: True
) -> ControlledServer:
    """The server of an item of `GET /containers/json`. `own` are the names of our own container's networks.

    Addresses are those on networks whose id `counts`: others may be another engine's.
    """
    networks, name, labels = endpoints(item), container_name(item), item.get("Labels") or {}
    places = [
        (network, address)
        for network, endpoint in networks.items()
        for address in (endpoint.get("IPAddress"), endpoint.get("GlobalIPv6Address"))
        if address and counts(str(endpoint.get("NetworkID") or ""))
    ]
    names = (name, str(item.get("Id"))[:12], labels.get("com.docker.compose.service"))
    hosts = _in_networks((*names, *_aliases(networks.values())), networks)
    value = str(labels.get(server_label(prefix)) or "")
    return ControlledServer(f"container {name}", _ordered(places, own), value, hosts)


def servers_of_service(
    item: Json, tasks: Sequence[Json], prefix: str, own: Iterable[str]
) -> Iterator[ControlledServer]:
    """A server for each task of the service that runs."""
    spec = item.get("Spec") or {}
    value = str((spec.get("Labels") or {}).get(server_label(prefix)) or "")
    hosts = _hosts_of_service(item)
    for task in filter(runs, tasks):
        number = task.get("Slot") or str(task.get("NodeID") or "")[:12]
        yield ControlledServer(f"service {spec.get('Name')}, task {number}", _ordered(_places(task), own), value, hosts)


def _hosts_of_service(item: Json) -> tuple[str, ...]:
    """A service's names, those of its tasks together, and its virtual addresses."""
    spec = item.get("Spec") or {}
    attached = (spec.get("TaskTemplate") or {}).get("Networks") or spec.get("Networks") or ()
    addresses = [str(each.get("Addr") or "") for each in (item.get("Endpoint") or {}).get("VirtualIPs") or ()]
    names = (spec.get("Name"), f"tasks.{spec.get('Name')}", *_aliases(attached))
    return _in_networks((*names, *(address.partition("/")[0] for address in addresses)), ())


def _aliases(attachments: Iterable[Json | None]) -> Iterator[str]:
    for each in attachments:
        yield from (each or {}).get("Aliases") or ()
        yield from (each or {}).get("DNSNames") or ()


def _in_networks(names: Iterable[str | None], networks: Iterable[str]) -> tuple[str, ...]:
    """The names, and as Docker's name server has them with the name of a network."""
    known = [each for each in names if each]
    return tuple(dict.fromkeys((*known, *(f"{each}.{network}" for each in known for network in networks))))


def _places(task: Json) -> Iterator[_Place]:
    for attachment in task.get("NetworksAttachments") or ():
        spec = (attachment.get("Network") or {}).get("Spec") or {}
        # Swarm's own network for published ports leads nowhere else
        if not spec.get("Ingress"):
            for address in attachment.get("Addresses") or ():
                yield str(spec.get("Name") or ""), address.partition("/")[0]


def _ordered(places: Iterable[_Place], own: Iterable[str]) -> tuple[str, ...]:
    shared = set(own)
    return tuple(address for _, address in sorted(places, key=lambda each: (each[0] not in shared, *each)))

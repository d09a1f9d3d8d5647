"""Caddys that labels ask a controller to configure: `<prefix>_controlled_server` on a container or a service. No I/O."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dockcaddy.engine.records import container_name, runs
from dockcaddy.model import ControlledServer

Json = Mapping[str, Any]
# a network and an address there
_Place = tuple[str, str]

_SUFFIX = "_controlled_server"


def is_server(labels: Mapping[str, str] | None, prefix: str) -> bool:
    """Whether the labels ask a controller to configure a Caddy, whatever the label's value is."""
    return prefix + _SUFFIX in (labels or {})


def server_of_container(item: Json, prefix: str, own: Iterable[str]) -> ControlledServer:
    """The server of an item of `GET /containers/json`. `own` are the names of our own container's networks."""
    networks = (item.get("NetworkSettings") or {}).get("Networks") or {}
    places = [
        (name, address)
        for name, endpoint in networks.items()
        for address in ((endpoint or {}).get("IPAddress"), (endpoint or {}).get("GlobalIPv6Address"))
        if address
    ]
    value = (item.get("Labels") or {}).get(prefix + _SUFFIX)
    return ControlledServer(f"container {container_name(item)}", _ordered(places, own), str(value or ""))


def servers_of_service(
    item: Json, tasks: Sequence[Json], prefix: str, own: Iterable[str]
) -> Iterator[ControlledServer]:
    """A server for each task of the service that runs."""
    spec = item.get("Spec") or {}
    value = str((spec.get("Labels") or {}).get(prefix + _SUFFIX) or "")
    for task in filter(runs, tasks):
        number = task.get("Slot") or str(task.get("NodeID") or "")[:12]
        yield ControlledServer(f"service {spec.get('Name')}, task {number}", _ordered(_places(task), own), value)


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

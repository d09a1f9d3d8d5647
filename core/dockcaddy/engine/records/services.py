"""The resources of Swarm services and their tasks."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dockcaddy.engine.reach.ingress import NETWORK_LABEL, IngressNetworks
from dockcaddy.engine.reach.unreachable import reason
from dockcaddy.engine.records.gotypes import service_record
from dockcaddy.engine.records.resources import (
    EngineOptions,
    environment,
    is_checked,
    published_host,
    runs,
    service_networks,
    texts,
)
from dockcaddy.model import Attachment, Health, Mount, Port, Resource

Json = Mapping[str, Any]


def service(
    item: Json,
    tasks: Sequence[Json],
    networks: Mapping[str, str],
    ingress: IngressNetworks,
    engine: str,
    options: EngineOptions,
    node: str = "",
) -> Resource:
    """The resource of a Swarm service and its tasks. `networks` are names by id.

    `node` is the id of the engine's own node, `""` if it is unknown.
    """
    spec = item.get("Spec") or {}
    container_spec = (spec.get("TaskTemplate") or {}).get("ContainerSpec") or {}
    labels = texts(spec.get("Labels") or {})
    item = {**item, "Spec": {**spec, "Labels": labels}}
    running = [task for task in tasks if runs(task)]
    chosen = labels.get(NETWORK_LABEL, "")
    attached = _service_attachments(item, running, networks)
    targets = (
        _task_addresses(running, ingress, chosen)
        if options.proxy_service_tasks
        else _service_name(item, networks, ingress, chosen)
    )
    ports = _service_ports(item, running, node)
    published_at = "" if targets or not running else published_host(ingress, ports)
    return Resource(
        kind="service",
        id=str(item["ID"]),
        name=str(spec.get("Name") or ""),
        engine=engine,
        image=str(container_spec.get("Image") or ""),
        labels=labels,
        environment=environment(container_spec.get("Env")),
        attachments=ingress.reached(attached),
        mounts=_service_mounts(container_spec.get("Mounts") or ()),
        ports=ports,
        created=_seconds(item.get("CreatedAt")),
        state="running" if running else "",
        running=bool(running),
        health=_service_health(container_spec, is_running=bool(running)),
        targets=targets,
        published_at=published_at,
        unreachable="" if targets or published_at or not running else reason(ingress, attached, labels),
        record=service_record(item),
    )


def _service_health(spec: Json, *, is_running: bool) -> Health:
    """The health of a service. A task with a health check runs once it is healthy, and ends when it no longer is."""
    if not is_checked(spec):
        return "none"
    return "healthy" if is_running else "starting"


def _seconds(time: object) -> int:
    """Seconds since the epoch of a time in the engine's format, 0 if it is none."""
    try:
        return int(datetime.fromisoformat(f"{str(time)[:19]}+00:00").timestamp())
    except ValueError:
        return 0


def _task_addresses(tasks: Iterable[Json], ingress: IngressNetworks, chosen: str) -> tuple[str, ...]:
    found: list[str] = []
    for task in tasks:
        attached = [each for each in _task_attachments(task) if ingress.includes(each.network_id, each.network, chosen)]
        found += ingress.preferred(attached, chosen)
    return tuple(dict.fromkeys(found))


def _task_attachments(task: Json) -> Iterable[Attachment]:
    for attachment in task.get("NetworksAttachments") or ():
        network = attachment.get("Network") or {}
        for text in attachment.get("Addresses") or ():
            address = text.partition("/")[0]
            by_version = {"ipv6" if ":" in address else "ipv4": address}
            yield Attachment((network.get("Spec") or {}).get("Name") or "", network.get("ID") or "", **by_version)


def _service_name(item: Json, networks: Mapping[str, str], ingress: IngressNetworks, chosen: str) -> tuple[str, ...]:
    """The name, which leads to its virtual address, or with `endpoint_mode: dnsrr` to one of its tasks."""
    is_reached = any(ingress.includes(each, networks.get(each, each), chosen) for each in service_networks(item))
    return (str((item.get("Spec") or {}).get("Name") or ""),) if is_reached else ()


def _service_attachments(item: Json, tasks: Sequence[Json], networks: Mapping[str, str]) -> tuple[Attachment, ...]:
    found: dict[str, Attachment] = {}
    for task in tasks:
        for attachment in task.get("NetworksAttachments") or ():
            network = attachment.get("Network") or {}
            name = (network.get("Spec") or {}).get("Name") or ""
            addresses = attachment.get("Addresses") or [""]
            found.setdefault(name, Attachment(name, network.get("ID") or "", addresses[0].partition("/")[0]))
    for network_id in service_networks(item):
        if name := networks.get(network_id, ""):
            found.setdefault(name, Attachment(name, network_id))
    return tuple(found[name] for name in sorted(found))


def _service_mounts(mounts: Iterable[Json]) -> tuple[Mount, ...]:
    made = []
    for mount in mounts:
        kind, source, target = mount.get("Type") or "bind", mount.get("Source") or "", mount.get("Target") or ""
        # where a volume is on the nodes is unknown
        path, name = ("", source) if kind == "volume" else (source, "")
        made.append(Mount(kind, path, target, name, bool(mount.get("ReadOnly"))))
    return tuple(sorted(made, key=lambda mount: mount.destination))


def _service_ports(item: Json, tasks: Iterable[Json], node: str) -> tuple[Port, ...]:
    """The ports of a service. Those of the mode `host` are published only on the nodes of its tasks."""
    listed = (item.get("Endpoint") or {}).get("Ports") or ()
    here = [task.get("Status") or {} for task in tasks if node and task.get("NodeID") == node]
    published = [
        _port(port, is_here=True) for status in here for port in (status.get("PortStatus") or {}).get("Ports") or ()
    ]
    there = {port.container_port for port in published}
    made = {
        *published,
        *(port for port in map(_port, listed) if not port.is_elsewhere or port.container_port not in there),
    }
    return tuple(sorted(made, key=lambda port: (port.container_port, port.protocol, port.host_port)))


def _port(port: Json, *, is_here: bool = False) -> Port:
    is_elsewhere = port.get("PublishMode") == "host" and not is_here
    protocol, published = port.get("Protocol") or "tcp", port.get("PublishedPort") or 0
    return Port(port.get("TargetPort") or 0, protocol, published, is_elsewhere=is_elsewhere)

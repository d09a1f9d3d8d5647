"""Turns the engine's JSON into the model's resources. Raw JSON goes no further than this."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen

from dockcaddy.engine.gotypes import container_record, service_record
from dockcaddy.engine.ingress import NETWORK_LABEL, IngressNetworks
from dockcaddy.engine.shared_networks import UsedNetwork, network_mode, uses_the_hosts
from dockcaddy.engine.stopped import Stopped
from dockcaddy.engine.unreachable import reason
from dockcaddy.model import Attachment, Health, Mount, Port, Resource
from dockcaddy.settings.constraint import Constraint, Subject

Json = Mapping[str, Any]

# https://docs.docker.com/reference/cli/docker/compose/run/
ONE_OFF = "com.docker.compose.oneoff"
_HEALTH_IN_STATUS = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")
_HEALTH: Mapping[str, Health] = {"healthy": "healthy", "unhealthy": "unhealthy", "starting": "starting"}


@frozen
class EngineOptions:
    """The settings that decide which resources an engine's inventory has, and their addresses."""

    label_prefix: str = "caddy"
    ingress_networks: tuple[str, ...] = ()
    stopped: Stopped = field(factory=Stopped)
    proxy_service_tasks: bool = True
    scan_one_off_containers: bool = False
    constraint: Constraint = field(factory=Constraint)
    all_addresses: bool = False

    def wants(self, labels: Mapping[str, Any]) -> bool:
        """Whether a container with these labels is ours.

        A one-off container (`docker compose run`) has the labels of its service. It would get requests, and would be the
        older resource once the service is recreated.
        """
        is_one_off = str(labels.get(ONE_OFF)).strip().lower() == "true"
        return has_prefix(labels, self.label_prefix) and (self.scan_one_off_containers or not is_one_off)

    def excludes(self, item: Json) -> bool:
        """Whether the constraint excludes the container of an item of `GET /containers/json`."""
        if not self.constraint.text:
            return False
        networks = (item.get("NetworkSettings") or {}).get("Networks") or {}
        subject = Subject(container_name(item), _texts(item.get("Labels") or {}), tuple(networks))
        return not self.constraint.admits(subject)

    def excludes_service(self, item: Json, networks: Mapping[str, str]) -> bool:
        """Whether the constraint excludes the service of an item of `GET /services`. `networks` are names by id."""
        if not self.constraint.text:
            return False
        spec = item.get("Spec") or {}
        subject = Subject(
            str(spec.get("Name") or ""),
            _texts(spec.get("Labels") or {}),
            tuple(networks.get(each, each) for each in service_networks(item)),
        )
        return not self.constraint.admits(subject)


def has_prefix(labels: Mapping[str, str], prefix: str) -> bool:
    """Whether one of the labels is ours: `PREFIX`, `PREFIX_1` or `PREFIX.x`."""
    return any(key.startswith(prefix) and (len(key) == len(prefix) or key[len(prefix)] in "._") for key in labels)


def container_name(item: Json) -> str:
    """A container's name without the leading slash; names of links do not count."""
    names = [name.lstrip("/") for name in item.get("Names") or ()]
    return next((name for name in names if "/" not in name), names[0] if names else str(item.get("Id", ""))[:12])


def container(
    item: Json,
    inspect: Json | None,
    ingress: IngressNetworks,
    engine: str,
    used: UsedNetwork | None = None,
    *,
    stopping: bool = False,
) -> Resource:
    """The resource of an item of `GET /containers/json` and its inspect response, None if there is none.

    `used` is the network that it uses, by default its own.
    """
    labels = _texts(item.get("Labels") or {})
    item = {**item, "Labels": labels}
    state = str(item.get("State") or "")
    used = used or UsedNetwork(item)
    addresses, why = _reached(used, ingress, labels)
    alive = state == "running"
    ports = _ports(item, inspect, used)
    is_hosts = uses_the_hosts(used.item)
    published_at = "" if addresses or used.problem or not alive or is_hosts else _published_at(ingress, ports)
    return Resource(
        kind="container",
        id=str(item["Id"]),
        name=container_name(item),
        engine=engine,
        image=_image(item, inspect),
        labels=labels,
        environment=_environment(((inspect or {}).get("Config") or {}).get("Env")),
        attachments=ingress.reached(_attachments(item)),
        mounts=_mounts((inspect or {}).get("Mounts") or item.get("Mounts") or ()),
        ports=ports,
        created=int(item.get("Created") or 0),
        state=state,
        running=state == "running",
        health=_health(item, inspect),
        stopping=stopping,
        targets=addresses if alive else (),
        shares_network=bool(used.owner) or is_hosts,
        published_at=published_at,
        unreachable="" if published_at or not alive else why,
        record=container_record(item),
    )


def _published_at(ingress: IngressNetworks, ports: Iterable[Port]) -> str:
    """The host whose published ports are used for a resource without an address, `""` if they are not."""
    is_published = any(port.host_port for port in ports)
    return ingress.rule.host if ingress.rule.uses_ports(is_published=is_published) else ""


def _reached(used: UsedNetwork, ingress: IngressNetworks, labels: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    """The addresses at which Caddy reaches a container with these labels, or the reason why there is none."""
    if used.problem:
        return (), used.problem
    owners = _texts(used.item.get("Labels") or {}) if used.owner else {}
    chosen = labels.get(NETWORK_LABEL, "") or owners.get(NETWORK_LABEL, "")
    attachments = _attachments(used.item)
    if uses_the_hosts(used.item):
        found = tuple(filter(None, (ingress.host_address,)))
    else:
        found = ingress.addresses(attachments, chosen)
    if found:
        return found, ""
    why = reason(ingress, attachments, {**labels, NETWORK_LABEL: chosen}, network_mode(used.item))
    if not used.owner:
        return (), why
    return (
        (),
        f"it uses the network of container {used.owner} (network_mode), and {used.owner} {why.removeprefix('it ')}",
    )


def _texts(labels: Mapping[str, Any]) -> dict[str, str]:
    """Labels as text. Engines other than Docker may send null or numbers; null is an empty text in Go."""
    return {
        key: value if isinstance(value, str) else "" if value is None else json.dumps(value)
        for key, value in labels.items()
    }


def needed(inspect: Json) -> dict[str, Any]:
    """The part of an inspect response that is used; the rest is most of it and is not kept."""
    config, state = inspect.get("Config") or {}, inspect.get("State") or {}
    health = (state.get("Health") or {}).get("Status")
    if not health and _is_checked(config):
        # a container that was not started yet has no health
        health = "starting"
    return {
        "Created": inspect.get("Created"),
        "Config": {key: config.get(key) for key in ("Env", "ExposedPorts", "Image", "StopSignal", "StopTimeout")},
        "HostConfig": {"NetworkMode": network_mode(inspect)},
        "State": {"Health": {"Status": health}},
        "Mounts": inspect.get("Mounts"),
    }


def _is_checked(config: Json) -> bool:
    test = list((config.get("Healthcheck") or {}).get("Test") or ())
    return bool(test) and test[0] != "NONE"


def _attachments(item: Json) -> tuple[Attachment, ...]:
    networks = (item.get("NetworkSettings") or {}).get("Networks") or {}
    return tuple(
        Attachment(
            name,
            endpoint.get("NetworkID") or "",
            endpoint.get("IPAddress") or "",
            endpoint.get("GlobalIPv6Address") or "",
            tuple(endpoint.get("Aliases") or ()),
        )
        for name, endpoint in sorted(networks.items())
        if endpoint is not None
    )


def _image(item: Json, inspect: Json | None) -> str:
    # a list shows an id once the tag has moved to another image; an inspect has the image as written
    return str(((inspect or {}).get("Config") or {}).get("Image") or item.get("Image") or "")


def _environment(entries: Sequence[str] | None) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in entries or () if isinstance(entry, str))
    return {key: value for key, separator, value in pairs if separator}


def _mounts(mounts: Iterable[Json]) -> tuple[Mount, ...]:
    made = [
        Mount(
            mount.get("Type") or "",
            mount.get("Source") or "",
            mount.get("Destination") or mount.get("Target") or "",
            mount.get("Name") or "",
            not mount.get("RW", True),
        )
        for mount in mounts
    ]
    # a list has mounts in random order
    return tuple(sorted(made, key=lambda mount: mount.destination))


def _ports(item: Json, inspect: Json | None, used: UsedNetwork) -> tuple[Port, ...]:
    """The ports of a container, and those that are published for it by the container whose network it uses."""
    published = [port for port in used.item.get("Ports") or () if port.get("PublicPort")] if used.owner else ()
    listed = [
        Port(port.get("PrivatePort") or 0, port.get("Type") or "tcp", port.get("PublicPort") or 0, port.get("IP") or "")
        for port in (*(item.get("Ports") or ()), *published)
    ]
    # a list leaves out the exposed ports of a container without a network of its own
    there = {(port.container_port, port.protocol) for port in listed}
    exposed = [port for port in _exposed(inspect) if (port.container_port, port.protocol) not in there]
    made = {*listed, *exposed}
    return tuple(sorted(made, key=lambda port: (port.container_port, port.protocol, port.host_port, port.host_ip)))


def _exposed(inspect: Json | None) -> Iterable[Port]:
    """The ports that the image or the container exposes, from an inspect response: `80/tcp`."""
    for text in ((inspect or {}).get("Config") or {}).get("ExposedPorts") or ():
        number, _, protocol = str(text).partition("/")
        if number.isdecimal():
            yield Port(int(number), protocol or "tcp")


def _health(item: Json, inspect: Json | None) -> Health:
    inspected = (((inspect or {}).get("State") or {}).get("Health") or {}).get("Status")
    if inspected is None:
        listed = (item.get("Health") or {}).get("Status")
        found = _HEALTH_IN_STATUS.search(str(item.get("Status") or ""))
        inspected = listed or (found[1] if found else "none")
    return _HEALTH.get(inspected, "none")


def service(
    item: Json,
    tasks: Sequence[Json],
    networks: Mapping[str, str],
    volumes: Mapping[str, str],
    ingress: IngressNetworks,
    engine: str,
    options: EngineOptions,
) -> Resource:
    """The resource of a Swarm service and its tasks. `networks` are names by id, `volumes` mountpoints by name."""
    spec = item.get("Spec") or {}
    container_spec = (spec.get("TaskTemplate") or {}).get("ContainerSpec") or {}
    labels = _texts(spec.get("Labels") or {})
    item = {**item, "Spec": {**spec, "Labels": labels}}
    running = [task for task in tasks if runs(task)]
    chosen = labels.get(NETWORK_LABEL, "")
    attached = _service_attachments(item, running, networks)
    targets = (
        _task_addresses(running, ingress, chosen)
        if options.proxy_service_tasks
        else _service_name(item, networks, ingress, chosen)
    )
    ports = _service_ports(item)
    published_at = "" if targets or not running else _published_at(ingress, ports)
    return Resource(
        kind="service",
        id=str(item["ID"]),
        name=str(spec.get("Name") or ""),
        engine=engine,
        image=str(container_spec.get("Image") or ""),
        labels=labels,
        environment=_environment(container_spec.get("Env")),
        attachments=ingress.reached(attached),
        mounts=_service_mounts(container_spec.get("Mounts") or (), volumes),
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


def service_networks(item: Json) -> tuple[str, ...]:
    """The networks of a service, by id, or by the name that it was created with."""
    spec = item.get("Spec") or {}
    wanted = (spec.get("TaskTemplate") or {}).get("Networks") or spec.get("Networks") or ()
    found = [str(each.get("Target") or "") for each in wanted]
    found += [str(each.get("NetworkID") or "") for each in (item.get("Endpoint") or {}).get("VirtualIPs") or ()]
    return tuple(dict.fromkeys(found))


def _service_health(spec: Json, *, is_running: bool) -> Health:
    """The health of a service. A task with a health check runs once it is healthy, and ends when it no longer is."""
    if not _is_checked(spec):
        return "none"
    return "healthy" if is_running else "starting"


def _seconds(time: object) -> int:
    """Seconds since the epoch of a time in the engine's format, 0 if it is none."""
    try:
        return int(datetime.fromisoformat(f"{str(time)[:19]}+00:00").timestamp())
    except ValueError:
        return 0


def runs(task: Json) -> bool:
    """Whether requests may go to a task: it runs, and the Swarm has not decided to end it."""
    return task.get("DesiredState") == "running" and (task.get("Status") or {}).get("State") == "running"


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


def _service_mounts(mounts: Iterable[Json], volumes: Mapping[str, str]) -> tuple[Mount, ...]:
    made = []
    for mount in mounts:
        source = mount.get("Source") or ""
        named = mount.get("Type") == "volume"
        where = volumes.get(source, "") if named else source
        made.append(
            Mount(
                mount.get("Type") or "bind",
                where,
                mount.get("Target") or "",
                source if named else "",
                bool(mount.get("ReadOnly")),
            )
        )
    return tuple(sorted(made, key=lambda mount: mount.destination))


def _service_ports(item: Json) -> tuple[Port, ...]:
    ports = (item.get("Endpoint") or {}).get("Ports") or ()
    made = [
        Port(port.get("TargetPort") or 0, port.get("Protocol") or "tcp", port.get("PublishedPort") or 0)
        for port in ports
    ]
    return tuple(sorted(made, key=lambda port: (port.container_port, port.protocol)))

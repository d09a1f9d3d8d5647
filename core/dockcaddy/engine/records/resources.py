"""Turns the engine's JSON into the model's resources, here of containers. Raw JSON goes no further than this."""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from attrs import field, frozen

from dockcaddy.engine.reach.ingress import NETWORK_LABEL, IngressNetworks
from dockcaddy.engine.reach.shared_networks import UsedNetwork, endpoints, network_mode, uses_the_hosts
from dockcaddy.engine.reach.unreachable import reason
from dockcaddy.engine.records.gotypes import container_record
from dockcaddy.engine.records.stopped import Stopped
from dockcaddy.model import Attachment, Health, Mount, Port, Resource
from dockcaddy.settings.constraint import Constraint, Subject

Json = Mapping[str, Any]

# keys of an item of a list whose values change all the time
VOLATILE = ("Status", "SizeRw", "SizeRootFs")
# https://docs.docker.com/reference/cli/docker/compose/run/
ONE_OFF = "com.docker.compose.oneoff"
# what no other container has
_ITS_OWN = frozenset(("Id", "Names", "EndpointID", "IPAddress", "GlobalIPv6Address", "MacAddress"))
# of the ports, mounts and variables of most containers; nobody changes what is decoded
_NONE: list[Any] = []
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
        if not has_prefix(labels, self.label_prefix):
            return False
        return self.scan_one_off_containers or str(labels.get(ONE_OFF)).strip().lower() != "true"

    def excludes(self, item: Json) -> bool:
        """Whether the constraint excludes the container of an item of `GET /containers/json`."""
        if not self.constraint.text:
            return False
        subject = Subject(container_name(item), texts(item.get("Labels") or {}), tuple(endpoints(item)))
        return not self.constraint.admits(subject)

    def excludes_service(self, item: Json, networks: Mapping[str, str]) -> bool:
        """Whether the constraint excludes the service of an item of `GET /services`. `networks` are names by id."""
        if not self.constraint.text:
            return False
        spec = item.get("Spec") or {}
        subject = Subject(
            str(spec.get("Name") or ""),
            texts(spec.get("Labels") or {}),
            tuple(networks.get(each, each) for each in service_networks(item)),
        )
        return not self.constraint.admits(subject)


def has_prefix(labels: Mapping[str, str], prefix: str) -> bool:
    """Whether one of the labels is ours: `PREFIX`, `PREFIX_1` or `PREFIX.x`."""
    # most have the first one
    return prefix in labels or any(
        key.startswith(prefix) and (len(key) == len(prefix) or key[len(prefix)] in "._") for key in labels
    )


def is_as(known: Json, item: Json) -> bool:
    """Whether an item of a list is as it was known, but for what changes all the time. Not all that are equal are found."""
    return item is known or {**item, **{key: known[key] for key in VOLATILE if key in known}} == known


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
    labels = texts(item.get("Labels") or {})
    if labels is not item.get("Labels"):
        item = {**item, "Labels": labels}
    state = str(item.get("State") or "")
    used = used or UsedNetwork(item)
    addresses, why = _reached(used, ingress, labels)
    alive = state == "running"
    ports = _ports(item, inspect, used)
    is_hosts = uses_the_hosts(used.item)
    published_at = "" if addresses or used.problem or not alive or is_hosts else published_host(ingress, ports)
    return Resource(
        kind="container",
        id=str(item["Id"]),
        name=container_name(item),
        engine=engine,
        image=_image(item, inspect),
        labels=labels,
        environment=environment(((inspect or {}).get("Config") or {}).get("Env")),
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


def published_host(ingress: IngressNetworks, ports: Iterable[Port]) -> str:
    """The host whose published ports are used for a resource without an address, `""` if they are not."""
    is_published = any(port.host_port for port in ports)
    return ingress.rule.host if ingress.rule.uses_ports(is_published=is_published) else ""


def _reached(used: UsedNetwork, ingress: IngressNetworks, labels: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    """The addresses at which Caddy reaches a container with these labels, or the reason why there is none."""
    if used.problem:
        return (), used.problem
    owners = texts(used.item.get("Labels") or {}) if used.owner else {}
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


def texts(labels: Mapping[str, Any]) -> Mapping[str, str]:
    """Labels as text: the same ones where they are. Engines other than Docker may send null or numbers; null is an empty text in Go."""
    if all(isinstance(value, str) for value in labels.values()):
        return labels
    return {
        key: value if isinstance(value, str) else "" if value is None else json.dumps(value)
        for key, value in labels.items()
    }


def needed(inspect: Json) -> dict[str, Any]:
    """The part of an inspect response that is used; the rest is most of it and is not kept."""
    config, state = inspect.get("Config") or {}, inspect.get("State") or {}
    health = (state.get("Health") or {}).get("Status")
    if not health and is_checked(config):
        # a container that was not started yet has no health
        health = "starting"
    kept = {
        "Created": inspect.get("Created"),
        "Config": _present(config, ("Env", "ExposedPorts", "Image", "StopSignal", "StopTimeout")),
        "State": {"Health": {"Status": health}} if health else {},
        "Mounts": inspect.get("Mounts"),
        "RestartPolicy": ((inspect.get("HostConfig") or {}).get("RestartPolicy") or {}).get("Name"),
    }
    made: dict[str, Any] = shared(_present(kept, kept))
    return made


def shared(part: Any) -> Any:
    """A decoded part of JSON in which equal texts are one object: thousands of containers have the same ones."""
    if isinstance(part, str):
        return sys.intern(part)
    if isinstance(part, dict):
        made = {}
        for key, value in part.items():
            # there are a hundred for each container at a start, so nothing is called for most
            if key in _ITS_OWN or value is None or isinstance(value, (int, float)):
                made[sys.intern(key)] = value
            elif isinstance(value, str):
                made[sys.intern(key)] = sys.intern(value)
            else:
                made[sys.intern(key)] = shared(value)
        # `HostConfig` as a list has it
        return _mode(made["NetworkMode"]) if len(made) == 1 and isinstance(made.get("NetworkMode"), str) else made
    if isinstance(part, list):
        return [shared(each) for each in part] if part else _NONE
    return part


@lru_cache(maxsize=64)
def _mode(mode: str) -> Json:
    return {"NetworkMode": mode}


def _present(given: Json, keys: Iterable[str]) -> dict[str, Any]:
    """Those of these keys that have something: of thousands of containers, empty values take megabytes."""
    return {key: given[key] for key in keys if given.get(key)}


def is_checked(config: Json) -> bool:
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


def environment(entries: Sequence[str] | None) -> dict[str, str]:
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


def service_networks(item: Json) -> tuple[str, ...]:
    """The networks of a service, by id, or by the name that it was created with."""
    spec = item.get("Spec") or {}
    wanted = (spec.get("TaskTemplate") or {}).get("Networks") or spec.get("Networks") or ()
    found = [str(each.get("Target") or "") for each in wanted]
    found += [str(each.get("NetworkID") or "") for each in (item.get("Endpoint") or {}).get("VirtualIPs") or ()]
    return tuple(dict.fromkeys(found))


def runs(task: Json) -> bool:
    """Whether requests may go to a task: it runs, and the Swarm has not decided to end it."""
    return task.get("DesiredState") == "running" and (task.get("Status") or {}).get("State") == "running"

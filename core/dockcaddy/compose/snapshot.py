"""A project as the snapshot of an engine on which it is up, with placeholders for what only the engine would know.

A container's address is its name, which Docker's DNS resolves; its health is good if it has a health check; a volume is
where Docker keeps it by default.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from dockcaddy.compose.nodes import Position
from dockcaddy.compose.project import Project

VOLUMES = "/var/lib/docker/volumes"
_SOCKETS = ("docker.sock", "podman.sock")
_NAMED = ("dockcaddy", "caddy-docker-proxy")
_SERVICE = "com.docker.compose.service"
_ENGINES = ("DOCKER_HOST", "CADDY_DOCKER_SOCKETS", "DOCKCADDY_DOCKER_SOCKETS")
_SWARM_TIME = "2000-01-01T00:00:%02dZ"


@frozen(eq=False)
class ComposeSnapshot:
    """The document, and the places of the labels of its resources."""

    document: dict[str, Any]
    project: Project
    # the resource in messages -> its service, and where that has the labels
    owners: Mapping[str, tuple[str, tuple[str, ...]]]

    def find(self, resource: str, label: str) -> Position | None:
        """The line of a resource's label, or of its service."""
        service, section = self.owners.get(resource, ("", ()))
        return self.project.places.get(resource) or self.project.positions.find(service, section, label)


def snapshot_of(project: Project) -> ComposeSnapshot:
    """The snapshot of a project that is up."""
    services = project.services
    caddy = next((name for name, each in services.items() if _is_caddy(name, each)), "")
    networks = {
        key: _network(key, each or {}, bool(caddy)) for key, each in (project.model.get("networks") or {}).items()
    }
    containers: list[dict[str, Any]] = []
    in_swarm: list[dict[str, Any]] = []
    tasks: list[dict[str, Any]] = []
    owners: dict[str, tuple[str, tuple[str, ...]]] = {}
    for name, service in services.items():
        if (service.get("deploy") or {}).get("labels"):
            made = _service(project, name, service, networks, len(in_swarm))
            in_swarm.append(made)
            tasks += _tasks(made, service, networks)
            owners[f"service {made['Spec']['Name']}"] = name, ("deploy", "labels")
        for number in range(1, _replicas(service) + 1):
            item = _container(project, name, service, networks, number, len(containers))
            containers.append(item)
            owners[f"container {item['Names'][0][1:]}"] = name, ("labels",)
    own = next((each["Id"] for each in containers if each["Labels"][_SERVICE] == caddy), None)
    engine = {
        "name": "local",
        "self": own,
        "containers": containers,
        "services": in_swarm,
        "tasks": tasks,
        "networks": [*networks.values(), {"Id": "bridge", "Name": "bridge", "Driver": "bridge"}],
        "configs": list(_configs(project)),
    }
    return ComposeSnapshot({"version": 1, "engines": [engine]}, project, owners)


def _is_caddy(name: str, service: Mapping[str, Any]) -> bool:
    """Whether a service looks like dockcaddy's own: it has its image, or is called caddy and may read an engine."""
    image = str(service.get("image") or "").split("@")[0].rpartition("/")[2].partition(":")[0]
    if image in _NAMED:
        return True
    words = f"{name} {service.get('container_name') or ''} {image}"
    mounts = (str(each.get("source") or "") for each in service.get("volumes") or ())
    reads = any(each.endswith(_SOCKETS) for each in mounts) or any(
        each in _ENGINES for each in service.get("environment") or ()
    )
    return "caddy" in words and reads


def _replicas(service: Mapping[str, Any]) -> int:
    deploy = service.get("deploy") or {}
    if deploy.get("mode") == "global":
        return 1
    said = deploy.get("replicas", service.get("scale"))
    return 1 if said is None else int(said) if str(said).isdecimal() else 1


def _network(key: str, item: Mapping[str, Any], has_caddy: bool) -> dict[str, Any]:
    """A network. Without a Caddy in the project, it is one that the host's Caddy reaches."""
    driver = str(item.get("driver") or "bridge") if has_caddy else "bridge"
    name = str(item.get("name") or key)
    return {"Id": _id(f"network {name}"), "Name": name, "Driver": driver, "Scope": "local"}


def _id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _container(
    project: Project, name: str, service: Mapping[str, Any], networks: Mapping[str, Any], number: int, place: int
) -> dict[str, Any]:
    """An item of GET /containers/json, with its inspect response."""
    own = str(service.get("container_name") or f"{project.name}-{name}-{number}")
    labels = {key: "" if value is None else str(value) for key, value in (service.get("labels") or {}).items()}
    mode = str(service.get("network_mode") or "")
    if mode.startswith("service:"):
        mode = f"container:{_name(project, mode.removeprefix('service:'))}"
    image = str(service.get("image") or f"{project.name}-{name}")
    check = service.get("healthcheck") or {}
    checked = bool(check.get("test")) and not check.get("disable")
    endpoints = _endpoints(service, networks, own, mode)
    config = {
        "Image": image,
        "Env": [f"{key}={value}" for key, value in (service.get("environment") or {}).items() if value is not None],
        "ExposedPorts": {port: {} for port in _exposed(service)},
    }
    return {
        "Id": _id(f"container {own}"),
        "Names": [f"/{own}"],
        "Image": image,
        # of two, the first in the files counts as the older
        "Created": 1 + place,
        "Labels": {**labels, "com.docker.compose.project": project.name, _SERVICE: name},
        "State": "running",
        "Status": "Up",
        "Ports": list(_ports(service)),
        "HostConfig": {"NetworkMode": mode or next(iter(endpoints), "bridge")},
        "NetworkSettings": {"Networks": endpoints},
        "Mounts": _mounts(project, service),
        "Inspect": {
            "Config": config,
            "Mounts": _mounts(project, service),
            "State": {"Health": {"Status": "healthy"}} if checked else {},
        },
    }


def _name(project: Project, service: str) -> str:
    said = (project.services.get(service) or {}).get("container_name")
    return str(said or f"{project.name}-{service}-1")


def _endpoints(service: Mapping[str, Any], networks: Mapping[str, Any], own: str, mode: str) -> dict[str, Any]:
    """The container on its networks. Its address is the one that the file gives it, else its name."""
    if mode == "bridge":
        return {"bridge": {"NetworkID": "bridge", "IPAddress": own}}
    found = {} if mode else service.get("networks") or {}
    return {
        networks[key]["Name"]: {
            "NetworkID": networks[key]["Id"],
            "IPAddress": (each or {}).get("ipv4_address") or own,
            "GlobalIPv6Address": (each or {}).get("ipv6_address") or "",
            "Aliases": [*((each or {}).get("aliases") or ()), own],
        }
        for key, each in found.items()
        if key in networks
    }


def _exposed(service: Mapping[str, Any]) -> Iterator[str]:
    for each in service.get("expose") or ():
        yield str(each) if "/" in str(each) else f"{each}/tcp"
    for port in service.get("ports") or ():
        yield f"{port.get('target')}/{port.get('protocol') or 'tcp'}"


def _ports(service: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for port in service.get("ports") or ():
        published = str(port.get("published") or "")
        yield {
            "PrivatePort": port.get("target") or 0,
            "PublicPort": int(published) if published.isdecimal() else 0,
            "Type": port.get("protocol") or "tcp",
            "IP": port.get("host_ip") or "0.0.0.0",
        }


def _mounts(project: Project, service: Mapping[str, Any]) -> list[dict[str, Any]]:
    volumes = project.model.get("volumes") or {}
    made = []
    for mount in service.get("volumes") or ():
        kind, source = str(mount.get("type") or "volume"), str(mount.get("source") or "")
        name = str((volumes.get(source) or {}).get("name") or source) if kind == "volume" else ""
        made.append(
            {
                "Type": kind,
                "Name": name,
                "Source": f"{VOLUMES}/{name or 'anonymous'}/_data" if kind == "volume" else source,
                "Destination": str(mount.get("target") or ""),
                "RW": not mount.get("read_only"),
            }
        )
    return made


def _service(
    project: Project, name: str, service: Mapping[str, Any], networks: Mapping[str, Any], place: int
) -> dict[str, Any]:
    """An item of GET /services: of a service with labels of its own, under `deploy`."""
    labels = {key: "" if value is None else str(value) for key, value in service["deploy"]["labels"].items()}
    check = service.get("healthcheck") or {}
    spec = {
        "Image": str(service.get("image") or ""),
        "Env": [f"{key}={value}" for key, value in (service.get("environment") or {}).items() if value is not None],
        "Healthcheck": {} if check.get("disable") else {"Test": check.get("test")},
        "Mounts": [
            {
                "Type": each["Type"],
                "Source": each["Name"] or each["Source"],
                "Target": each["Destination"],
                "ReadOnly": not each["RW"],
            }
            for each in _mounts(project, service)
        ],
    }
    attached = [{"Target": networks[key]["Id"]} for key in service.get("networks") or () if key in networks]
    ports = [
        {"TargetPort": each["PrivatePort"], "PublishedPort": each["PublicPort"], "Protocol": each["Type"]}
        for each in _ports(service)
    ]
    own = f"{project.name}_{name}"
    return {
        "ID": _id(f"service {own}"),
        "CreatedAt": _SWARM_TIME % min(place, 59),
        "Spec": {"Name": own, "Labels": labels, "TaskTemplate": {"ContainerSpec": spec, "Networks": attached}},
        "Endpoint": {"Ports": ports},
    }


def _tasks(
    made: Mapping[str, Any], service: Mapping[str, Any], networks: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    keys: Sequence[str] = [key for key in service.get("networks") or () if key in networks]
    for slot in range(1, _replicas(service) + 1):
        address = f"{made['Spec']['Name']}.{slot}"
        yield {
            "ID": _id(address),
            "ServiceID": made["ID"],
            "Slot": slot,
            "DesiredState": "running",
            "Status": {"State": "running"},
            "NetworksAttachments": [
                {
                    "Network": {"ID": networks[key]["Id"], "Spec": {"Name": networks[key]["Name"]}},
                    "Addresses": [address],
                }
                for key in keys
            ],
        }


def _configs(project: Project) -> Iterator[dict[str, Any]]:
    """The configs with labels, which may be Caddyfiles."""
    for key, item in (project.model.get("configs") or {}).items():
        if not isinstance(item, dict) or not item.get("labels"):
            continue
        name = str(item.get("name") or key)
        text = item.get("content")
        path = Path(project.files[0]).parent / str(item.get("file") or "")
        data = text.encode() if isinstance(text, str) else path.read_bytes() if path.is_file() else b""
        spec = {"Name": name, "Labels": item["labels"], "Data": base64.b64encode(data).decode()}
        yield {"ID": _id(f"config {name}"), "Spec": spec}

"""Snapshots of an engine for the command line."""

from collections.abc import Mapping
from typing import Any


def listed(name: str, labels: Mapping[str, str], place: int) -> dict[str, Any]:
    """An item of GET /containers/json on the network `web`, the `place`th that was made."""
    return {
        "Id": name.encode().hex().ljust(64, "0"),
        "Names": [f"/{name}"],
        "Image": "app",
        "Created": 1,
        "Labels": dict(labels),
        "State": "running",
        "Status": "Up",
        "HostConfig": {"NetworkMode": "web"},
        "NetworkSettings": {"Networks": {"web": {"NetworkID": "n1", "IPAddress": f"172.20.0.{4 + place}"}}},
        "Mounts": [],
    }


def attached(name: str, networks: Mapping[str, tuple[str, str]], *ports: Mapping[str, Any]) -> dict[str, Any]:
    """An item with a site on networks by name, each with its id and the container's address."""
    endpoints = {each: {"NetworkID": id, "IPAddress": address} for each, (id, address) in networks.items()}
    return {
        "Id": name.encode().hex().ljust(64, "0"),
        "Names": [f"/{name}"],
        "Labels": {"caddy": f"{name}.test", "caddy.reverse_proxy": "{{upstreams 80}}"},
        "State": "running",
        "Ports": list(ports),
        "NetworkSettings": {"Networks": endpoints},
    }


def snapshot_of(containers: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """A snapshot of containers, given as labels by name; of two the first counts as the older; their addresses are 172.20.0.5 and so on."""
    items = [listed(name, labels, place) for place, (name, labels) in enumerate(containers.items(), 1)]
    networks = [{"Id": "n1", "Name": "web"}]
    return {"version": 1, "engines": [{"name": "local", "containers": items, "networks": networks}]}

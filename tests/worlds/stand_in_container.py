"""A container that an engine was told of, in the engine's own JSON."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from attrs import define, field

NETWORK = {"Name": "bridge", "Id": "b" * 64, "Driver": "bridge", "Scope": "local", "Ingress": False}
BORN = 1_700_000_000


def network_id(name: str) -> str:
    """The id of a network by its name."""
    return str(NETWORK["Id"]) if name == NETWORK["Name"] else hashlib.sha256(name.encode()).hexdigest()


def network(name: str) -> dict[str, Any]:
    """As GET /networks gives it."""
    return {**NETWORK, "Name": name, "Id": network_id(name)}


def _forget(container: "StandInContainer", _: Any, value: object) -> object:
    """What was written of a container is written anew when something about it changed."""
    container.written.clear()
    return value


@define(eq=False, on_setattr=_forget)
class StandInContainer:
    """A container that the engine was told of. `given` is its address where it is not to have one of its own.

    `also_on` are its networks besides the default one, with its address on each.
    """

    name: str
    labels: Mapping[str, str]
    number: int
    state: str = "created"
    health: str = ""
    connected: bool = False
    environment: tuple[str, ...] = ()
    ipv6: str = ""
    given: str = ""
    also_on: Mapping[str, str] = field(factory=dict)
    joins: int = 0
    lives: int = 0
    written: dict[str, bytes] = field(factory=dict)
    born: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        # what it is called later does not change its id
        self.born = self.name

    @property
    def id(self) -> str:
        """What stands in the URL."""
        return hashlib.sha256(f"{self.number} {self.born}".encode()).hexdigest()

    @property
    def address(self) -> str:
        """A loopback address of its own, of 127.64.0.0/10, or what it was given."""
        return (
            self.ipv6
            or self.given
            or f"127.{64 + self.number // 62500}.{self.number // 250 % 250}.{self.number % 250 + 2}"
        )

    @property
    def networks(self) -> dict[str, Any]:
        """Its endpoints; it has an address from shortly before its start until its end."""
        address = self.address if self.connected else ""
        ipv4 = "" if self.ipv6 else address
        default = self._endpoint("bridge", ipv4) | ({"GlobalIPv6Address": address} if self.ipv6 else {})
        return {"bridge": default} | {name: self._endpoint(name, at) for name, at in self.also_on.items()}

    def _endpoint(self, name: str, ipv4: str) -> dict[str, Any]:
        """Each time that it joins a network it gets another endpoint."""
        id = hashlib.sha256(f"{self.id} {name} {self.joins}".encode()).hexdigest() if ipv4 else ""
        return {
            "NetworkID": network_id(name),
            "EndpointID": id,
            "IPAddress": ipv4,
            "IPPrefixLen": 10 if ipv4 else 0,
        }

    def answer(self, kind: str) -> bytes:
        """The JSON that a list or an inspect call gives."""
        if kind not in self.written:
            self.written[kind] = json.dumps(self.item() if kind == "list" else self.inspected()).encode()
        return self.written[kind]

    def item(self) -> dict[str, Any]:
        """As GET /containers/json gives it."""
        status = "Up 1 second" if self.state == "running" else self.state.capitalize()
        # fmt: off
        return {
            "Id": self.id, "Names": [f"/{self.name}"], "Image": "acme/app:1.2", "ImageID": "sha256:" + "1" * 64,
            "Command": "/app", "Created": BORN + self.number, "Ports": [], "Labels": dict(self.labels),
            "State": self.state, "Status": f"{status} ({self.health})" if self.health else status, "Mounts": [],
            "HostConfig": {"NetworkMode": "default"}, "NetworkSettings": {"Networks": self.networks},
        }
        # fmt: on

    def inspected(self) -> dict[str, Any]:
        """As GET /containers/ID/json gives it."""
        running = self.state in ("running", "paused")
        health = {"Health": {"Status": self.health, "FailingStreak": 0, "Log": []}} if self.health else {}
        # fmt: off
        return {
            "Id": self.id, "Name": f"/{self.name}", "Created": "2026-01-01T00:00:00Z", "Image": "sha256:" + "1" * 64,
            "State": {
                "Status": self.state, "Running": running, "Paused": self.state == "paused", "ExitCode": 0,
                "Restarting": self.state == "restarting", "Pid": 4711 if running else 0,
                "StartedAt": "2026-01-01T00:00:00Z", "FinishedAt": "0001-01-01T00:00:00Z", **health,
            },
            "Config": {
                "Hostname": self.id[:12], "Env": list(self.environment), "Image": "acme/app:1.2",
                "Labels": dict(self.labels), "ExposedPorts": {},
            },
            "HostConfig": {"NetworkMode": "default", "RestartPolicy": {"Name": "always"}},
            "NetworkSettings": {"Networks": self.networks, "Ports": {}}, "Mounts": [],
        }
        # fmt: on

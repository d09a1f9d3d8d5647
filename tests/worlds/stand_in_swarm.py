"""A Swarm as its manager, or one of its workers, tells of it."""

import base64
from collections.abc import Mapping
from typing import Any

from attrs import define, field

OVERLAY = {"Name": "front", "Id": "f" * 25, "Driver": "overlay", "Scope": "swarm", "Ingress": False}
INGRESS = {"Name": "ingress", "Id": "i" * 25, "Driver": "overlay", "Scope": "swarm", "Ingress": True}


# every node has it, also after it has left
GATEWAY = {"Name": "docker_gwbridge", "Id": "g" * 64, "Driver": "bridge", "Scope": "local", "Ingress": False}


@define(eq=False)
class StandInSwarm:
    """What there is. `role` is the engine's: none, `worker` or `manager`. `state` is the node's while it joins, `error` its error.

    Right after its start an engine `hides` the networks of its Swarm.
    """

    role: str = ""
    state: str = ""
    error: str = ""
    hides: bool = False
    services: dict[str, dict[str, Any]] = field(factory=dict)
    tasks: list[dict[str, Any]] = field(factory=list)
    configs: list[dict[str, Any]] = field(factory=list)

    @property
    def info(self) -> dict[str, Any]:
        """As GET /info gives it."""
        state = self.state or ("active" if self.role else "inactive")
        is_manager = self.role == "manager" and not self.state
        return {"LocalNodeState": state, "ControlAvailable": is_manager, "Error": self.error}

    @property
    def networks(self) -> list[dict[str, Any]]:
        """Those that every node of a Swarm has."""
        if not self.role:
            return []
        return [GATEWAY] if self.hides else [INGRESS, OVERLAY, GATEWAY]

    def answer(self, kind: str) -> list[dict[str, Any]] | None:
        """As GET /services, /tasks and /configs give it; nothing where the engine is no manager."""
        known = {"services": list(self.services.values()), "tasks": self.tasks, "configs": self.configs}
        return known[kind] if self.role == "manager" else None

    def add(self, name: str, labels: Mapping[str, str], *addresses: str) -> None:
        """A service with a running task at each of these addresses."""
        ports = {"Mode": "vip", "Ports": []}
        self.services[name] = {
            "ID": f"service-{name}",
            "CreatedAt": "2026-01-02T03:04:05.123456789Z",
            "Spec": {
                "Name": name,
                "Labels": dict(labels),
                "TaskTemplate": {"ContainerSpec": {"Image": "acme/app:1.2", "Env": ["WORD=hello"]}},
            },
            "Endpoint": {"Spec": ports, "VirtualIPs": [{"NetworkID": OVERLAY["Id"], "Addr": "10.0.2.2/24"}]},
        }
        self.tasks += [_task(f"service-{name}", number, address) for number, address in enumerate(addresses)]

    def add_config(self, name: str, labels: Mapping[str, str], text: str) -> None:
        """A config."""
        data = base64.b64encode(text.encode()).decode()
        self.configs.append({"ID": f"config-{name}", "Spec": {"Name": name, "Labels": dict(labels), "Data": data}})


def _task(service: str, number: int, address: str) -> dict[str, Any]:
    return {
        "ID": f"{service}-{number}",
        "ServiceID": service,
        "Slot": number,
        "DesiredState": "running",
        "Status": {"State": "running"},
        "NetworksAttachments": [
            {"Network": {"ID": INGRESS["Id"], "Spec": {"Name": "ingress"}}, "Addresses": ["10.0.0.9/24"]},
            {"Network": {"ID": OVERLAY["Id"], "Spec": {"Name": "front"}}, "Addresses": [f"{address}/24"]},
        ],
    }

"""The services of a Swarm with their tasks, and its configs that contain Caddyfile text. No I/O."""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, evolve, field, frozen

from dockcaddy.engine.reach.ingress import IngressNetworks
from dockcaddy.engine.records.resources import EngineOptions, has_prefix, runs
from dockcaddy.engine.records.services import service
from dockcaddy.engine.records.unserved import unserved_services
from dockcaddy.engine.servers import is_server, servers_of_service
from dockcaddy.model import ControlledServer, Problem, Resource, SwarmConfig, Unserved

Json = Mapping[str, Any]

_NODES_BRIDGE = "docker_gwbridge"


@frozen
class SwarmResponses:
    """The responses of a manager: items of GET /services, /tasks and /configs, and the id of its node, `""` if unknown."""

    services: Sequence[Json] = ()
    tasks: Sequence[Json] = ()
    configs: Sequence[Json] = ()
    node: str = ""


def may_be_in_swarm(networks: Sequence[Json] | None) -> bool:
    """Whether an engine with these networks (None: unknown) may be a node of a Swarm.

    Just after its start an engine does not list the Swarm's networks yet, but the bridge that every node has.
    """
    return networks is None or any(
        network.get("Scope") == "swarm" or network.get("Name") == _NODES_BRIDGE for network in networks
    )


@define(eq=False)
class ServiceStore:
    """The labelled services of one engine. A new resource is made only when something about it changes.

    `changes` counts changes, and `losses` how often a task was gone. With `are_old`, they cannot be listed now.
    `node` is the id of the engine's own node.
    """

    engine: str
    options: EngineOptions
    changes: int = 0
    losses: int = 0
    are_old: bool = False
    configs: tuple[SwarmConfig, ...] = ()
    problems: tuple[Problem, ...] = ()
    node: str = ""
    _services: tuple[Json, ...] = ()
    _others: tuple[Json, ...] = ()
    _tasks: Mapping[str, tuple[Json, ...]] = field(factory=dict)
    _made: dict[str, tuple[object, Resource]] = field(factory=dict)

    @property
    def has_services(self) -> bool:
        """Whether there are labelled services."""
        return bool(self._services)

    @property
    def has_servers(self) -> bool:
        """Whether tasks of a service are servers."""
        prefix = self.options.label_prefix
        return any(is_server((item.get("Spec") or {}).get("Labels"), prefix) for item in self._services)

    def servers(self, own: Iterable[str], networks: Mapping[str, str]) -> tuple[ControlledServer, ...]:
        """The tasks that are servers. `own` are the names of our own container's networks, `networks` names by id."""
        prefix = self.options.label_prefix
        return tuple(
            server
            for item in self._services
            if is_server((item.get("Spec") or {}).get("Labels"), prefix)
            and not self.options.excludes_service(item, networks)
            for server in servers_of_service(item, self._tasks[item["ID"]], prefix, own)
        )

    def replace_all(self, answers: SwarmResponses) -> None:
        """Take the responses of a manager. Whatever is not in them is removed."""
        prefix = self.options.label_prefix
        services = tuple(
            item for item in answers.services if has_prefix((item.get("Spec") or {}).get("Labels") or {}, prefix)
        )
        ours = {item["ID"] for item in services}
        self._others = tuple(item for item in answers.services if item["ID"] not in ours)
        configs, problems = _configs(answers.configs, prefix)
        current = services, configs, problems, answers.node
        if current != (self._services, self.configs, self.problems, self.node):
            self._services, self.configs, self.problems, self.node = current
            self.changes += 1
        self.replace_tasks(answers.tasks)

    def replace_tasks(self, answers: Sequence[Json]) -> None:
        """Take a list of all tasks. Those of other services, and those that do not run, are left out."""
        tasks: dict[str, tuple[Json, ...]] = {item["ID"]: () for item in self._services}
        for task in answers:
            if (owner := task.get("ServiceID")) in tasks and runs(task):
                tasks[owner] = (*tasks[owner], _needed(task))
        if tasks != self._tasks:
            is_lost = any(task not in tasks.get(owner, ()) for owner, known in self._tasks.items() for task in known)
            self._tasks = tasks
            self.changes += 1
            self.losses += is_lost

    def excluded(self, networks: Mapping[str, str]) -> tuple[str, ...]:
        """The names of the services that the constraint excludes. `networks` are names by id."""
        items = (item for item in self._services if self.options.excludes_service(item, networks))
        return tuple(sorted(str((item.get("Spec") or {}).get("Name") or "") for item in items))

    def unserved(self, networks: Mapping[str, str]) -> tuple[Unserved, ...]:
        """The services that are no resources. `networks` are names by id."""
        return unserved_services((*self._services, *self._others), self.options, networks)

    def resources(self, ingress: IngressNetworks, networks: Mapping[str, str]) -> tuple[Resource, ...]:
        """The current resources, in the engine's order. `networks` are names by id."""
        made: dict[str, tuple[object, Resource]] = {}
        for item in self._services:
            if self.options.excludes_service(item, networks):
                continue
            id, tasks = item["ID"], self._tasks[item["ID"]]
            basis = (item, tasks, ingress, networks, self.node)
            kept = self._made.get(id)
            if kept is None or kept[0] != basis:
                made_now = service(item, tasks, networks, ingress, self.engine, self.options, self.node)
                kept = basis, self._with_page(made_now)
            made[id] = kept
        self._made = made
        return tuple(resource for _, resource in made.values())

    def _with_page(self, made: Resource) -> Resource:
        """The resource; one without tasks as a container that has stopped, if that shows a page."""
        is_up = made.running or not self.options.proxy_service_tasks
        shows_page = not is_up and self.options.stopped.shows_page(made.labels, "exited")
        return evolve(made, shows_page=True) if shows_page else made


def _needed(task: Json) -> Json:
    """The part of a task that is used; the rest changes all the time."""
    status = task.get("Status") or {}
    return {
        "Slot": task.get("Slot"),
        "NodeID": task.get("NodeID"),
        "DesiredState": task.get("DesiredState"),
        "Status": {"State": status.get("State"), "PortStatus": status.get("PortStatus")},
        "NetworksAttachments": task.get("NetworksAttachments"),
    }


def _configs(items: Sequence[Json], prefix: str) -> tuple[tuple[SwarmConfig, ...], tuple[Problem, ...]]:
    configs, problems = [], []
    for item in items:
        spec = item.get("Spec") or {}
        if prefix not in (spec.get("Labels") or {}):
            continue
        name = str(spec.get("Name") or item.get("ID"))
        try:
            text = base64.b64decode(spec.get("Data") or "", validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            problems.append(Problem(f"config {name}", "", f"its data is not UTF-8 text: {error}"))
            continue
        configs.append(SwarmConfig(str(item.get("ID")), name, text))
    return tuple(configs), tuple(problems)

"""A Swarm that is simulated at the level of its API's JSON: services whose tasks come and go."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field
from stand_in_swarm import StandInSwarm

ADDRESSES = 240


@define(eq=False)
class SimulatedSwarm(StandInSwarm):
    """What there is, and which site each service has.

    No address is given to another task soon: no event says that a task has ended.
    """

    sites: dict[str, str] = field(factory=dict)
    _labels: dict[str, Mapping[str, str]] = field(factory=dict)
    _given: int = 0

    def create(self, name: str, site: str, labels: Mapping[str, str], tasks: int) -> dict[str, Any]:
        """`docker service create` or `update`: new tasks take the place of all that there were. Gives the event."""
        action = "update" if name in self.services else "create"
        self._drop_tasks(name, 0)
        self.add(name, labels, *(self._address() for _ in range(tasks)))
        self.sites[name], self._labels[name] = site, labels
        return _event(name, action)

    def remove(self, name: str) -> dict[str, Any] | None:
        """`docker service rm`. Gives the event."""
        if self.services.pop(name, None) is None:
            return None
        del self.sites[name]
        self._drop_tasks(name, 0)
        return _event(name, "remove")

    def scale(self, name: str, tasks: int) -> None:
        """Tasks come or go by themselves: no event says so."""
        if name in self.services:
            self._drop_tasks(name, tasks)
            kept = [task for task in self.tasks if task["ServiceID"] == f"service-{name}"]
            more = [self._address() for _ in range(tasks - len(kept))]
            service, others = self.services[name], self.tasks
            self.tasks = []
            self.add(name, self._labels[name], *more)
            for number, task in enumerate(self.tasks):
                task["ID"] += f"-{self._given}-{number}"
            self.services[name], self.tasks = service, [*others, *self.tasks]

    def addresses(self, name: str) -> set[str]:
        """Where the tasks of a service are."""
        return {_address_of(task) for task in self.tasks if task["ServiceID"] == f"service-{name}"}

    def holders(self) -> Iterator[tuple[str, str]]:
        """Each address with the site that it serves."""
        for name, site in self.sites.items():
            yield from ((address, site) for address in self.addresses(name))

    def _drop_tasks(self, name: str, kept: int) -> None:
        own = [task for task in self.tasks if task["ServiceID"] == f"service-{name}"][kept:]
        self.tasks = [task for task in self.tasks if task not in own]

    def _address(self) -> str:
        self._given += 1
        return f"10.0.2.{self._given % ADDRESSES + 10}"


def _address_of(task: Mapping[str, Any]) -> str:
    address: str = task["NetworksAttachments"][1]["Addresses"][0]
    return address.partition("/")[0]


def _event(name: str, action: str) -> dict[str, Any]:
    return {
        "Type": "service",
        "Action": action,
        "Actor": {"ID": f"service-{name}", "Attributes": {"name": name}},
        "scope": "swarm",
    }

"""A Swarm is followed live: services by events, tasks by a poll, and nothing is done where nothing changes."""

from collections import Counter
from random import Random

import pytest
from attrs import define, field
from dockcaddy.engine import EngineOptions
from dockcaddy.engine.watch.events import FILTERS
from dockcaddy.model import Inventory, Resource
from simulated.connection import Watching, watching
from simulated.engine import SimulatedEngine
from simulated.schedule import Schedule
from stand_in_swarm import OVERLAY

SITE = {"caddy": "svc.test", "caddy.reverse_proxy": "{{upstreams 80}}"}


@define(eq=False)
class Manager:
    """A simulated manager that is watched, and whether each wake was urgent."""

    schedule: Schedule
    engine: SimulatedEngine
    seen: Watching
    wakes: list[bool] = field(factory=list)

    @classmethod
    def started(cls, services: int = 1, role: str = "manager", **options: bool) -> "Manager":
        schedule = Schedule()
        engine = SimulatedEngine(schedule, Random(1))
        engine.swarm.role = role
        for number in range(services):
            engine.swarm.create(f"s{number}", f"s{number}.test", SITE, 2)
        seen = watching(schedule, Random(2), engine, EngineOptions(ingress_networks=("front",), **options))
        made = cls(schedule, engine, seen)
        seen.engine.start(lambda urgent=False: made.wakes.append(urgent))
        schedule.wait(0.01)
        made.read()
        schedule.wait(2.0)
        made.read()
        made.wakes.clear()
        return made

    def read(self) -> Inventory:
        return Inventory.of([self.seen.engine.inventory()])

    def calls(self, seconds: float) -> Counter[str]:
        """How often each call is made meanwhile."""
        before = Counter(self.engine.counts)
        self.schedule.wait(seconds)
        return Counter(self.engine.counts) - before

    def service(self, name: str = "s0") -> Resource | None:
        return next((each for each in self.read().engines[0].resources if each.name == name), None)

    def targets(self, name: str = "s0") -> set[str]:
        found = self.service(name)
        return set(found.targets) if found else set()

    def problems(self) -> list[str]:
        return [str(each) for each in self.read().engines[0].problems]

    def tell(self, kind: str, action: str = "update", **attributes: str) -> None:
        actor = {"ID": OVERLAY["Id"], "Attributes": {"name": "front", **attributes}}
        self.engine.publish({"Type": kind, "Action": action, "Actor": actor, "scope": "swarm"})


def test_tasks_that_come_and_go_without_an_event_are_there_within_a_second() -> None:
    manager = Manager.started()
    manager.engine.swarm.scale("s0", 4)
    manager.schedule.wait(0.7)
    assert manager.wakes == [False]
    assert manager.targets() == manager.engine.swarm.addresses("s0") and len(manager.targets()) == 4
    manager.engine.swarm.scale("s0", 0)
    manager.schedule.wait(0.7)
    # requests to a task that ends cannot wait
    assert manager.wakes == [False, True]
    assert manager.targets() == set()


def test_a_task_that_is_told_to_end_gets_no_more_requests_though_it_runs() -> None:
    manager = Manager.started()
    ending, staying = manager.engine.swarm.tasks
    ending["DesiredState"] = "shutdown"
    manager.schedule.wait(0.7)
    assert manager.wakes == [True]
    assert manager.targets() == {staying["NetworksAttachments"][1]["Addresses"][0].removesuffix("/24")}


@pytest.mark.parametrize("state", ["assigned", "preparing", "starting", "failed"])
def test_what_does_not_run_changes_nothing(state: str) -> None:
    manager = Manager.started()
    before = manager.service()
    manager.engine.swarm.tasks.append({**manager.engine.swarm.tasks[0], "ID": "new", "Status": {"State": state}})
    manager.schedule.wait(2.0)
    assert not manager.wakes and manager.service() is before


def test_where_nothing_changes_only_tasks_are_listed_and_nothing_is_woken() -> None:
    manager = Manager.started()
    before = manager.seen.engine.inventory()
    calls = manager.calls(60.0)
    assert calls.keys() == {"tasks"} and 100 <= calls["tasks"] <= 120
    assert not manager.wakes and manager.seen.engine.inventory() is before


@pytest.mark.parametrize(
    ("services", "role", "options"),
    [
        (0, "manager", {}),
        (1, "worker", {}),
        (1, "", {}),
        (1, "manager", {"proxy_service_tasks": False}),
    ],
)
def test_no_tasks_are_polled_without_services_whose_tasks_get_requests(
    services: int, role: str, options: dict[str, bool]
) -> None:
    assert not Manager.started(services, role, **options).calls(60.0)


def test_a_service_that_comes_changes_and_goes_is_listed_at_once() -> None:
    manager = Manager.started(0)
    assert {"service", "node", "config"} <= set(FILTERS["type"])
    manager.engine.publish(manager.engine.swarm.create("new", "new.test", SITE, 1))
    manager.schedule.wait(0.1)
    assert manager.targets("new") == manager.engine.swarm.addresses("new") != set()
    assert 9 <= manager.calls(5.0)["tasks"] <= 10
    manager.engine.publish(manager.engine.swarm.remove("new") or {})
    manager.schedule.wait(0.1)
    assert manager.service("new") is None
    assert manager.wakes == [False, True]
    assert not manager.calls(5.0)["tasks"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("node", {"tasks"}), ("config", {"info", "services", "tasks", "configs"})],
)
def test_an_event_lists_at_once_only_what_it_may_have_changed(kind: str, expected: set[str]) -> None:
    manager = Manager.started()
    manager.calls(0.5)
    manager.tell(kind)
    assert manager.calls(0.05).keys() == expected
    assert not manager.wakes


@pytest.mark.parametrize("tasks", [True, False])
def test_a_new_leader_that_tells_of_everything_hides_no_network_and_causes_few_calls(tasks: bool) -> None:
    manager = Manager.started(proxy_service_tasks=tasks)
    before = manager.targets()
    for number in range(100):
        manager.tell(("service", "node", "network")[number % 3])
        # an overlay whose last task on this node has ended
        manager.tell("network", "destroy", type="overlay")
    calls = manager.calls(2.0)
    assert manager.targets() == before != set()
    assert max(calls.values()) <= 10 and not manager.problems()


@pytest.mark.parametrize("fault", ["hang", "fail"])
def test_a_swarm_without_a_leader_keeps_its_tasks_and_delays_no_container(fault: str) -> None:
    manager = Manager.started()
    before = manager.targets()
    until = manager.schedule.now + 20.0
    for call in ("tasks", "services"):
        manager.engine.faults.calls[call] = fault, until
    seen = Counter[str]()
    for number in range(40):
        manager.engine.up(f"c{number}", {"caddy": f"c{number}.test"}, "", "")
        manager.schedule.wait(0.1)
        started = manager.schedule.now
        assert manager.service(f"c{number}") is not None
        # once a pass waits for a call, to see that it hangs
        seen["slow"] += manager.schedule.now > started + 0.1
        assert manager.targets() == before
        manager.schedule.wait(0.5)
        seen.update(set(manager.problems()))
    assert seen.pop("slow") <= 2
    (problem,) = seen
    assert problem.startswith("engine local: services cannot be listed: ")
    assert problem.endswith(
        "the last known services and tasks stay: more than half of the managers have to be online (docker node ls)"
    )
    manager.schedule.wait(15.0)
    manager.engine.swarm.scale("s0", 5)
    manager.schedule.wait(1.0)
    assert len(manager.targets()) == 5 and not manager.problems()
    assert not manager.seen.engine.inventory().has_old_services


def test_a_slow_manager_is_asked_less_often() -> None:
    manager = Manager.started()
    manager.engine.faults.calls["tasks"] = "slow", manager.schedule.now + 60.0
    manager.engine.faults.slow_by = 0.2
    assert 20 <= manager.calls(60.0)["tasks"] <= 35

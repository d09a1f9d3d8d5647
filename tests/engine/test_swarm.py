"""Services of a Swarm: live, in snapshots, and where the manager does not answer."""

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator

import pytest
from attrs import evolve
from dockcaddy.engine import Connection, Engine, EngineOptions, from_snapshot
from dockcaddy.errors import EngineUnreachable
from dockcaddy.model import EngineInventory, Inventory
from stand_in_engine import StandInEngine

Eventually = Callable[..., None]
SITE = {"caddy": "svc.test", "caddy.reverse_proxy": "{{upstreams 80}}"}


@pytest.fixture
def stand_in() -> Iterator[StandInEngine]:
    with tempfile.TemporaryDirectory() as folder, StandInEngine(f"{folder}/engine.sock") as made:
        made.swarm.role = "manager"
        made.swarm.add("svc", SITE, "10.0.2.5", "10.0.2.6")
        made.swarm.add("plain", {}, "10.0.2.9")
        made.swarm.add_config("site", {"caddy": ""}, "config.test {\n\trespond hello\n}\n")
        made.swarm.add_config("other", {}, "nonsense")
        made.add("web", {"caddy": "web.test"})
        yield made
        made.faults.clear()


def engine(stand_in: StandInEngine, **options: object) -> Engine:
    return Engine(Connection(f"unix://{stand_in.path}"), EngineOptions(ingress_networks=("front",), **options))


def names(inventory: EngineInventory) -> list[str]:
    return [str(each) for each in inventory.resources]


def test_services_and_configs_of_a_manager_are_there(stand_in: StandInEngine) -> None:
    inventory = engine(stand_in).inventory()
    assert names(inventory) == ["container web", "service svc"]
    service = inventory.resources[1]
    assert (service.targets, service.running) == (("10.0.2.5", "10.0.2.6"), True)
    assert (service.environment, service.created) == ({"WORD": "hello"}, 1767323045)
    assert [each.name for each in inventory.configs] == ["site"]
    assert inventory.problems == ()


def test_without_tasks_as_upstreams_the_services_name_is_one(stand_in: StandInEngine) -> None:
    service = engine(stand_in, proxy_service_tasks=False).inventory().resources[1]
    assert service.targets == ("svc",)


def test_a_service_is_the_same_resource_until_something_about_it_changes(stand_in: StandInEngine) -> None:
    watched = engine(stand_in)
    first = watched.inventory()
    stand_in.swarm.tasks[0]["UpdatedAt"] = "later"
    watched.resync()
    assert watched.inventory() is first
    stand_in.swarm.tasks[0]["DesiredState"] = "shutdown"
    watched.resync()
    assert watched.inventory().resources[1].targets == ("10.0.2.6",)
    assert watched.inventory().resources[0] is first.resources[0]


@pytest.mark.parametrize("role", ["worker", ""])
def test_only_a_manager_is_asked_for_services(stand_in: StandInEngine, role: str) -> None:
    stand_in.swarm.role = role
    inventory = engine(stand_in).inventory()
    assert names(inventory) == ["container web"] and inventory.problems == ()
    assert not stand_in.counts.keys() & {"services", "tasks", "configs"}
    assert ("info" in stand_in.counts) is bool(role)


@pytest.mark.parametrize("own_networks", [(), ("front",)])
def test_a_snapshot_gives_the_same_inventory_as_the_live_engine(
    stand_in: StandInEngine, own_networks: tuple[str, ...]
) -> None:
    options = EngineOptions(ingress_networks=own_networks)
    watched = Engine(Connection(f"unix://{stand_in.path}"), options)
    live = watched.inventory()
    document = json.loads(json.dumps({"version": 1, "engines": [watched.snapshot()]}))
    assert [each["Spec"]["Name"] for each in document["engines"][0]["services"]] == ["svc"]
    (taken,) = from_snapshot(document, options).engines

    def plain(inventory: EngineInventory) -> list[object]:
        resources = [(str(each), each.targets, each.attachments, each.health) for each in inventory.resources]
        return [resources, inventory.configs, inventory.problems]

    assert plain(taken) == plain(live)
    # Swarm's own network is never a way to a service
    assert live.resources[1].targets == ("10.0.2.5", "10.0.2.6")


@pytest.mark.parametrize("fault", ["error", "hang", "garbage"])
@pytest.mark.parametrize("call", ["info", "services", "tasks", "configs"])
def test_a_manager_that_does_not_answer_loses_no_service_and_holds_up_no_container(
    stand_in: StandInEngine, eventually: Eventually, fault: str, call: str
) -> None:
    watched = engine(stand_in)
    heard: list[bool] = []
    watched.start(lambda urgent=False: heard.append(urgent))
    eventually(lambda: heard)
    assert names(watched.inventory()) == ["container web", "service svc"]
    stand_in.faults[call] = fault
    watched.resync()
    stand_in.add("new", {"caddy": "new.test"})
    eventually(lambda: names(watched.inventory()) == ["container new", "container web", "service svc"])
    assert [each.name for each in watched.inventory().configs] == ["site"]
    if fault != "hang":
        told = "engine local: services cannot be listed: "
        eventually(lambda: any(told in str(each) for each in watched.inventory().problems))
    stand_in.faults.clear()
    stand_in.swarm.add("late", SITE, "10.0.2.7")
    watched.resync()
    eventually(lambda: "service late" in names(watched.inventory()) and not watched.inventory().problems)
    watched.close()


def test_a_manager_that_is_one_no_more_keeps_its_services_and_one_that_leaves_the_swarm_does_not(
    stand_in: StandInEngine, eventually: Eventually
) -> None:
    watched = engine(stand_in)
    watched.start(lambda urgent=False: None)
    eventually(lambda: names(watched.inventory()) == ["container web", "service svc"])
    stand_in.swarm.role = "worker"
    reported = "the last known services and tasks stay: connect dockcaddy to a manager, or make this node one"
    eventually(lambda: any(reported in str(each) for each in watched.inventory().problems))
    watched.resync()
    asked = stand_in.counts["info"]
    eventually(lambda: stand_in.counts["info"] > asked)
    inventory = watched.inventory()
    assert names(inventory) == ["container web", "service svc"] and inventory.has_old_services
    assert inventory.resources[1].targets == ("10.0.2.5", "10.0.2.6") and len(inventory.problems) == 1
    stand_in.swarm.role = ""
    watched.resync()
    eventually(lambda: names(watched.inventory()) == ["container web"] and not watched.inventory().problems)
    watched.close()


def test_a_node_that_is_still_joining_does_not_lose_the_services_it_will_list(
    stand_in: StandInEngine, eventually: Eventually
) -> None:
    stand_in.swarm.state = "pending"
    watched = engine(stand_in)
    with pytest.raises(EngineUnreachable, match="still joining its Swarm"):
        watched.inventory()
    stand_in.swarm.state = ""

    def is_known() -> bool:
        with contextlib.suppress(EngineUnreachable):
            return names(watched.inventory()) == ["container web", "service svc"]
        return False

    eventually(is_known)


@pytest.mark.parametrize("is_started_anew", [False, True])
def test_a_manager_that_does_not_list_its_networks_yet_loses_no_service(
    stand_in: StandInEngine, eventually: Eventually, is_started_anew: bool
) -> None:
    watched = engine(stand_in)
    if not is_started_anew:
        assert names(watched.inventory()) == ["container web", "service svc"]
    stand_in.swarm.hides = True
    watched.resync()
    asked = stand_in.counts["info"]
    assert names(watched.inventory()) == ["container web", "service svc"]
    eventually(lambda: stand_in.counts["info"] > asked)
    assert names(watched.inventory()) == ["container web", "service svc"]
    services = [each["Spec"]["Name"] for each in watched.snapshot()["services"]]
    assert services == ["svc"]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("locked", "the Swarm on this node is locked since the engine was restarted"),
        ("error", "the Swarm on this node has an error: no route"),
    ],
)
def test_a_node_whose_swarm_is_locked_or_broken_keeps_its_services_and_says_what_to_do(
    stand_in: StandInEngine, eventually: Eventually, state: str, said: str
) -> None:
    watched = engine(stand_in)
    assert names(watched.inventory()) == ["container web", "service svc"]
    stand_in.swarm.state, stand_in.swarm.error = state, "no route"
    watched.resync()
    remedy = {"locked": "unlock it (docker swarm unlock)", "error": "see the engine's log (journalctl -u docker)"}[
        state
    ]
    told = f"engine local: services cannot be listed: {said}; the last known services and tasks stay: {remedy}"
    eventually(lambda: any(str(each).startswith(told) for each in watched.inventory().problems))
    assert names(watched.inventory()) == ["container web", "service svc"]
    stand_in.swarm.state = ""
    watched.resync()
    eventually(lambda: not watched.inventory().problems)


def test_what_two_managers_of_one_swarm_list_counts_once_from_the_one_that_lists_it_now(
    stand_in: StandInEngine,
) -> None:
    second = Engine(Connection(f"unix://{stand_in.path}"), EngineOptions(ingress_networks=("front",)), "second")
    first, other = engine(stand_in).inventory(), second.inventory()
    both = Inventory.of([first, other])
    assert [names(each) for each in both.engines] == [["container web", "service svc"], ["container web"]]
    assert [len(each.configs) for each in both.engines] == [1, 0]
    assert both.engines[0] is first
    # the services of one that cannot list them now are the last choice
    old = evolve(first, has_old_services=True)
    both = Inventory.of([old, other])
    assert [names(each) for each in both.engines] == [["container web"], ["container web", "service svc"]]
    both = Inventory.of([old, evolve(other, has_old_services=True)])
    assert [names(each) for each in both.engines] == [["container web", "service svc"], ["container web"]]


def test_of_two_managers_the_one_whose_tasks_are_reached_gives_the_services(stand_in: StandInEngine) -> None:
    other = Engine(Connection(f"unix://{stand_in.path}"), EngineOptions(ingress_networks=("nowhere",)), "other")
    both = Inventory.of([other.inventory(), engine(stand_in).inventory()])
    assert [names(each) for each in both.engines] == [["container web"], ["container web", "service svc"]]


@pytest.mark.parametrize(
    ("check", "state", "health"),
    [
        (["CMD", "true"], "running", "healthy"),
        (["CMD", "true"], "starting", "starting"),
        (["NONE"], "running", "none"),
        (None, "running", "none"),
    ],
)
def test_the_health_of_a_service_is_that_of_its_tasks(
    stand_in: StandInEngine, check: list[str] | None, state: str, health: str
) -> None:
    spec = stand_in.swarm.services["svc"]["Spec"]["TaskTemplate"]["ContainerSpec"]
    spec["Healthcheck"] = {"Test": check}
    for task in stand_in.swarm.tasks:
        task["Status"] = {"State": state}
    service = engine(stand_in).inventory().resources[1]
    assert (service.health, service.running) == (health, state == "running")


def test_nothing_is_published_without_the_services_that_are_not_known_yet(
    stand_in: StandInEngine, eventually: Eventually
) -> None:
    passed = 0.0
    watched = engine(stand_in)
    watched = Engine(watched.connection, watched.options, clock=lambda: time.monotonic() + passed)

    def known() -> list[str]:
        with contextlib.suppress(EngineUnreachable):
            return names(watched.inventory())
        return []

    stand_in.faults["services"] = "error"
    for _ in range(3):
        with pytest.raises(EngineUnreachable, match="told to fail"):
            watched.inventory()
    # the containers wait for a while, not for ever
    passed += 31
    eventually(lambda: known() == ["container web"])
    stand_in.faults.clear()
    watched.resync()
    eventually(lambda: known() == ["container web", "service svc"])

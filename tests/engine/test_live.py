"""An engine that answers as it likes: what is asked, and what nobody has to wait for."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, field
from dockcaddy.engine import Connection, Engine
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.watch.events import Event
from dockcaddy.errors import EngineUnreachable
from dockcaddy.settings.limits import ENGINE_PATIENCE, MAX_LISTED_BY_ID
from docker.errors import APIError
from urllib3.exceptions import ProtocolError

Eventually = Callable[..., None]


@define(eq=False)
class Client:
    """Answers in the place of docker's own client."""

    containers_now: dict[str, dict[str, Any]] = field(factory=dict)
    failing: set[str] = field(factory=set)
    hanging: dict[str, threading.Event] = field(factory=dict)
    inspected: list[str] = field(factory=list)
    lists: int = 0
    small_lists: int = 0
    error: Exception | None = None
    own: dict[str, Any] = field(factory=dict)
    networks_now: list[str] = field(factory=lambda: ["front"])
    restart_policy: str = "no"

    def put(self, id: str, address: str = "172.18.0.2") -> None:
        self.containers_now[id] = {
            "Id": id,
            "Names": [f"/{id}"],
            "Labels": {"caddy": f"{id}.test"},
            "State": "running",
            "Status": "Up",
            "Created": 1,
            "NetworkSettings": {"Networks": {"front": {"NetworkID": "n", "IPAddress": address}}},
        }

    def containers(self, all: bool = False, filters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        if self.error is not None:
            raise self.error
        self.lists += not filters
        self.small_lists += bool(filters)
        chosen = filters["id"] if filters else list(self.containers_now)
        return [self.containers_now[id] for id in chosen if id in self.containers_now]

    def networks(self) -> list[dict[str, Any]]:
        if "networks" in self.failing:
            raise RuntimeError("500 server error")
        return [{"Name": name, "Id": "n", "Driver": "bridge", "Scope": "local"} for name in self.networks_now]

    def inspect_container(self, id: str) -> dict[str, Any]:
        if id == self.own.get("Id"):
            return dict(self.own)
        self.inspected.append(id)
        if id in self.hanging:
            self.hanging[id].wait(10)
        if id in self.failing:
            raise RuntimeError("500 server error")
        policy = {"RestartPolicy": {"Name": self.restart_policy, "MaximumRetryCount": 0}}
        return {"Config": {"Env": ["A=b"]}, "State": {}, "Mounts": [], "HostConfig": policy}


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def engine(client: Client) -> Engine:
    return watched(client, EngineOptions(ingress_networks=("front",)))


def watched(client: Client, options: EngineOptions, own: dict[str, Any] | None = None) -> Engine:
    """The client's engine; whether we run in a container on it is known."""
    made = Engine(Connection("unix:///nowhere.sock", client=client), options)
    made._reflector.own.take(own)
    return made


def names(engine: Engine) -> set[str]:
    return {resource.name for resource in engine.inventory().resources}


def event(engine: Engine, action: str, id: str, kind: str = "container", **attributes: str) -> None:
    given = attributes if kind == "network" else {"caddy": "x", **attributes}
    engine._event_handler.handle([Event.of({"Type": kind, "Action": action, "Actor": {"ID": id, "Attributes": given}})])


def test_every_container_is_inspected_once(client: Client, engine: Engine) -> None:
    for id in "abc":
        client.put(id)
    for _ in range(3):
        engine.resync()
        assert names(engine) == set("abc")
    for id in "abc":
        event(engine, "die", id)
        event(engine, "start", id)
        event(engine, "update", id)
    assert names(engine) == set("abc")
    assert sorted(client.inspected) == list("abc") and client.lists == 3


@pytest.mark.parametrize(
    ("policy", "exit_code", "signal", "stays"),
    [
        ("always", "0", "", True),
        ("unless-stopped", "1", "", True),
        ("on-failure", "1", "", True),
        ("on-failure", "0", "", False),
        ("no", "1", "", False),
        # stopped or killed by somebody
        ("always", "143", "15", False),
    ],
)
def test_a_container_that_docker_starts_again_stays_without_addresses(
    client: Client, engine: Engine, policy: str, exit_code: str, signal: str, stays: bool
) -> None:
    client.restart_policy = policy
    client.put("a")
    assert names(engine) == {"a"}
    if signal:
        event(engine, "kill", "a", signal=signal)
    # the list still says that it runs
    event(engine, "die", "a", exitCode=exit_code)
    found = [(each.name, each.state, each.targets) for each in engine.inventory().resources]
    assert found == ([("a", "restarting", ())] if stays else [])


def test_one_that_was_started_too_often_is_gone_once_a_list_says_so(
    client: Client, engine: Engine, eventually: Eventually
) -> None:
    client.restart_policy = "on-failure"
    client.put("a")
    assert names(engine) == {"a"}
    client.containers_now["a"] = {**client.containers_now["a"], "State": "exited"}
    event(engine, "die", "a", exitCode="1")
    eventually(lambda: names(engine) == set())


def test_a_slow_inspect_holds_up_nobody_else(client: Client, engine: Engine) -> None:
    client.put("a")
    assert names(engine) == {"a"}
    client.put("slow")
    client.put("b")
    client.hanging["slow"] = threading.Event()
    woken = threading.Event()
    engine._reflector.wake = woken.set
    engine.resync()
    assert names(engine) == {"a", "b"}
    threading.Timer(ENGINE_PATIENCE, client.hanging["slow"].set).start()
    assert woken.wait(5)
    assert names(engine) == {"a", "b", "slow"}
    assert client.inspected.count("slow") == 1


def test_one_that_cannot_be_inspected_is_told_and_asked_again(client: Client, engine: Engine) -> None:
    client.put("a")
    client.failing.add("a")
    inventory = engine.inventory()
    assert [resource.environment for resource in inventory.resources] == [{}]
    assert str(inventory.problems[0]) == "container a: cannot be inspected: 500 server error"
    client.failing.clear()
    inventory = engine.inventory()
    assert inventory.problems == () and inventory.resources[0].environment == {"A": "b"}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionError(ProtocolError("aborted", OSError(111, "connection refused"))), "connection refused"),
        (ConnectionError(ProtocolError("broken", ValueError("9 more expected"))), "9 more expected"),
        (APIError("500 server error for http+docker://...", explanation="no space left"), "no space left"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_an_error_says_what_is_at_the_bottom_of_it(client: Client, engine: Engine, error: Exception, told: str) -> None:
    client.error = error
    with pytest.raises(EngineUnreachable) as raised:
        engine.inventory()
    assert str(raised.value) == f"unix:///nowhere.sock does not answer: {told}"


def test_a_list_that_fails_loses_nothing(client: Client, engine: Engine) -> None:
    client.put("a")
    assert names(engine) == {"a"}
    client.error = ConnectionError("connection refused")
    engine.resync()
    with pytest.raises(EngineUnreachable, match="connection refused"):
        engine.inventory()
    client.error = None
    assert names(engine) == {"a"}


def test_one_that_died_is_not_brought_back_by_its_networks_farewell(client: Client, engine: Engine) -> None:
    client.put("a")
    assert names(engine) == {"a"}
    event(engine, "die", "a")
    event(engine, "disconnect", "n", "network", container="a")
    assert names(engine) == set()


def test_a_signal_that_does_not_end_a_container_does_not_take_it_out(client: Client, engine: Engine) -> None:
    client.put("a")
    names(engine)
    event(engine, "kill", "a", signal="1")
    assert not engine.inventory().resources[0].stopping
    event(engine, "kill", "a", signal="15")
    assert engine.inventory().resources[0].stopping


def restarted(id: str) -> list[Event]:
    attributes = {"caddy": "x", "signal": "15"}
    return [Event("container", verb, id, attributes) for verb in ("kill", "die", "stop", "start")]


def test_a_storm_is_one_look_at_each_container(client: Client, engine: Engine) -> None:
    ids = [f"c{number}" for number in range(10)]
    for id in ids:
        client.put(id)
    names(engine)
    lists = client.lists
    assert engine._event_handler.handle([event for _ in range(50) for id in ids for event in restarted(id)])
    assert names(engine) == set(ids)
    assert (client.lists, client.small_lists) == (lists, 1)
    assert sorted(client.inspected) == ids


@pytest.mark.parametrize(("heard", "stopping"), [(1, True), (2, False), (4, False)])
def test_wherever_a_storm_is_cut_one_that_came_back_counts(
    client: Client, engine: Engine, heard: int, stopping: bool
) -> None:
    client.put("a")
    names(engine)
    engine._event_handler.handle([*restarted("a") * 20, *restarted("a")[:heard]])
    assert [resource.stopping for resource in engine.inventory().resources] == [stopping]
    engine._event_handler.handle([*restarted("a")[heard:], *restarted("a") * 20])
    assert [resource.stopping for resource in engine.inventory().resources] == [False]


def test_a_storm_of_foreign_containers_is_none(client: Client, engine: Engine) -> None:
    names(engine)
    before = client.lists
    foreign = [Event("container", "start", f"x{number}", {"name": "x"}) for number in range(500)]
    assert not engine._event_handler.handle(
        [*foreign, *(Event("network", "connect", each.container, {}) for each in foreign)]
    )
    assert names(engine) == set() and (client.lists, client.small_lists) == (before, 0)


def test_foreign_containers_cost_no_call(client: Client, engine: Engine) -> None:
    names(engine)
    before = client.lists
    for action in ("create", "start", "die", "destroy"):
        engine._event_handler.handle([Event("container", action, "x", {"name": "x"})])
    assert names(engine) == set() and client.lists == before and client.inspected == []


def test_the_host_is_reached_from_where_our_own_container_uses_its_network(client: Client) -> None:
    client.put("a")
    own = {"Id": "self", "HostConfig": {"NetworkMode": "host"}, "NetworkSettings": {"Networks": {"host": {}}}}
    engine = watched(client, EngineOptions(), own)
    assert [resource.targets for resource in engine.inventory().resources] == [("172.18.0.2",)]


def test_a_network_that_our_own_container_is_connected_to_counts_from_then_on(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks: dict[str, Any] = {}
    own = {"Id": "self", "NetworkSettings": {"Networks": networks}}
    monkeypatch.setattr("dockcaddy.engine.reach.own_container.own_container_ids", lambda: ["self"])
    client.own = own
    client.put("a")
    engine = watched(client, EngineOptions())
    engine._reflector.own.forget()
    assert [resource.targets for resource in engine.inventory().resources] == [()]
    networks["front"] = {"NetworkID": "n", "IPAddress": "172.18.0.9"}
    event(engine, "connect", "n", "network", container="self")
    inventory = engine.inventory()
    assert [resource.targets for resource in inventory.resources] == [("172.18.0.2",)]
    assert inventory.caddy is not None and inventory.caddy.attachments[0].ipv4 == "172.18.0.9"


def test_a_network_that_came_later_counts_for_the_first_container_on_it(client: Client) -> None:
    engine = watched(client, EngineOptions())
    client.networks_now.clear()
    names(engine)
    client.networks_now.append("front")
    event(engine, "create", "n", "network")
    client.put("a")
    for action in ("create", "start"):
        event(engine, action, "a")
    assert [resource.targets for resource in engine.inventory().resources] == [("172.18.0.2",)]


def test_a_network_that_came_unheard_counts_when_everything_is_listed_anew(client: Client) -> None:
    engine = watched(client, EngineOptions())
    client.networks_now.clear()
    client.put("a")
    assert [resource.targets for resource in engine.inventory().resources] == [()]
    client.networks_now.append("front")
    engine.resync()
    assert [resource.targets for resource in engine.inventory().resources] == [("172.18.0.2",)]


def test_very_many_changes_at_once_are_listed_and_not_named_one_by_one(client: Client, engine: Engine) -> None:
    ids = [f"c{number}" for number in range(MAX_LISTED_BY_ID + 1)]
    for id in ids:
        client.put(id)
    assert len(names(engine)) == len(ids)
    lists, small = client.lists, client.small_lists
    for id in ids:
        event(engine, "update", id)
    assert len(names(engine)) == len(ids)
    assert (client.lists, client.small_lists) == (lists + 1, small)


def test_an_event_looks_at_its_own_container_only(client: Client, engine: Engine, monkeypatch) -> None:
    for id in "abc":
        client.put(id)
    names(engine)
    monkeypatch.setattr(type(engine._reflector.store), "resources", lambda *_: pytest.fail("looked at all of them"))
    event(engine, "start", "a")
    event(engine, "disconnect", "n", "network", container="b")


def test_an_engine_that_lists_its_containers_answers_though_another_call_fails(client: Client, engine: Engine) -> None:
    client.put("a")
    assert names(engine) == {"a"}
    client.failing.add("networks")
    client.put("b")
    for _ in range(2):
        engine.resync()
        # no error, from which on the engine would not answer
        inventory = engine.inventory()
        assert {each.name for each in inventory.resources} == {"a", "b"}
        assert [str(each) for each in inventory.problems] == [
            "engine local: its networks cannot be listed: 500 server error; the last known ones stay"
        ]
    client.failing.clear()
    engine.resync()
    assert engine.inventory().problems == ()

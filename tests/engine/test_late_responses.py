"""Responses that are older than an event, or than the response before them, undo nothing."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from attrs import define
from dockcaddy.engine.api.calls import Calls
from dockcaddy.engine.api.connection import Connection
from dockcaddy.engine.api.engine_api import EngineApi
from dockcaddy.engine.api.responses import Responses
from dockcaddy.engine.builder import InventoryBuilder
from dockcaddy.engine.problems import EngineProblems
from dockcaddy.engine.reach.own_container import OwnContainer
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.watch.event_handler import STORM, EventHandler
from dockcaddy.engine.watch.events import Event
from dockcaddy.engine.watch.inspector import Inspector
from dockcaddy.engine.watch.inspects import InspectQueue
from dockcaddy.engine.watch.rechecks import LATER, Rechecks
from dockcaddy.engine.watch.reflector import Reflector


def item(state: str, status: str = "Up") -> dict[str, Any]:
    return {
        "Id": "a",
        "Names": ["/a"],
        "Labels": {"caddy": "a.test"},
        "State": state,
        "Status": status,
        "Created": 1,
        "NetworkSettings": {"Networks": {"front": {"NetworkID": "n", "IPAddress": "172.18.0.2"}}},
    }


def inspect(health: str) -> dict[str, Any]:
    return {"Id": "a", "Config": {}, "State": {"Health": {"Status": health}}, "Mounts": []}


def responses() -> Responses:
    return Responses(InventoryBuilder("local", EngineOptions()))


def state(made: Responses) -> object:
    return (made.builder.containers.item("a") or {}).get("State")


def test_a_look_that_is_older_than_the_list_before_it() -> None:
    made = responses()
    made.expect("a", 0.0).state = "running"
    listed, looked = made.begin(), made.begin()
    made.take_list(listed, [item("running")])
    following = made.take_look(looked, ["a"], [item("created")])
    assert state(made) == "running" and "a" in following.again


def test_a_state_of_before_two_events_and_then_the_one_between_them() -> None:
    made = responses()
    made.take_list(made.begin(), [item("running")])
    made.expect("a", 0.0).state = "paused"
    made.expect("a", 0.0).state = "running"
    assert not made.take_look(made.begin(), ["a"], [item("running")]).again
    assert "a" in made.take_look(made.begin(), ["a"], [item("paused")]).again
    assert state(made) == "running"
    # once the event is some seconds old, the engine is right
    made.expire(10.0)
    assert not made.take_look(made.begin(), ["a"], [item("paused")]).again
    assert state(made) == "paused"


def test_an_inspect_that_is_older_than_the_list_before_it() -> None:
    made = responses()
    made.take_list(made.begin(), [item("running", "Up (health: starting)")])
    made.expect("a", 0.0).health = "healthy"
    made.take_look(made.begin(), ["a"], [item("running", "Up (healthy)")])
    made.take_inspect("a", inspect("starting"))
    assert [each.health for each in made.builder.containers.resources(0.0)] == ["healthy"]


def test_a_look_that_comes_earlier_does_not_replace_one_that_an_event_needs() -> None:
    rechecks = Rechecks()
    rechecks.containers["a"] = 0.005
    rechecks.look("a", 0.0)
    ids: dict[str, None] = {}
    rechecks.move(0.1, ids, set())
    assert list(rechecks.times) == [LATER] and list(ids) == ["a"]
    # a list shows the second one of two updates later
    rechecks.look("a", 0.4)
    assert list(rechecks.times) == [0.4 + LATER]


def test_a_list_is_not_too_early_for_the_last_event() -> None:
    rechecks = Rechecks()
    rechecks.list_again(0.0)
    rechecks.list_again(0.04)
    assert min(rechecks.times) > 0.05


def test_an_inspect_is_not_too_early_for_the_last_event() -> None:
    queue = InspectQueue()
    queue.again("a", 0.1)
    queue.again("a", 0.2)
    assert queue.next_due() == 0.2
    queue.failed("b", 0.0)
    queue.again("b", 0.1)
    assert queue.next_due() == 0.2


def test_what_was_expected_before_a_storm_is_outdated() -> None:
    made = responses()
    made.take_list(made.begin(), [item("running")])
    made.expect("a", 0.0).state = "exited"
    earlier = made.begin()
    made.expect_nothing("a")
    # one that began before the end of the storm says nothing of it
    assert made.take_look(earlier, ["a"], [item("exited")]).now == ["a"]
    assert not made.take_look(made.begin(), ["a"], [item("running")]).again
    assert state(made) == "running"


@define
class NoWork:
    """Nothing is ever called: responses are taken by the test."""

    def perform(self, ask: Callable[[], Any], done: Callable[[Any], None]) -> None:
        pass

    def go_on(self, name: str, loop: Callable[[], None]) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("before", "within", "last"),
    [("die", "start", "running"), ("start", "die", "exited"), ("pause", "unpause", "running")],
)
def test_after_a_storm_the_next_list_counts(before: str, within: str, last: str) -> None:
    connection, builder = Connection(), InventoryBuilder("local", EngineOptions())
    reflector = Reflector(connection, builder, OwnContainer(connection), lambda: 0.0, lambda **_: None, work=NoWork())
    made = reflector._responses
    handler = EventHandler(reflector, lambda **_: None, lambda: None)
    made.take_list(made.begin(), [item("running")])
    assert not handler.handle([Event("container", before, "a", {})])
    assert handler.handle([Event("container", "oom", "a", {})] * STORM + [Event("container", within, "a", {})])
    assert last == "running" or state(made) == last
    following = made.take_list(made.begin(), [item(last)])
    assert state(made) == last and not following.again


def test_an_inspect_that_is_queued_again_meanwhile_stays_queued() -> None:
    queue = InspectQueue()
    queue.want(["a"])
    assert queue.next(0, 0) == "a"
    queue.again("a", 0.1)
    queue.succeeded("a")
    queue.retry(0.2)
    assert queue.next(0, 0) == "a"


def test_with_podman_health_is_inspected_with_each_list_and_not_with_each_pass() -> None:
    made, options = responses(), EngineOptions()
    api = EngineApi(Connection(is_podman=True), options)
    calls = Calls(lambda: 0.0, threading.Condition(), lambda: None)
    store = made.builder.containers
    inspector = Inspector(store, api, calls, made, EngineProblems("local"), lambda: 0.0)
    made.take_list(made.begin(), [item("running")])
    inspector.want_all()
    assert inspector.queue.next(0, 0) == "a"
    made.take_inspect("a", inspect("starting"))
    inspector.want_all()
    assert inspector.queue.is_empty
    inspector.want_checked()
    assert inspector.queue.next(0, 0) == "a"

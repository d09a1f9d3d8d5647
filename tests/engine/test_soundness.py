"""A container with values that no engine should send: it is left out, or stays as it was, and costs nobody else anything."""

from typing import Any

import pytest
from dockcaddy.engine import Connection, Engine
from dockcaddy.engine.builder import InventoryBuilder
from dockcaddy.engine.records import soundness
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.snapshot import from_snapshot

ITEMS: list[dict[str, Any]] = [
    {"Names": [None]},
    {"Names": 5},
    {"Labels": ["caddy"]},
    {"Created": "yesterday"},
    {"Ports": [None]},
    {"Ports": {"80": None}},
    {"Mounts": [None]},
    {"Mounts": ["/data"]},
    {"Health": "healthy"},
    {"HostConfig": "host"},
    {"NetworkSettings": {"Networks": ["front"]}},
    {"NetworkSettings": {"Networks": {"front": "172.18.0.2"}}},
]
INSPECTS: list[dict[str, Any]] = [
    {"State": {"Health": "healthy"}},
    {"Config": {"Env": [None]}},
    {"Config": {"Healthcheck": {"Test": "curl"}}},
    {"Config": {"StopTimeout": "10"}},
    {"Mounts": [None]},
    {"HostConfig": []},
]


def item(name: str, **more: Any) -> dict[str, Any]:
    return {
        "Id": name * 8,
        "Names": [f"/{name}"],
        "Labels": {"caddy": f"{name}.test"},
        "State": "running",
        "Created": 1,
    } | more


def test_what_a_list_repeats_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = list[Any]()

    def oddity(value: object, expected: Any, name: str) -> str:
        looked.append(value)
        return ""

    builder = InventoryBuilder("local", EngineOptions())
    builder.containers.replace_all(builder.sound([item("a", Status="Up 2 minutes"), item("b", Status="Up 5 minutes")]))
    monkeypatch.setattr(soundness, "oddity", oddity)
    again = [item("a", Status="Up 3 minutes"), item("b", Status="Up 6 minutes", Names=["/other"])]
    assert builder.sound(again) == again
    assert looked == again[1:]


class Client:
    def __init__(self, *items: dict[str, Any], inspect: dict[str, Any] | None = None) -> None:
        self.items, self.inspect = list(items), inspect or {}

    def containers(self, all: bool = False, filters: Any = None) -> list[dict[str, Any]]:
        return self.items

    def networks(self) -> list[dict[str, Any]]:
        return []

    def inspect_container(self, id: str) -> dict[str, Any]:
        return self.inspect if id == "b" * 8 else {}


def engine(client: Client) -> Engine:
    made = Engine(Connection("unix:///nowhere.sock", client=client), EngineOptions())
    made._reflector.own.take(None)
    return made


@pytest.mark.parametrize("odd", ITEMS, ids=str)
def test_one_that_is_odd_is_left_out_and_named(odd: dict[str, Any]) -> None:
    items = [item("a"), item("b", **odd), item("c")]
    live = engine(Client(*items)).inventory()
    recorded = from_snapshot({"version": 1, "engines": [{"containers": items}]}, EngineOptions()).engines[0]
    for made in (live, recorded):
        assert {each.name for each in made.resources} == {"a", "c"}
        (problem,) = made.problems
        named = "container b" if "Names" not in odd else "container bbbbbbbb"
        assert str(problem).startswith(f'{named}: the engine lists it with an unexpected value of "')
        assert str(problem).endswith("it is left out")


@pytest.mark.parametrize("odd", [None, "text", {}, {"Id": None}, {"Id": 5}], ids=str)
def test_even_what_is_no_container(odd: Any) -> None:
    builder = InventoryBuilder("local", EngineOptions())
    assert builder.sound([item("a"), odd]) == [item("a")]
    assert len(builder.odd.problems) == 1


def test_one_that_is_known_stays_as_it_was_until_it_is_sound_again() -> None:
    client = Client(item("a"), item("b"))
    watched = engine(client)
    assert len(watched.inventory().resources) == 2
    client.items = [item("a"), item("b", Ports=[None])]
    watched.resync()
    made = watched.inventory()
    assert len(made.resources) == 2 and str(made.problems[0]).endswith("it stays as it was")
    client.items = [item("a"), item("b")]
    watched.resync()
    assert watched.inventory().problems == ()


@pytest.mark.parametrize("odd", INSPECTS, ids=str)
def test_an_odd_inspect_leaves_out_only_itself(odd: dict[str, Any]) -> None:
    items = [item("a"), item("b")]
    made = engine(Client(*items, inspect=odd)).inventory()
    assert {each.name for each in made.resources} == {"a", "b"}
    assert str(made.problems[0]).startswith("container b: cannot be inspected: the engine's response has an unexpected")
    items[1]["Inspect"] = odd
    recorded = from_snapshot({"version": 1, "engines": [{"containers": items}]}, EngineOptions()).engines[0]
    assert {each.name for each in recorded.resources} == {"a", "b"}

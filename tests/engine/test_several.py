"""Several engines at sockets of this machine: all are heard at once, and one that hangs delays nobody."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import define, field
from dockcaddy.engine import Connection, Engine, EngineOptions, from_snapshot
from dockcaddy.engine.reach.neighbours import Neighbours, Reach
from dockcaddy.model import Inventory
from dockcaddy.reconcile.watch import EngineWatches
from dockcaddy.run.engines import engines_for
from dockcaddy.settings.table import Settings
from stand_in_engine import StandInEngine

Eventually = Callable[..., None]
SITE = {"caddy": "a.test", "caddy.reverse_proxy": "{{upstreams 80}}"}


@pytest.fixture
def stand_ins() -> Iterator[list[StandInEngine]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        StandInEngine(f"{folder}/a.sock") as first,
        StandInEngine(f"{folder}/b.sock") as second,
    ):
        first.add("one", SITE)
        second.add("two", SITE)
        yield [first, second]
        first.faults.clear()
        second.faults.clear()


@define(eq=False)
class Watched:
    """The engines as the loop watches them."""

    engines: list[Engine]
    now: float = 1000.0
    woken: int = 0
    watches: EngineWatches = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.watches = EngineWatches.of(self.engines, lambda: self.now)
        for each in self.engines:
            each.start(self.wake)

    def wake(self, *, urgent: bool = False) -> None:
        self.woken += 1

    def names(self) -> set[str]:
        found = self.watches.inventory(lambda: False)
        return {each.name for engine in (found or Inventory()).engines for each in engine.resources}

    def close(self) -> None:
        for each in self.engines:
            each.close()


def watched(stand_ins: list[StandInEngine]) -> Watched:
    settings = Settings(
        docker_sockets=tuple(f"unix://{each.path}" for each in stand_ins), docker_names=("first", "second")
    )
    return Watched(engines_for(settings))


def test_events_of_each_engine_are_heard_without_a_poll(stand_ins: list[StandInEngine], eventually: Eventually) -> None:
    all_of_them = watched(stand_ins)
    eventually(lambda: all_of_them.names() == {"one", "two"})
    stand_ins[1].add("late", SITE)
    eventually(lambda: all_of_them.names() == {"one", "two", "late"})
    stand_ins[0].add("later", SITE)
    stand_ins[1].remove("two")
    eventually(lambda: all_of_them.names() == {"one", "later", "late"})
    all_of_them.close()


@pytest.mark.parametrize("fault", ["hang", "error", "garbage"])
@pytest.mark.parametrize("broken", [0, 1])
def test_one_that_is_broken_from_the_start_holds_up_nobody(
    stand_ins: list[StandInEngine], eventually: Eventually, fault: str, broken: int
) -> None:
    stand_ins[broken].faults["all"] = fault
    all_of_them = watched(stand_ins)
    # the first pass has the others
    assert all_of_them.names() == {("two", "one")[broken]}
    stand_ins[1 - broken].add("late", SITE)
    eventually(lambda: "late" in all_of_them.names())
    stand_ins[broken].faults.clear()
    eventually(lambda: all_of_them.names() == {"one", "two", "late"}, 10_000)
    all_of_them.close()


def test_one_that_is_not_there_stops_nobody(tmp_path: Path, stand_ins: list[StandInEngine]) -> None:
    settings = Settings(docker_sockets=(f"unix://{tmp_path}/none.sock", f"unix://{stand_ins[1].path}"))
    all_of_them = Watched(engines_for(settings))
    assert all_of_them.names() == {"two"}
    all_of_them.close()


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_a_snapshot_knows_whose_addresses_count_more(stand_ins: list[StandInEngine], order: tuple[str, str]) -> None:
    near = Neighbours()
    for name in order:
        near.join(name, Reach())
    engines = [
        Engine(Connection(f"unix://{each.path}"), name=name, neighbours=near)
        for name, each in zip(("a", "b"), stand_ins, strict=True)
    ]
    for engine in engines:
        engine.inventory()
    live = Inventory.of([engine.inventory() for engine in engines])
    document = {"version": 1, "engines": [engine.snapshot() for engine in engines]}
    read = from_snapshot(document, EngineOptions())
    assert [each.name for each in live.engines] == ["a", "b"] and len(targets(live)) == 1
    assert [each.name for each in read.engines] == ["a", "b"] and targets(read) == targets(live)
    for engine in engines:
        engine.close()


def targets(inventory: Inventory) -> dict[str, tuple[str, ...]]:
    return {each.name: each.targets for engine in inventory.engines for each in engine.resources if each.targets}

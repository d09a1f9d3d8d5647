"""Several engines, of which one does not answer: nothing is lost for as long as the option says, and it is reported."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from adapting import as_json
from attrs import define, evolve, field
from clock import Clock
from dockcaddy.controller import NoServers
from dockcaddy.errors import EngineUnreachable
from dockcaddy.fragment import Fragment
from dockcaddy.model import EngineInventory, Resource
from dockcaddy.plugins.registry import Registry
from dockcaddy.quarantine import Quarantine
from dockcaddy.reconcile.delivery import Outputs
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.reconcile.reconciler import Reconciler
from dockcaddy.reconcile.watch import EngineWatches
from quarantining import quarantine_of


@define(eq=False)
class FakeEngine:
    name: str
    ids: tuple[str, ...] = ()
    down: bool = False
    kind: str = "container"
    made: dict[str, Resource] = field(factory=dict)

    def start(self, wake: Callable[[], None]) -> None:
        pass

    def inventory(self) -> EngineInventory:
        if self.down:
            raise EngineUnreachable("no answer")
        for id in self.ids:
            labels = {"caddy": f"{id}.test", "caddy.respond": "hello"}
            self.made.setdefault(id, Resource(self.kind, id, id, self.name, labels=labels, running=True))  # type: ignore[arg-type]
        return EngineInventory(self.name, tuple(self.made[id] for id in self.ids))

    def resync(self) -> None:
        pass

    def close(self) -> None:
        pass


@define(eq=False)
class World:
    clock: Clock
    engines: tuple[FakeEngine, ...]
    retention: float = 0.0
    quarantine: Quarantine | None = None
    file: LastGood | None = None
    reconciler: Reconciler = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """The program starts anew, with what it saved."""
        saved: Mapping[str, Fragment] = self.quarantine.last_good if self.quarantine else {}
        if self.file is not None:
            self.file.keep(b"{}", saved)
            saved = self.file.load().fragments
        self.quarantine = quarantine_of(as_json, self.clock)
        self.quarantine.remember(saved, b"{}")
        watches = EngineWatches.of(self.engines, self.clock, self.retention)
        self.reconciler = Reconciler(watches, Pipeline(Registry()), self.quarantine, Outputs([]), self.clock)

    @property
    def sites(self) -> set[str]:
        made = self.reconciler.configuration
        return {line.split(".")[0] for line in made.text.splitlines() if line.endswith(".test {")} if made else set()

    @property
    def text(self) -> str:
        """The Caddyfile."""
        made = self.reconciler.configuration
        return made.text if made else ""

    @property
    def problems(self) -> list[str]:
        return [str(each) for each in self.reconciler.problems if "does not answer" in str(each)]

    def turn(self, seconds: float = 1.0) -> set[str]:
        """Time passes, and something happens. Gives the sites."""
        self.clock.advance(seconds)
        self.reconciler.mailbox.wake()
        self.reconciler.step()
        return self.sites


@pytest.fixture
def world() -> World:
    return World(Clock(), (FakeEngine("a", ("one",)), FakeEngine("b", ("two",))))


def test_what_depends_on_another_engine_is_right_in_the_first_pass(world: World) -> None:
    asked: list[str] = []

    @define(eq=False)
    class Dependent(FakeEngine):
        def inventory(self) -> EngineInventory:
            asked.append(self.name)
            self.ids = ("right",) if "b" in asked else ("wrong",)
            return FakeEngine.inventory(self)

    @define(eq=False)
    class Other(FakeEngine):
        def inventory(self) -> EngineInventory:
            asked.append(self.name)
            return FakeEngine.inventory(self)

    world.engines = (Dependent("a"), Other("b", ("two",)))
    world.restart()
    assert world.turn() == {"right", "two"}
    assert asked == ["a", "b", "a", "b"]
    world.turn()
    assert asked == ["a", "b", "a", "b", "a", "b"]


def test_one_that_is_away_keeps_its_sites_and_the_others_are_heard(world: World) -> None:
    assert world.turn() == {"one", "two"} and not world.problems
    first, second = world.engines
    second.down, first.ids = True, ("one", "late")
    assert world.turn() == {"one", "late", "two"} and not world.problems
    assert world.turn(3600) == {"one", "late", "two"}
    (problem,) = world.problems
    assert problem.startswith("engine b: does not answer since 20")
    assert problem.endswith(" UTC, its containers and services stay as they were")
    second.down, second.ids = False, ("new",)
    assert world.turn() == {"one", "late", "new"} and not world.problems


def test_one_that_is_down_at_the_start_keeps_the_sites_of_the_last_run(world: World) -> None:
    world.turn()
    first, second = world.engines
    second.down = True
    world.restart()
    assert world.turn() == {"one", "two"}
    first.ids = ()
    assert world.turn(20) == {"two"}
    assert world.problems == ["engine b: does not answer since dockcaddy started, its last known sites stay"]
    world.restart()
    assert world.turn() == {"two"}
    second.down, second.ids = False, ()
    assert world.turn() == set()


def test_what_it_had_is_kept_for_a_settable_time(world: World) -> None:
    world.retention = 60.0
    world.restart()
    world.turn()
    world.engines[1].down = True
    assert world.turn() == {"one", "two"}
    assert world.turn(59) == {"one", "two"} and " stay as they were until 20" in world.problems[0]
    assert world.turn(2) == {"one"}
    assert "its sites were removed at 20" in world.problems[0]
    world.restart()
    world.engines[1].down = False
    assert world.turn() == {"one", "two"} and not world.problems


def test_the_sites_of_the_last_run_are_kept_for_that_time_too(world: World) -> None:
    world.turn()
    world.retention, world.engines[1].down = 60.0, True
    world.restart()
    assert world.turn() == {"one", "two"}
    assert world.turn(61) == {"one"} and "since dockcaddy started, its sites were removed" in world.problems[0]


def test_what_another_manager_of_the_swarm_lists_is_not_there_twice() -> None:
    world = World(Clock(), (FakeEngine("a", ("one",), kind="service"), FakeEngine("b", ("one",), kind="service")))
    world.turn()
    world.engines[0].down = True
    world.restart()
    assert world.turn() == {"one"}
    assert world.quarantine is not None and set(world.quarantine.last_good) == {"b/one"}


def test_that_time_ends_also_if_no_engine_has_answered_since_the_start(world: World) -> None:
    world.turn()
    world.retention = 60.0
    world.engines[0].down = world.engines[1].down = True
    world.restart()
    world.turn()
    assert world.reconciler.configuration is None
    assert world.turn(61) == set() and world.reconciler.configuration is not None
    assert [each.partition(", ")[2][:22] for each in world.problems] == ["its sites were removed"] * 2
    world.engines[0].down = False
    assert world.turn() == {"one"}


def test_without_that_time_it_does_not(world: World) -> None:
    world.turn()
    world.engines[0].down = world.engines[1].down = True
    world.restart()
    world.turn()
    world.turn(1e6)
    assert world.reconciler.configuration is None


class OthersServers(NoServers):
    """Servers that another controller has configured."""

    def may_have_more(self, remembered: bytes) -> bool:
        return True


def test_a_takeover_removes_nothing_of_an_engine_that_has_not_answered() -> None:
    clock = Clock()
    far = FakeEngine("far", ("b",), down=True)
    world = World(clock, (FakeEngine("local", ("a",)), far), retention=60.0)
    world.reconciler.servers = OthersServers()
    assert not world.reconciler.reconcile() and world.reconciler.configuration is None
    far.down = False
    clock.now += 5
    assert world.reconciler.reconcile()
    text = world.reconciler.configuration.text
    assert "a.test" in text and "b.test" in text


def test_a_takeover_waits_no_longer_than_the_retention() -> None:
    clock = Clock()
    world = World(clock, (FakeEngine("local", ("a",)), FakeEngine("far", ("b",), down=True)), retention=60.0)
    world.reconciler.servers = OthersServers()
    assert not world.reconciler.reconcile()
    clock.now += 61
    assert world.reconciler.reconcile() and "a.test" in world.reconciler.configuration.text


def proxied(name: str, engine: str, *, is_page: bool = False) -> Resource:
    """A container with a site, or one that has stopped and answers with a page."""
    labels = {"caddy": f"{name}.test", "caddy.reverse_proxy": "127.0.0.9:80"}
    state = "exited" if is_page else "running"
    return Resource(
        "container", name, name, engine, labels=labels, state=state, running=not is_page, shows_page=is_page
    )


@pytest.mark.parametrize("remembers_page", [False, True])
def test_of_a_page_and_a_site_that_runs_the_site_is_served_though_one_of_them_is_remembered(
    tmp_path: Path, remembers_page: bool
) -> None:
    near, far = FakeEngine("near", ("other",)), FakeEngine("far", ("shop",))
    far.made["shop"] = proxied("shop", "far", is_page=remembers_page)
    world = World(Clock(), (near, far), file=LastGood(tmp_path / "last-good.db"))
    world.turn()
    assert ("503" in world.text) == remembers_page
    far.down = True
    world.restart()
    near.ids = ("other", "shop2")
    near.made["shop2"] = evolve(proxied("shop", "near", is_page=not remembers_page), id="shop2")
    world.turn(30)
    assert "reverse_proxy" in world.text and "503" not in world.text
    assert not [each for each in world.reconciler.problems if each.severity == "error"]

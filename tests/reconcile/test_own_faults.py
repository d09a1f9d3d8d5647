"""An error that nobody foresaw costs a pass, or a resource, or an engine; never the program, nor what is served."""

import itertools
import logging
from collections.abc import Callable

import pytest
from attrs import define, field
from clock import Clock
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Resource
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.delivery import Delivery, Outputs
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.reconcile.reconciler import Reconciler
from dockcaddy.reconcile.watch import EngineWatches


@define(eq=False)
class FakeEngine:
    """Gives what it has, or raises what is put in `fault`."""

    name: str = "local"
    resources: list[Resource] = field(factory=list)
    fault: BaseException | None = None
    closed: bool = False
    wake: Callable[..., None] = lambda: None

    def start(self, wake: Callable[..., None]) -> None:
        self.wake = wake
        if self.fault is not None:
            raise self.fault

    def inventory(self) -> EngineInventory:
        if self.fault is not None:
            raise self.fault
        return EngineInventory(self.name, tuple(self.resources))

    def resync(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True
        if self.fault is not None:
            raise self.fault


@define(eq=False)
class FakeOutput:
    written: list[str] = field(factory=list)
    closed: bool = False
    fault: Exception | None = None

    def write(self, configuration: Configuration) -> None:
        self.written.append(configuration.text)

    def holds(self, configuration: Configuration) -> bool:
        if self.fault is not None:
            raise self.fault
        return True

    def close(self) -> None:
        self.closed = True


def site(name: str) -> Resource:
    labels = {"caddy": f"{name}.test", "caddy.respond": name}
    return Resource("container", name, name, labels=labels, running=True)


@define(eq=False)
class World:
    """A loop with two engines and two outputs."""

    clock: Clock = field(factory=Clock)
    engines: list[FakeEngine] = field(factory=lambda: [FakeEngine("one", [site("a")]), FakeEngine("two", [site("b")])])
    outputs: list[FakeOutput] = field(factory=lambda: [FakeOutput(), FakeOutput()])
    pipeline: Pipeline = field(factory=lambda: Pipeline(Registry()))
    reconciler: Reconciler = field(init=False)

    def __attrs_post_init__(self) -> None:
        deliveries = [Delivery(f"output-{place}", each, self.clock) for place, each in enumerate(self.outputs)]
        self.reconciler = Reconciler(
            EngineWatches.of(self.engines, self.clock), self.pipeline, None, Outputs(deliveries), self.clock
        )

    def turn(self, seconds: float = 0.2) -> None:
        self.clock.advance(seconds)
        self.reconciler.mailbox.wake()
        self.reconciler.step()


@pytest.fixture
def world(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(logging.getLogger("dockcaddy"), "propagate", True)
    caplog.set_level(logging.DEBUG, "dockcaddy")
    made = World()
    made.turn()
    assert "a.test" in made.outputs[0].written[-1] and "b.test" in made.outputs[0].written[-1]
    caplog.clear()
    return made


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_an_unexpected_error_costs_a_pass_and_is_told_as_our_fault(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("nobody foresaw this")

    world.engines[0].resources.append(site("c"))
    with monkeypatch.context() as faulty:
        faulty.setattr(Pipeline, "fragments", fails)
        world.turn()
    (told,) = errors(caplog)
    assert told.startswith("this is a bug in dockcaddy: KeyError: 'nobody foresaw this'; the last configuration stays")
    assert "Traceback" not in told
    assert any(record.exc_info for record in caplog.records if record.levelno == logging.DEBUG)
    assert len(world.outputs[0].written) == 1
    world.turn(2.0)
    assert "c.test" in world.outputs[0].written[-1]
    assert any("no longer: this is a bug" in record.getMessage() for record in caplog.records)


def test_it_is_tried_again_with_a_growing_pause_and_told_once(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def fails(*_: object) -> None:
        tried.append(world.clock.now)
        raise ValueError("again")

    monkeypatch.setattr(Pipeline, "fragments", fails)
    for _ in range(200):
        world.turn(1.0)
    pauses = [after - before for before, after in itertools.pairwise(tried)]
    assert pauses[:6] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    assert set(pauses[6:]) == {60.0}
    assert len(errors(caplog)) == 1


def test_the_loop_itself_goes_on_until_it_is_told_to_stop(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[None] = []

    def fails(*_: object) -> None:
        tried.append(None)
        if len(tried) == 3:
            world.reconciler.mailbox.stop()
        raise RuntimeError("again")

    def flying(clock: Clock) -> float:
        clock.advance(10)
        return clock.now

    monkeypatch.setattr(Pipeline, "fragments", fails)
    monkeypatch.setattr(Clock, "__call__", flying)
    world.reconciler.mailbox.wake()
    world.reconciler.run()
    assert len(tried) == 3
    assert all(output.closed for output in world.outputs) and all(engine.closed for engine in world.engines)


def test_a_resource_that_the_program_stumbles_over_costs_only_itself(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dockcaddy.compile import labels

    build = labels.build

    def stumbles(chosen: object, owner: str, **more: object) -> object:
        if "stone" in owner:
            raise IndexError("nobody foresaw this")
        return build(chosen, owner, **more)

    monkeypatch.setattr(labels, "build", stumbles)
    world.engines[0].resources += [site("stone"), site("c")]
    world.turn()
    assert "c.test" in world.outputs[0].written[-1] and "stone.test" not in world.outputs[0].written[-1]
    (told,) = errors(caplog)
    assert told.startswith("container stone: this is a bug in dockcaddy: IndexError: nobody foresaw this")


def test_an_engine_whose_answer_is_stumbled_over_costs_nobody_else(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.engines[0].fault = AttributeError("no such thing")
    world.engines[1].resources.append(site("c"))
    world.turn()
    assert all(f"{name}.test" in world.outputs[0].written[-1] for name in "abc")
    (told,) = errors(caplog)
    assert told.startswith("engine one: this is a bug in dockcaddy: AttributeError: no such thing")
    world.engines[0].fault = None
    world.engines[0].resources.append(site("d"))
    world.turn()
    assert "d.test" in world.outputs[0].written[-1]


def test_whatever_cannot_be_closed_everything_else_is(world: World) -> None:
    world.reconciler.mailbox.stop()
    for engine in world.engines:
        engine.fault = TypeError("stuck")
    world.reconciler.run()
    assert all(output.closed for output in world.outputs)


def test_an_output_that_cannot_say_what_it_holds_is_told_once_and_not_written_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.outputs[1].fault = TypeError("what do I hold?")
    for _ in range(10):
        world.clock.advance(3)
        world.reconciler.step()
    world.turn()
    assert len(world.outputs[1].written) == 1
    assert errors(caplog) == ["output output-1: this is a bug in dockcaddy: TypeError: what do I hold?"]

"""Calls to the engine that hang: real sockets that do not answer until they are released."""

import tempfile
import threading
from collections.abc import Callable, Iterator

import pytest
from attrs import define, field
from clock import Clock
from dockcaddy.engine import Connection, Engine, EngineOptions
from dockcaddy.errors import EngineUnreachable
from dockcaddy.model import EngineInventory, EngineSilent
from dockcaddy.settings.limits import ENGINE_CALL_TIMEOUT
from stand_in_engine import StandInEngine

Eventually = Callable[..., None]
LABELS = {"caddy": "x.test"}


@define(eq=False)
class Watched:
    """An engine that is listened to, and how often it woke the loop."""

    engine: Engine
    clock: Clock
    woken: threading.Semaphore = field(factory=lambda: threading.Semaphore(0))

    def targets(self) -> dict[str, tuple[str, ...]]:
        """What is sent traffic, by name."""
        return {each.name: each.targets for each in self.inventory().resources if each.running and not each.stopping}

    def inventory(self) -> EngineInventory:
        """As the loop takes it."""
        try:
            return self.engine.inventory()
        except EngineSilent as error:
            return error.known

    def answers(self) -> bool:
        """Whether nothing is wrong with the engine."""
        try:
            return bool(self.engine.inventory())
        except EngineUnreachable:
            return False

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and have everybody notice."""
        self.clock.advance(seconds)
        with self.engine._reflector.lock:
            self.engine._reflector.lock.notify_all()


@pytest.fixture
def stand_in() -> Iterator[StandInEngine]:
    with tempfile.TemporaryDirectory() as folder, StandInEngine(f"{folder}/engine.sock") as made:
        yield made
        made.faults.clear()


@pytest.fixture
def watched(stand_in: StandInEngine, eventually: Eventually) -> Iterator[Watched]:
    for name in "ab":
        stand_in.add(name, LABELS)
    clock = Clock()
    engine = Engine(Connection(f"unix://{stand_in.path}"), EngineOptions(), clock=clock)
    made = Watched(engine, clock)
    try:
        engine.start(lambda urgent=False: made.woken.release())
        eventually(lambda: stand_in.streams)
        eventually(lambda: set(made.targets()) == {"a", "b"})
        yield made
    finally:
        engine.close()


def address(stand_in: StandInEngine, name: str) -> tuple[str, ...]:
    return (stand_in.containers[name].address,)


@pytest.mark.parametrize("count", [1, 30])
def test_inspects_that_hang_delay_no_other_container(
    stand_in: StandInEngine, watched: Watched, eventually: Eventually, count: int
) -> None:
    for number in range(count):
        stand_in.faults[f"inspect hung-{number}"] = "hang"
        stand_in.add(f"hung-{number}", LABELS)
    eventually(lambda: watched.targets() and watched.engine._reflector._calls.of("inspect"))

    def c_is_there() -> bool:
        watched.pass_time(0.1)
        return watched.targets().get("c") == address(stand_in, "c")

    stand_in.add("c", LABELS)
    eventually(c_is_there)
    assert watched.clock.now < 1000 + ENGINE_CALL_TIMEOUT
    stand_in.faults.clear()
    eventually(lambda: len(watched.targets()) == count + 3)


def test_an_inspect_that_hangs_is_given_up_told_and_asked_again(
    stand_in: StandInEngine, watched: Watched, eventually: Eventually
) -> None:
    stand_in.faults["inspect c"] = "hang"
    stand_in.add("c", LABELS)
    eventually(lambda: watched.engine._reflector._calls.of("inspect"))
    watched.pass_time(ENGINE_CALL_TIMEOUT)
    problem = "container c: cannot be inspected: no answer within 10 s"
    eventually(lambda: problem in map(str, watched.inventory().problems))
    stand_in.faults.clear()
    watched.pass_time(1)
    eventually(lambda: "c" in watched.targets() and not watched.inventory().problems)


@pytest.mark.parametrize("call", ["inspect", "list", "small list", "networks"])
def test_an_address_that_is_lost_while_a_call_hangs_is_served_no_more(
    stand_in: StandInEngine, watched: Watched, eventually: Eventually, call: str
) -> None:
    stand_in.faults[call] = "hang"
    lost = stand_in.containers["a"].address
    stand_in.add("c", LABELS)
    stand_in.add_network("front")
    watched.engine.resync()
    assert watched.targets()["a"] == (lost,)
    stand_in.crash("a")
    eventually(lambda: "a" not in watched.targets())
    stand_in.create("d", LABELS).given = lost
    stand_in.start("d")
    stand_in.faults.clear()
    eventually(lambda: watched.targets().get("d") == (lost,) and "a" not in watched.targets())


def test_what_a_list_says_of_a_container_that_ended_meanwhile_does_not_count(
    stand_in: StandInEngine, watched: Watched, eventually: Eventually
) -> None:
    stand_in.delay = 0.2
    lists = stand_in.counts["list"]
    watched.engine.resync()
    asking = threading.Thread(target=watched.inventory)
    asking.start()
    eventually(lambda: watched.engine._reflector._calls.of("list"))
    stand_in.crash("a")
    stand_in.remove("b")
    asking.join()
    eventually(lambda: stand_in.counts["list"] > lists)
    eventually(lambda: watched.targets() == {})
    stand_in.delay = 0


def test_a_list_that_hangs_is_given_up_and_asked_again_on_another_connection(
    stand_in: StandInEngine, watched: Watched, eventually: Eventually
) -> None:
    before = watched.engine.connection.client()
    stand_in.faults["list"] = "hang"
    watched.engine.resync()
    assert set(watched.targets()) == {"a", "b"}
    eventually(lambda: "list" in stand_in.held)
    stand_in.held.clear()
    watched.pass_time(ENGINE_CALL_TIMEOUT)
    with pytest.raises(EngineUnreachable, match="no answer within 10 s"):
        watched.engine.inventory()
    eventually(lambda: "list" in stand_in.held)
    assert watched.engine.connection.client() is not before
    stand_in.faults.clear()
    eventually(watched.answers)


def test_what_happens_while_a_list_hangs_is_known_from_events(
    stand_in: StandInEngine, watched: Watched, eventually: Eventually
) -> None:
    stand_in.faults["list"] = "hang"
    watched.engine.resync()
    watched.inventory()
    stand_in.add("c", LABELS)
    stand_in.set_health("b", "unhealthy")
    stand_in.remove("a")
    eventually(lambda: set(watched.targets()) == {"b", "c"})


def test_an_engine_that_hangs_from_the_start_is_told(stand_in: StandInEngine, eventually: Eventually) -> None:
    stand_in.faults["all"] = "hang"
    clock = Clock()
    watched = Watched(Engine(Connection(f"unix://{stand_in.path}"), EngineOptions(), clock=clock), clock)
    failures: list[str] = []

    def ask() -> None:
        with pytest.raises(EngineUnreachable) as raised:
            watched.engine.inventory()
        failures.append(str(raised.value))

    asking = threading.Thread(target=ask)
    asking.start()
    eventually(lambda: stand_in.held)
    watched.pass_time(ENGINE_CALL_TIMEOUT)
    asking.join(5)
    assert "does not answer: no answer within 10 s" in failures[0]

"""Events come some milliseconds before the engine's lists show what they tell of; each is looked for until it shows."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from attrs import define
from dockcaddy.engine import Connection, Engine, EngineOptions
from dockcaddy.engine.watch.expectations import Expectation
from dockcaddy.model import Resource
from stand_in_engine import StandInEngine

Eventually = Callable[..., None]
LABELS = {"caddy": "x.test"}


@define(eq=False)
class Heard:
    """An engine that is listened to. Nothing is ever polled."""

    stand_in: StandInEngine
    engine: Engine
    wakes: int = 0

    def wake(self, *, urgent: bool = False) -> None:
        self.wakes += 1

    def of(self, name: str) -> Resource | None:
        return next((each for each in self.engine.inventory().resources if each.name == name), None)

    def targets(self, name: str) -> tuple[str, ...]:
        found = self.of(name)
        return found.targets if found is not None and not found.stopping else ()

    def address(self, name: str) -> tuple[str, ...]:
        return (self.stand_in.containers[name].address,)


@pytest.fixture(params=[0.0, 0.01, 0.3], ids=["at once", "as Docker", "under load"])
def heard(request: pytest.FixtureRequest, eventually: Eventually) -> Iterator[Heard]:
    with tempfile.TemporaryDirectory() as folder, StandInEngine(f"{folder}/engine.sock", lag=request.param) as stand_in:
        engine = Engine(Connection(f"unix://{stand_in.path}"), EngineOptions())
        made = Heard(stand_in, engine)
        engine.start(made.wake)
        with closing(engine):
            eventually(lambda: stand_in.streams)
            stand_in.add("a", LABELS)
            eventually(lambda: made.targets("a") == made.address("a"))
            yield made


def test_a_network_that_a_running_container_joins(heard: Heard, eventually: Eventually) -> None:
    heard.stand_in.add_network("front")
    heard.stand_in.join("a", "front", "127.77.0.1")
    # the loop is told when it shows
    wakes = heard.wakes
    eventually(lambda: heard.wakes > wakes or heard.targets("a") == ("127.77.0.1",))
    eventually(lambda: heard.targets("a") == ("127.77.0.1",))


def test_a_network_that_is_joined_and_a_pause_at_once(heard: Heard, eventually: Eventually) -> None:
    heard.stand_in.add_network("front")
    heard.stand_in.join("a", "front", "127.77.0.1")
    heard.stand_in.set_state("a", "paused", "pause")
    heard.stand_in.set_state("a", "running", "unpause")
    eventually(lambda: heard.targets("a") == ("127.77.0.1",))


def test_a_network_that_is_left_gives_its_address_back_at_once(heard: Heard, eventually: Eventually) -> None:
    heard.stand_in.add_network("front")
    heard.stand_in.join("a", "front", "127.77.0.1")
    eventually(lambda: heard.targets("a") == ("127.77.0.1",))
    heard.stand_in.part("a", "front")
    eventually(lambda: heard.targets("a") == heard.address("a"))
    # a list that does not know of it yet changes nothing
    heard.engine.resync()
    assert heard.targets("a") == heard.address("a")


def test_a_network_that_is_left_and_joined_again_gives_the_new_address_only(
    heard: Heard, eventually: Eventually
) -> None:
    heard.stand_in.add_network("front")
    heard.stand_in.join("a", "front", "127.77.0.1")
    eventually(lambda: heard.targets("a") == ("127.77.0.1",))
    heard.stand_in.part("a", "front")
    eventually(lambda: heard.targets("a") == heard.address("a"))
    heard.stand_in.join("a", "front", "127.77.0.2")
    seen = set()

    def is_new() -> bool:
        seen.add(heard.targets("a"))
        return heard.targets("a") == ("127.77.0.2",)

    eventually(is_new)
    assert seen <= {heard.address("a"), ("127.77.0.2",)}


def test_a_container_that_starts(heard: Heard, eventually: Eventually) -> None:
    heard.stand_in.add("b", LABELS)
    eventually(lambda: heard.targets("b") == heard.address("b"))


def test_a_container_that_dies_is_not_brought_back_by_a_list_that_does_not_know(
    heard: Heard, eventually: Eventually
) -> None:
    heard.stand_in.crash("a")
    eventually(lambda: heard.targets("a") == ())
    for _ in range(3):
        heard.engine.resync()
        assert heard.targets("a") == ()


def test_a_container_that_restarts_with_another_address(heard: Heard, eventually: Eventually) -> None:
    before = heard.address("a")
    heard.stand_in.crash("a")
    heard.stand_in.containers["a"].given = "127.99.0.9"
    heard.stand_in.start("a")
    eventually(lambda: heard.targets("a") == ("127.99.0.9",))
    assert before != ("127.99.0.9",)


def test_a_container_that_is_removed_stays_away(heard: Heard, eventually: Eventually) -> None:
    heard.stand_in.remove("a")
    eventually(lambda: heard.of("a") is None)
    heard.engine.resync()
    assert heard.of("a") is None


def test_health_that_changes(heard: Heard, eventually: Eventually) -> None:
    heard.stand_in.create("b", LABELS, health="starting")
    heard.stand_in.start("b")
    for health in ("healthy", "unhealthy", "healthy"):
        heard.stand_in.set_health("b", health)
        eventually(lambda health=health: (heard.of("b") or heard.of("a")).health == health)
        heard.engine.resync()
        assert (found := heard.of("b")) is not None and found.health == health


def test_a_container_that_is_paused_and_goes_on(heard: Heard, eventually: Eventually) -> None:
    for state, action in (("paused", "pause"), ("running", "unpause"), ("paused", "pause"), ("running", "unpause")):
        heard.stand_in.set_state("a", state, action)
        eventually(lambda state=state: (found := heard.of("a")) is not None and found.state == state)
        heard.engine.resync()
        assert (found := heard.of("a")) is not None and found.state == state


def test_a_container_that_is_renamed(heard: Heard, eventually: Eventually) -> None:
    heard.stand_in.rename("a", "new")
    eventually(lambda: heard.of("new") is not None)
    heard.engine.resync()
    assert heard.of("new") is not None and heard.of("a") is None


def test_a_list_from_within_a_rename_has_both_names() -> None:
    renamed = Expectation(name="new")
    both = {"Names": ["/old", "/other/alias", "/new"], "State": "running"}
    assert not renamed.is_shown_by(both)
    assert renamed.amended(both)["Names"] == ["/new", "/other/alias"]
    assert renamed.is_shown_by({**both, "Names": ["/other/alias", "/new"]})


def test_a_container_that_is_updated(heard: Heard, eventually: Eventually) -> None:
    container = heard.stand_in.containers["a"]
    container.labels = {"caddy": "other.test"}
    heard.stand_in.tell(container, "update")
    eventually(lambda: (found := heard.of("a")) is not None and found.labels["caddy"] == "other.test")


def test_what_is_announced_and_never_comes_is_not_looked_for_for_ever(heard: Heard, eventually: Eventually) -> None:
    heard.engine._reflector._responses.containers.forget()
    heard.stand_in.emit("network", "connect", "f" * 64, {"container": heard.stand_in.containers["a"].id})
    eventually(lambda: heard.engine._reflector._rechecks.containers)
    eventually(lambda: not heard.engine._reflector._rechecks.containers and not heard.engine._reflector._calls.open)
    assert heard.stand_in.counts["small list"] < 40

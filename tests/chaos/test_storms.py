"""A thousand events a second, and a hundred containers that start and crash all the time."""

import time
from collections.abc import Callable

import pytest
from stand_in_engine import paced

Calm = Callable[[Callable[[], object]], None]
Eventually = Callable[..., None]

RATE = 1000.0
EVENTS = 1500
# minimum time between two changes, the setting's default
THROTTLE = 0.1
# the longest that a flapping container is held down
HELD = 10.0
HEALTH = ("healthy", "unhealthy")


# A busy machine may read so slowly at times that what came meanwhile counts as a storm, after each of which everything
# is listed once. What matters: it does not grow with the events.
STALLS = 5


def most_loads(seconds: float) -> int:
    """How many configurations may be sent in this time."""
    return int(seconds / THROTTLE) + 2


def test_a_storm_of_events_of_unlabelled_containers(town, calm: Calm) -> None:
    engine = town.engine
    crowd = [engine.add(f"foreign-{number}") for number in range(100)]
    actions = ("die", "start", "kill", "health_status: unhealthy", "exec_start: sh", "update", "pause", "unpause")
    loads, counts = town.proxy.loads, engine.counts.copy()
    with town.visitor("a", "b", "c") as visitor:
        paced(lambda number: engine.tell(crowd[number % 100], actions[number % len(actions)]), EVENTS, RATE)
        assert (town.proxy.loads, engine.counts["inspect"]) == (loads, counts["inspect"])
        town.add("late")
        calm(lambda: town.right("late"))
    assert not visitor.failures
    assert town.proxy.loads == loads + 1
    assert engine.counts["list"] <= counts["list"] + STALLS
    assert engine.counts["inspect"] <= town.lives


def test_a_storm_of_events_that_change_nothing(town, calm: Calm, eventually: Eventually) -> None:
    """No label looks at the health here."""
    engine = town.engine
    names = [town.add(f"ours-{number}").name for number in range(20)]
    eventually(lambda: town.right(*names))
    loads, counts = town.proxy.loads, engine.counts.copy()
    with town.visitor("a", "b", "c") as visitor:
        paced(lambda number: engine.set_health(names[number % 20], HEALTH[number // 20 % 2]), EVENTS, RATE)
        town.add("late")
        calm(lambda: town.right("late", *names))
    assert not visitor.failures
    assert town.proxy.loads == loads + 1
    assert engine.counts["list"] <= counts["list"] + STALLS
    assert engine.counts["inspect"] <= town.lives


def test_a_storm_of_updates(town, calm: Calm, eventually: Eventually) -> None:
    """What cannot change in a container's life is not asked for again."""
    engine = town.engine
    crowd = [town.add(f"ours-{number}") for number in range(20)]
    names = [each.name for each in crowd]
    eventually(lambda: town.right(*names))
    loads, counts = town.proxy.loads, engine.counts.copy()
    begun = time.monotonic()
    with town.visitor("a", "b", "c") as visitor:
        paced(lambda number: engine.tell(crowd[number % 20], "update"), EVENTS, RATE)
        town.add("late")
        calm(lambda: town.right("late", *names))
    lasted = time.monotonic() - begun
    assert not visitor.failures
    assert town.proxy.loads == loads + 1
    assert engine.counts["list"] <= counts["list"] + STALLS
    assert engine.counts["small list"] <= counts["small list"] + most_loads(lasted) + 3
    assert engine.counts["inspect"] <= town.lives


def test_what_the_engine_drops_in_a_storm_is_found_when_it_is_over(town, calm: Calm, eventually: Eventually) -> None:
    """Docker's engine forgets events for whoever reads them slowly, and there may be others that do."""
    engine = town.engine
    crowd = [town.add(f"ours-{number}") for number in range(20)]
    names = [each.name for each in crowd]
    eventually(lambda: town.right(*names))
    loads, counts = town.proxy.loads, engine.counts.copy()
    with town.visitor("a", "b") as visitor:
        for number in range(2 * EVENTS):
            engine.tell(crowd[number % 20], "start")
        engine.drops = True
        town.add("late")
        engine.remove("c")
        engine.drops = False
        calm(lambda: town.right("late", *names) and town.gone("c"))
    assert not visitor.failures
    assert town.proxy.loads == loads + 1
    assert counts["list"] < engine.counts["list"] <= counts["list"] + 1 + STALLS
    assert engine.counts["inspect"] <= town.lives


def test_a_storm_of_real_changes(town, calm: Calm, eventually: Eventually) -> None:
    """Pausing takes a container out, so that every event is a change; none falls so often that it is held down."""
    engine = town.engine
    names = [town.add(f"ours-{number}").name for number in range(250)]
    eventually(lambda: town.right(*names))
    loads, counts = town.proxy.loads, engine.counts.copy()

    def flip(number: int) -> None:
        state, action = (("paused", "pause"), ("running", "unpause"))[number // 250 % 2]
        engine.set_state(names[number % 250], state, action)

    begun = time.monotonic()
    with town.visitor("a", "b", "c") as visitor:
        paced(flip, 1000, RATE)
        calm(lambda: town.right(*names))
    assert not visitor.failures
    assert town.proxy.loads <= loads + most_loads(time.monotonic() - begun)
    assert engine.counts["list"] <= counts["list"] + STALLS
    assert engine.counts["inspect"] <= town.lives


@pytest.mark.parametrize("labelled", [False, True], ids=["unlabelled", "labelled"])
def test_a_hundred_containers_that_crash_all_the_time(town, calm: Calm, eventually: Eventually, labelled: bool) -> None:
    engine = town.engine
    lists = town.engine.counts["list"]
    names = [f"loop-{number}" for number in range(100)]
    for name in names:
        town.add(name) if labelled else engine.add(name)
    if labelled:
        eventually(lambda: town.right(*names))
    loads = town.proxy.loads

    def crash_or_start(number: int) -> None:
        name = names[number % 100]
        engine.crash(name) if number // 100 % 2 == 0 else engine.start(name)

    begun = time.monotonic()
    with town.visitor("a", "b", "c") as visitor:
        paced(crash_or_start, 800, 400)
        if labelled:
            # what fell again and again has to stay up for a while before it counts
            eventually(lambda: town.right(*names), looks=3_000)
    assert not visitor.failures
    assert town.proxy.loads <= loads + (most_loads(time.monotonic() - begun) if labelled else 0)
    # once more when a storm is over, as a real engine drops events: that they came may be one, that they crash is
    assert engine.counts["list"] <= lists + 2 * labelled + STALLS
    assert engine.counts["inspect"] <= town.lives
    town.add("late")
    calm(lambda: town.right("a", "b", "c", "late"))


def test_a_hundred_containers_come_and_go_at_once(town, calm: Calm, eventually: Eventually) -> None:
    engine = town.engine
    loads = town.proxy.loads
    begun = time.monotonic()
    with town.visitor("a", "b", "c") as visitor:
        names = [town.add(f"new-{number}").name for number in range(100)]
        calm(lambda: town.right(*names))
        added = time.monotonic() - begun
        assert engine.counts["inspect"] <= town.lives
        for name in names[10:]:
            engine.remove(name)
        calm(lambda: town.right(*names[:10]) and all(town.gone(name) for name in names[10:]))
    assert not visitor.failures
    assert engine.counts["inspect"] <= town.lives
    assert town.proxy.loads <= loads + most_loads(added) + most_loads(time.monotonic() - begun - added)

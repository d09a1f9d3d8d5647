"""Resources that come and go."""

from attrs import evolve
from dockcaddy.model import EngineInventory, Inventory, Resource
from dockcaddy.reconcile.flapping import CRASH_LOOP, Flapping

WEB = Resource("container", "w", "web", running=True)
DB = Resource("container", "d", "db", running=True)


def inventory(*resources: Resource) -> Inventory:
    return Inventory((EngineInventory("local", resources),))


def names(given: Inventory) -> list[str]:
    return [resource.name for resource in given.engines[0].resources]


def loop(flapping: Flapping, times: int, now: float = 0.0, lives: float = 0.1) -> list[tuple[bool, float]]:
    """A container that starts, lives for a moment, ends and starts again; whether each life was let through."""
    seen = []
    for _ in range(times):
        seen.append(("web" in names(flapping.apply(inventory(evolve(WEB), DB), now)), now))
        now += lives
        flapping.apply(inventory(DB), now)
        now += lives
    return seen


def test_what_is_steady_is_given_as_it_is() -> None:
    flapping = Flapping()
    given = inventory(WEB, DB)
    assert all(flapping.apply(given, now) is given for now in range(100))
    assert flapping.due is None


def test_a_first_and_a_second_restart_are_not_held() -> None:
    assert [through for through, _ in loop(Flapping(), 3)] == [True, True, True]


def test_a_crash_loop_is_held_from_its_third_fall_on() -> None:
    assert [through for through, _ in loop(Flapping(), 3000)].count(True) == 3
    assert [through for through, _ in loop(Flapping(), 3000, lives=1.0)].count(True) < 10


def test_one_that_lives_for_ten_seconds_is_always_let_through() -> None:
    assert all(through for through, _ in loop(Flapping(), 100, lives=10.0))


def test_the_longer_it_flaps_the_longer_it_has_to_stay() -> None:
    flapping, now, pauses = Flapping(), 0.0, []
    for _ in range(9):
        flapping.apply(inventory(evolve(WEB)), now)
        pauses.append((flapping.due or now) - now)
        flapping.apply(inventory(), now + 2)
        now += 3
    assert pauses == [0, 0, 0, 0.25, 0.5, 1, 1.5, 1.5, 1.5]


def test_a_held_one_is_let_through_when_its_time_has_come() -> None:
    flapping = Flapping()
    loop(flapping, 4)
    given = inventory(WEB, DB)
    assert names(flapping.apply(given, 1.0)) == ["db"]
    assert flapping.due == 1.5
    assert names(flapping.apply(given, flapping.due)) == ["web", "db"]
    assert flapping.due is None


def test_what_was_long_up_starts_anew() -> None:
    flapping = Flapping()
    loop(flapping, 5)
    flapping.apply(inventory(WEB), 200.0)
    flapping.apply(inventory(), 400.0)
    assert names(flapping.apply(inventory(evolve(WEB)), 400.1)) == ["web"]


def test_a_flapping_health_is_held_unhealthy() -> None:
    flapping = Flapping()
    well, ill = evolve(WEB, health="healthy"), evolve(WEB, health="unhealthy")
    given = ill
    for at in range(12):
        given = flapping.apply(inventory(evolve(well if at % 2 else ill)), float(at)).engines[0].resources[0]
    assert given.health == "unhealthy"


def test_others_are_not_touched() -> None:
    flapping = Flapping()
    loop(flapping, 6)
    assert flapping.apply(inventory(WEB, DB), 2.0).engines[0].resources == (DB,)


def problems(given: Inventory) -> list[str]:
    return [str(problem) for problem in given.engines[0].problems]


def test_a_crash_loop_is_named_until_the_container_stays_up_or_goes() -> None:
    flapping, now = Flapping(), 0.0
    down = evolve(WEB, state="restarting", running=False)
    told = []
    for _ in range(4):
        assert not problems(flapping.apply(inventory(evolve(WEB), DB), now)) or told[-1]
        told.append(problems(flapping.apply(inventory(down, DB), now + 1)))
        now += 2
    warning = f"container web: {CRASH_LOOP}"
    assert told == [[], [], [warning], [warning]]
    up = inventory(evolve(WEB), DB)
    assert problems(flapping.apply(up, now)) == [warning]
    assert flapping.due == now + 0.5
    assert problems(flapping.apply(up, now + 5)) == [warning]
    assert flapping.due == now + 10
    assert flapping.apply(up, now + 10) is up and flapping.due is None


def test_a_crash_loop_that_somebody_ends_is_over_at_once() -> None:
    flapping = Flapping()
    for now in range(4):
        flapping.apply(inventory(evolve(WEB)), now)
        given = flapping.apply(inventory(evolve(WEB, state="restarting", running=False)), now + 0.5)
    assert problems(given) == [f"container web: {CRASH_LOOP}"]
    assert problems(flapping.apply(inventory(), 5.0)) == [] and flapping.due is None


def test_what_somebody_stops_and_starts_again_and_again_is_no_crash_loop() -> None:
    flapping = Flapping()
    for now in range(9):
        assert problems(flapping.apply(inventory(evolve(WEB)), now)) == []
        assert problems(flapping.apply(inventory(), now + 0.5)) == []

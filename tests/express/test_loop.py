"""The loop with a clock that only moves when told: when new sites become part of the configuration, and what if they cannot."""

from pathlib import Path

import pytest
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.settings import limits
from express_world import ExpressWorld as World


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.put("first")
    made.turn()
    return made


def test_turned_off_the_folder_goes_once_caddy_does_without_it(world: World) -> None:
    world.put("second")
    world.turn()
    assert set(world.found) == {"second.test"}
    # it still looks there
    world.caddy.looks = lambda: None if set(world.found) == {"second.test"} else pytest.fail("too early")
    world.start(is_on=False)
    world.put("third")
    world.turn()
    assert world.has("second") and world.has("third") and not (world.folder / "sites").exists()


def test_when_none_was_added_for_a_while_all_of_them_become_part_of_the_configuration(world: World) -> None:
    world.put("second")
    world.turn()
    world.pass_by(limits.EXPRESS_CALM / 2)
    world.put("third")
    world.turn()
    world.pass_by(limits.EXPRESS_CALM - 5)
    assert len(world.caddy.loads) == 1
    assert set(world.found) == {"second.test", "third.test"}
    world.pass_by(6)
    assert len(world.caddy.loads) == 2 and world.has("second") and world.has("third")
    assert set(world.found) == {"second.test", "third.test"}
    world.pass_by(limits.EXPRESS_KEPT)
    assert not world.found
    world.pass_by(1000)
    assert len(world.caddy.loads) == 2


def test_nothing_is_due_when_all_is_done(world: World) -> None:
    world.put("second")
    world.turn()
    world.pass_by(limits.EXPRESS_CALM + limits.EXPRESS_KEPT + 1)
    assert not list(world.reconciler.express.retries())


def test_one_that_caddy_refuses_then_is_left_out_and_reported(world: World) -> None:
    world.put("second")
    world.put("third")
    world.turn()
    world.caddy.refuses = "second.test"
    world.pass_by(limits.EXPRESS_CALM + 1)
    assert world.has("third") and not world.has("second")
    assert "second.test" not in world.found
    assert any("container second" in each and "no" in each for each in world.problems)


def test_one_that_caddy_refuses_with_the_next_load_is_left_out_and_the_others_are_live(world: World) -> None:
    world.put("second")
    world.turn()
    world.caddy.refuses = "second.test"
    world.put("other", **{"caddy.respond": "hi"})
    world.turn()
    assert world.has("other") and world.has("first") and not world.has("second")


def test_beside_a_container_that_caddy_refuses_to_load_it_is_loaded(world: World) -> None:
    world.caddy.refuses = "wrong.test"
    world.put("wrong", **{"caddy.respond": "hi"})
    world.put("second")
    world.turn()
    assert world.has("second") and not world.has("wrong")
    assert any("container wrong" in each for each in world.problems)


def test_beside_a_container_that_caddy_cannot_adapt_it_needs_no_load(world: World) -> None:
    world.put("wrong", **{"caddy.bogus": "hi"})
    world.put("second")
    world.turn()
    assert world.found == {"second.test": ["10.0.0.1:80"]} and len(world.caddy.loads) == 1
    assert any("container wrong" in each for each in world.problems)


def test_new_addresses_come_first_and_the_old_ones_stay_for_requests_that_look(world: World) -> None:
    world.put("second", "10.0.0.2:80")
    world.turn()
    world.put("second", "10.0.0.3:80 10.0.0.4:80")
    world.turn()
    assert world.found == {"second.test": ["10.0.0.3:80,10.0.0.4:80", "10.0.0.2:80"]}
    world.pass_by(limits.EXPRESS_KEPT + 1)
    assert world.found == {"second.test": ["10.0.0.3:80,10.0.0.4:80"]}
    assert len(world.caddy.loads) == 1


def test_one_that_is_gone_is_gone_from_the_folder(world: World) -> None:
    world.put("second")
    world.turn()
    del world.engine.resources["second"]
    world.turn()
    assert not world.found and len(world.caddy.loads) == 1


def test_what_is_left_of_one_that_has_moved_goes_before_its_site_changes(world: World) -> None:
    world.put("second", "10.0.0.2:80")
    world.turn()
    world.put("other", **{"caddy.respond": "hi"})
    world.turn()
    assert world.has("second") and world.found
    world.put("second", **{"caddy.abort": "another kind"})
    found: list[bool] = []
    world.caddy.looks = lambda: found.append(bool(world.found))
    world.turn()
    assert found == [False] and world.has("second") and len(world.caddy.loads) == 3


def test_a_site_of_the_configuration_that_changes_needs_no_load(world: World) -> None:
    world.put("first", "10.0.0.9:80")
    world.turn()
    assert world.found == {"first.test": ["10.0.0.9:80"]} and len(world.caddy.loads) == 1
    world.put("first")
    world.turn()
    # as it is in the configuration
    assert not world.found and len(world.caddy.loads) == 1


def test_one_of_the_configuration_that_ends_has_no_upstream_for_a_while_and_then_goes(world: World) -> None:
    world.put("second")
    world.turn()
    world.pass_by(limits.EXPRESS_CALM + limits.EXPRESS_KEPT + 1)
    assert world.has("second") and not world.found
    del world.engine.resources["second"]
    world.turn()
    assert [[each.count(":") for each in names] for names in _names(world)] == [[0]]
    world.pass_by(limits.EXPRESS_ENDED - 2)
    assert len(world.caddy.loads) == 2
    world.pass_by(3)
    assert len(world.caddy.loads) == 3 and not world.has("second") and not world.found


def _names(world: World) -> list[list[str]]:
    return [[each.name for each in host.iterdir()] for host in (world.folder / "sites").glob("*/*/")]


def test_a_container_that_takes_the_place_of_one_that_ended_needs_no_load(world: World) -> None:
    world.put("other", **{"caddy.respond": "hi"})
    world.turn()
    del world.engine.resources["first"]
    world.turn()
    world.pass_by(limits.EXPRESS_ENDED - 5)
    world.put("first", "10.0.0.7:80")
    world.turn()
    assert world.found["first.test"][0] == "10.0.0.7:80"
    world.pass_by(limits.EXPRESS_CALM - 5)
    assert len(world.caddy.loads) == 2


def test_a_caddy_that_lost_its_configuration_gets_it_and_the_others_are_still_found(world: World) -> None:
    world.put("second")
    world.turn()
    world.caddy.is_lost = True
    world.pass_by(3)
    assert len(world.caddy.loads) == 2
    assert world.has("second") or "second.test" in world.found


def test_after_a_restart_they_are_part_of_the_configuration(world: World) -> None:
    world.put("second")
    world.turn()
    world.start()
    world.turn()
    assert world.has("second") and "second.test" in world.found
    world.pass_by(limits.EXPRESS_KEPT)
    assert not world.found


def test_a_restart_removes_what_is_gone(world: World) -> None:
    world.put("second")
    world.turn()
    del world.engine.resources["second"]
    world.start()
    world.turn()
    assert not world.found and not world.has("second")


def test_what_an_earlier_run_left_is_put_right_before_a_load_has_caddy_find_it(world: World) -> None:
    world.put("second", "10.0.0.2:80")
    world.put("third", "10.0.0.3:80")
    world.turn()
    # while it was not running, another container got the address
    del world.engine.resources["third"]
    world.put("second", "10.0.0.4:80")
    found: list[dict[str, list[str]]] = []
    world.caddy.looks = lambda: found.append(world.found)
    world.start()
    world.turn()
    assert found == [{"second.test": ["10.0.0.4:80", "10.0.0.2:80"]}]
    world.pass_by(limits.EXPRESS_KEPT)
    assert world.has("second") and not world.found


def test_the_next_run_starts_with_what_caddy_has_and_finds_the_others(world: World) -> None:
    world.put("second")
    world.turn()
    kept = LastGood(world.folder / "last.db").load()
    assert kept.json == world.caddy.loads[-1] and not world.has("second")
    assert {each.owner for each in kept.fragments.values()} == {"container first", "container second"}


def test_too_many_of_them_are_a_load(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_EXPRESS_SITES", 2)
    for number in range(3):
        world.put(f"more-{number}")
        world.turn()
    assert len(world.caddy.loads) == 2 and world.has("more-2")


def test_a_folder_that_caddy_would_read_as_a_pattern_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a[b]*"
    folder.mkdir()
    world = World(folder)
    for name in ("first", "second"):
        world.put(name)
        world.turn()
    assert world.has("second") and len(world.caddy.loads) == 2
    assert any("cannot have '['" in each for each in world.problems)

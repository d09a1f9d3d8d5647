"""How much work one more express site is, counted: nothing is looked at one by one that stays as it was."""

from pathlib import Path

import pytest
from dockcaddy.narration import LogNarrator
from dockcaddy.quarantine.transforms import Transforms
from dockcaddy.status.keeper import StatusKeeper
from express_world import ExpressWorld
from work import lines_run

# of the whole pass, for each other site: 271 and 60 before tuples were compared as a whole
LINES_A_SITE = 3
# where one is left out
LINES_BESIDE_REFUSED = 10
# of one that finds nothing new: 3,200 when this was written
MOST_LINES = 5_000


def world_of(folder: Path, sites: int) -> ExpressWorld:
    """A loop at work for some time, with so many sites and an express one."""
    folder.mkdir(exist_ok=True)
    made = ExpressWorld(folder)
    made.reconciler.observer, made.reconciler.narrator = StatusKeeper(), LogNarrator()
    for number in range(sites):
        made.put(f"app-{number}", f"10.0.{number // 200}.{number % 200}:80")
    made.turn()
    made.put("first", "10.1.0.1:80")
    made.turn()
    assert made.found and len(made.caddy.loads) == 1
    return made


def test_no_json_is_made_of_what_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_of(tmp_path, 3)
    made: list[object] = []
    monkeypatch.setattr(Transforms, "encoded", lambda _, document: made.append(document))
    world.put("second", "10.1.0.2:80")
    world.turn()
    assert "second.test" in world.found and not made


def test_one_more_is_no_work_for_each_of_the_others(tmp_path: Path) -> None:
    lines = []
    for sites in (300, 900):
        world = world_of(tmp_path / str(sites), sites)
        world.put("second", "10.1.0.2:80")
        lines.append(lines_run(world.turn))
        assert "second.test" in world.found and len(world.caddy.loads) == 1
    assert (lines[1] - lines[0]) / 600 < LINES_A_SITE


def test_beside_one_that_caddy_refuses_it_is_little_work(tmp_path: Path) -> None:
    lines = []
    for sites in (300, 900):
        world = world_of(tmp_path / str(sites), sites)
        world.put("bad", "10.1.0.9:80", **{"caddy.bogus": "x"})
        world.turn()
        world.put("second", "10.1.0.2:80")
        lines.append(lines_run(world.turn))
        assert "second.test" in world.found and len(world.caddy.loads) == 1
    assert (lines[1] - lines[0]) / 600 < LINES_BESIDE_REFUSED


def test_a_pass_that_finds_nothing_new_is_little_work_at_any_number_of_sites(tmp_path: Path) -> None:
    lines = []
    for sites in (300, 900):
        world = world_of(tmp_path / str(sites), sites)
        world.turn()
        lines.append(lines_run(world.turn))
    assert (lines[1] - lines[0]) / 600 < LINES_A_SITE
    assert lines[1] < MOST_LINES

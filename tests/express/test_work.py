"""How much work one more express site is, counted: what grows with the number of all sites is left out or looked at once."""

from pathlib import Path

import pytest
from dockcaddy.quarantine.transforms import Transforms
from dockcaddy.status.keeper import StatusKeeper
from express_world import ExpressWorld
from work import lines_run

# of the whole pass, each one a simple comparison of what stays; 271 before they were counted
LINES_A_SITE = 70


def world_of(folder: Path, sites: int) -> ExpressWorld:
    """A loop at work for some time, with so many sites and an express one."""
    made = ExpressWorld(folder)
    made.reconciler.observer = StatusKeeper()
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


def test_one_more_is_little_work_for_each_of_the_others(tmp_path: Path) -> None:
    lines = []
    for sites in (100, 300):
        folder = tmp_path / str(sites)
        folder.mkdir()
        world = world_of(folder, sites)
        world.put("second", "10.1.0.2:80")
        lines.append(lines_run(world.turn))
        assert "second.test" in world.found and len(world.caddy.loads) == 1
    assert (lines[1] - lines[0]) / 200 < LINES_A_SITE

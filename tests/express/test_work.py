"""How much work one more express site is, counted: what grows with the number of all sites is left out or looked at once."""

from pathlib import Path

import pytest
from dockcaddy.quarantine.transforms import Transforms
from express_world import ExpressWorld


def world_of(folder: Path, sites: int) -> ExpressWorld:
    """A loop at work for some time, with so many sites and an express one."""
    made = ExpressWorld(folder)
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

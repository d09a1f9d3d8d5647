"""A world that hostile containers try to break, and how long they may try."""

from collections.abc import Iterator

import pytest
from world import World
from world_fixtures import world

__all__ = ["calm_again", "world"]


@pytest.fixture(autouse=True)
def calm_again(world: World) -> Iterator[None]:
    yield
    world.calm()

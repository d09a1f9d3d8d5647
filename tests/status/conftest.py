"""A world whose status is served."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dockcaddy import plugins
from dockcaddy.reconcile.pipeline import Pipeline
from judging_fixtures import court
from observed import Observed
from status_server import Served, served


@pytest.fixture
def world() -> Observed:
    """The loop with all bundled plugins."""
    made = Observed.make()
    made.reconciler.pipeline = Pipeline(plugins.load())
    return made


@pytest.fixture
def site(world: Observed, tmp_path: Path) -> Iterator[Served]:
    """The status, served at a socket."""
    with served(world.keeper, tmp_path) as made:
        yield made


__all__ = ["court"]

"""The command line on snapshots."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import dockcaddy
from snapshots import snapshot_of

__all__ = ["dockcaddy", "snapshot"]


@pytest.fixture
def snapshot(sandbox: Path) -> Callable[..., str]:
    """Writes a snapshot of containers given as name=labels; gives the file's name."""

    def write(**containers: dict[str, str]) -> str:
        named = {name.replace("_", "-"): labels for name, labels in containers.items()}
        (sandbox / "snapshot.json").write_text(json.dumps(snapshot_of(named)))
        return "snapshot.json"

    return write

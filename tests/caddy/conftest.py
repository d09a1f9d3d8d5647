"""A Caddy of ours that runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dockcaddy.caddy.process import CaddyProcess


@pytest.fixture
def process(caddy: str, tmp_path: Path) -> Iterator[CaddyProcess]:
    made = CaddyProcess(Path(caddy), f"unix/{tmp_path}/admin.sock", tmp_path / "state")
    try:
        made.start()
        yield made
    finally:
        made.stop()

"""Caddy is searched for garbage less often than Go's default, unless the environment says how often."""

from pathlib import Path

import pytest
from dockcaddy.caddy.process import CaddyProcess
from dockcaddy.settings import limits


@pytest.mark.parametrize(("given", "used"), [(None, str(limits.CADDY_GOGC)), ("75", "75")])
def test_the_environment_decides(
    caddy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None, used: str
) -> None:
    monkeypatch.delenv("GOGC", raising=False)
    if given is not None:
        monkeypatch.setenv("GOGC", given)
    process = CaddyProcess(Path(caddy), f"unix/{tmp_path}/admin.sock", tmp_path / "state")
    process.start()
    try:
        environment = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
        assert [each for each in environment if each.startswith(b"GOGC=")] == [f"GOGC={used}".encode()]
    finally:
        process.stop()

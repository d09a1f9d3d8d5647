"""Caddy may open as many files as this machine permits."""

import logging
import resource
from pathlib import Path

import pytest
from dockcaddy.caddy import open_files
from dockcaddy.caddy.process import CaddyProcess


class Limits:
    """The limits of a process: soft and hard."""

    def __init__(self, soft: int, hard: int, *, is_root: bool) -> None:
        self.now, self.is_root = (soft, hard), is_root

    def get(self, kind: int) -> tuple[int, int]:
        return self.now

    def set(self, kind: int, wanted: tuple[int, int]) -> None:
        if wanted[1] > self.now[1] and not self.is_root:
            raise ValueError("not allowed to raise maximum limit")
        self.now = wanted


@pytest.mark.parametrize(
    ("soft", "hard", "is_root", "allowed"),
    [(1024, 4096, False, 4096), (1024, 4096, True, 100_000), (200_000, 200_000, True, 200_000), (512, 512, False, 512)],
)
def test_the_limit_is_raised_as_far_as_it_can_be(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    soft: int,
    hard: int,
    is_root: bool,
    allowed: int,
) -> None:
    made = Limits(soft, hard, is_root=is_root)
    (tmp_path / "nr_open").write_text("100000\n")
    monkeypatch.setattr(open_files, "_MOST", tmp_path / "nr_open")
    monkeypatch.setattr(resource, "getrlimit", made.get)
    monkeypatch.setattr(resource, "setrlimit", made.set)
    with caplog.at_level(logging.WARNING):
        open_files.raise_limit()
    assert made.now[0] == allowed
    assert ("512 files only" in caplog.text) is (allowed == 512)


def test_caddy_has_the_raised_limit(caddy: str, tmp_path: Path) -> None:
    process = CaddyProcess(Path(caddy), f"unix/{tmp_path}/admin.sock", tmp_path / "state")
    process.start()
    try:
        lines = Path(f"/proc/{process.pid}/limits").read_text().splitlines()
        soft = next(int(line.split()[3]) for line in lines if line.startswith("Max open files"))
        assert soft == resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    finally:
        process.stop()

"""Folders for temporary files: they go, however their process ends, and sockets have room in their paths."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dockcaddy.caddy.limited import LimitedAdapter
from dockcaddy.files import TemporaryFolder

MAKE = """\
import sys
from dockcaddy.files import TemporaryFolder
with TemporaryFolder.made("x") as folder:
    (folder / "file").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def parent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture
def other(parent: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process, with a folder there."""
    with subprocess.Popen(
        [sys.executable, "-c", MAKE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(parent)},
    ) as process:
        yield process
        process.kill()


def test_it_goes_with_its_context(parent: Path) -> None:
    with TemporaryFolder.made("x") as folder:
        assert folder.parent == parent and folder.name.startswith("dockcaddy-x-")
        (folder / "deep").mkdir()
    assert not list(parent.iterdir())


@pytest.mark.process
def test_that_of_a_killed_process_goes_with_the_next_one(parent: Path, other: "subprocess.Popen[str]") -> None:
    assert other.stdout is not None
    left = Path(other.stdout.readline().strip())
    somebodys = parent / "dockcaddy-x-somebody"
    somebodys.mkdir()
    with TemporaryFolder.made("x"):
        assert (left / "file").exists(), "its process runs"
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert left.exists()
    with TemporaryFolder.made("y") as folder:
        assert sorted(parent.iterdir()) == sorted([folder, somebodys])


@pytest.mark.process
def test_a_long_path_of_temporary_files_leaves_room_for_sockets(
    caddy: str, parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = parent / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    adapter = LimitedAdapter(Path(caddy))
    try:
        assert b'"a.test"' in adapter.adapt("http://a.test {\n\trespond a\n}\n")
    finally:
        adapter.close()


def is_running(number: int) -> bool:
    """Whether the process has not ended."""
    try:
        os.kill(number, 0)
        return "Z" not in Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[:1]
    except OSError:
        return False


@pytest.mark.process
def test_a_killed_try_leaves_no_caddy(
    parent: Path, caddy: str, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    program, number = tmp_path / "caddy", tmp_path / "number"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *caddy.json) echo $$ > {number}; exec sleep 600;; esac\nexec {caddy} "$@"\n'
    )
    program.chmod(0o755)
    (tmp_path / "compose.yaml").write_text(
        "services:\n  a:\n    image: nginx\n    labels: {caddy: http://a.test, caddy.respond: a}\n"
    )
    command = [sys.executable, "-m", "dockcaddy", "try", "http://a.test", "--compose", str(tmp_path / "compose.yaml")]
    process = subprocess.Popen([*command, "--caddy", str(program)], env={**os.environ, "TMPDIR": str(parent)})
    eventually(lambda: number.exists() and number.read_text().strip())
    process.kill()
    process.wait()
    eventually(lambda: not is_running(int(number.read_text())))
    assert list(parent.glob("dockcaddy-try-*"))
    with TemporaryFolder.made("x") as folder:
        assert list(parent.glob("dockcaddy-*")) == [folder]

"""`docker exec CONTAINER dockcaddy check`: the options of the one that runs there count."""

from pathlib import Path

import pytest
from dockcaddy.cli.as_it_runs import taken_over

RUNNING = "/usr/bin/python3 /usr/local/bin/dockcaddy run --caddyfile-path /etc/Caddyfile --docker-sockets=a --process-caddyfile"


@pytest.fixture
def container(tmp_path: Path) -> tuple[Path, list[Path]]:
    """The processes of a container, and the sign that it is one."""
    (tmp_path / "proc" / "1").mkdir(parents=True)
    (tmp_path / "proc" / "1" / "cmdline").write_bytes(RUNNING.replace(" ", "\0").encode() + b"\0")
    (tmp_path / ".dockerenv").touch()
    return tmp_path / "proc", [tmp_path / ".dockerenv"]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ([], ["--caddyfile-path", "/etc/Caddyfile", "--docker-sockets=a", "--process-caddyfile=true"]),
        (["web", "--strict"], ["--caddyfile-path", "/etc/Caddyfile", "--docker-sockets=a", "--process-caddyfile=true"]),
        (["--caddyfile-path=x", "--docker-sockets", "b"], ["--process-caddyfile=true"]),
        (["--inventory", "snapshot.json"], []),
        (["--help"], []),
    ],
)
def test_explicit_options_win(container: tuple[Path, list[Path]], given: list[str], taken: list[str]) -> None:
    assert taken_over(given, *container) == taken


def test_on_a_host_nothing_is_taken_over(container: tuple[Path, list[Path]], tmp_path: Path) -> None:
    assert taken_over([], container[0], [tmp_path / "none"]) == []


def test_where_none_runs_there_is_nothing_to_take_over(container: tuple[Path, list[Path]], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert taken_over([], tmp_path / "empty", container[1]) == []

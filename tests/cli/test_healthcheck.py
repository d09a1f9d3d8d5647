"""`dockcaddy healthcheck`: whether the dockcaddy of a container runs, and its Caddy answers."""

from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy.cli import healthcheck
from dockcaddy.errors import CaddyUnreachable
from dockcaddy.run.running import main_arguments, running_arguments
from hanging import hanging
from proxy import start

Eventually = Callable[..., None]


def processes(folder: Path, *commands: str) -> Path:
    """A folder like /proc with processes of these command lines."""
    for number, command in enumerate(commands, 1):
        (folder / str(number)).mkdir(parents=True)
        (folder / str(number) / "cmdline").write_bytes(command.replace(" ", "\0").encode() + b"\0")
    (folder / "999").mkdir()
    (folder / "self").mkdir()
    return folder


@pytest.mark.parametrize(
    "command",
    [
        "/usr/bin/python3 /usr/local/bin/dockcaddy run --mode server",
        "/usr/bin/python3 -m dockcaddy run --mode server",
        "/usr/bin/python3 /usr/lib/python3/dockcaddy/__main__.py run --mode server",
    ],
)
def test_the_arguments_of_the_one_that_runs_count(tmp_path: Path, command: str) -> None:
    found = running_arguments(processes(tmp_path, "/sbin/docker-init -- x", command, "dockcaddy healthcheck"))
    assert found == ["--mode", "server"]


@pytest.mark.parametrize("init", ["docker-init", "podman-init", "tini-static"])
def test_the_main_program_may_be_started_by_an_init(tmp_path: Path, init: str) -> None:
    folder = processes(tmp_path, f"/dev/{init} -- x", "dockcaddy run --mode server", "sh", "dockcaddy run --mode other")
    (folder / "1/comm").write_text(f"{init}\n")
    for number, parent in ((2, 1), (3, 1), (4, 3)):
        (folder / str(number) / "stat").write_text(f"{number} (dockcaddy) S {parent} 1 1")
    assert main_arguments(folder) == ["--mode", "server"]


def test_the_environment_file_says_where_the_folders_are(
    dockcaddy: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/nowhere")
    monkeypatch.delenv("XDG_STATE_HOME")
    (tmp_path / "env").write_text(f"XDG_STATE_HOME={tmp_path}/elsewhere\n")
    result = dockcaddy("healthcheck", "--envfile", f"{tmp_path}/env", "--set", "admin=off")
    assert result.status == 1 and f"{tmp_path}/elsewhere" in result.err
    missing = dockcaddy("healthcheck", "--envfile", f"{tmp_path}/none")
    assert missing.status == 1 and f"--envfile {tmp_path}/none" in missing.err


def test_without_one_the_container_is_unhealthy(tmp_path: Path) -> None:
    with pytest.raises(CaddyUnreachable, match="no dockcaddy runs here"):
        running_arguments(processes(tmp_path, "sh -c dockcaddy", "/usr/local/bin/dockcaddy healthcheck"))


def test_it_exits_with_1_where_none_runs(dockcaddy: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(healthcheck, "running_arguments", lambda: running_arguments(processes(tmp_path, "sh")))
    result = dockcaddy("healthcheck")
    assert result.status == 1 and "no dockcaddy runs here" in result.err


@pytest.mark.process
def test_caddy_runs_hangs_and_is_gone(dockcaddy: Callable, tmp_path: Path, eventually: Eventually) -> None:
    proxy = start(tmp_path, 0, "--docker-sockets", f"unix://{tmp_path}/none.sock")
    options = ("healthcheck", "--state-directory", f"{tmp_path}/state", "--set", "admin=off")
    try:
        eventually(lambda: dockcaddy(*options).status == 0)
        assert dockcaddy(*options).out == f"dockcaddy runs, and caddy answers at {proxy.admin}\n"
        # the one that is asked for its version has ended then
        eventually(lambda: proxy.said(" with caddy") == 1)
        caddy = proxy.caddy
        with hanging(caddy):
            silent = dockcaddy(*options)
        assert (silent.status, silent.out) == (1, "")
        assert f"caddy at {proxy.admin} does not answer" in silent.err
    finally:
        proxy.leave_nothing()
    gone = dockcaddy(*options)
    assert (gone.status, gone.out) == (1, "")


@pytest.mark.process
def test_a_server_is_asked_where_its_controller_reaches_it(
    dockcaddy: Callable, tmp_path: Path, eventually: Eventually, free_port: Callable[[], int]
) -> None:
    options = ("--mode", "server", "--set", f"admin=127.0.0.1:{free_port()}")
    proxy = start(tmp_path, 0, *options)
    try:
        eventually(lambda: dockcaddy("healthcheck", *options).status == 0)
    finally:
        proxy.leave_nothing()
    assert dockcaddy("healthcheck", *options).status == 1


@pytest.mark.parametrize("options", [("--caddy-admin", "http://127.0.0.1:1"), ("--mode", "controller")])
def test_a_caddy_of_somebody_elses_is_not_ours_to_check(dockcaddy: Callable, options: tuple[str, ...]) -> None:
    result = dockcaddy("healthcheck", *options)
    assert (result.status, result.out) == (0, "dockcaddy runs\n")


def test_a_wrong_option_is_an_error(dockcaddy: Callable) -> None:
    assert dockcaddy("healthcheck", "--mode", "servr").status == 2

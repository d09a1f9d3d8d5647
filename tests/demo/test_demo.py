"""`dockcaddy demo`, run whole with the real Caddy: it works every time, and shows no failure that is not meant."""

import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

COMMAND = [sys.executable, "-m", "dockcaddy", "demo", "--pause", "0"]
BROKEN = 'function "upstraems" is'


def environment(sandbox: Path, more: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "HOME": str(sandbox), **more}


def played(sandbox: Path, *options: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, "--once", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=sandbox,
        env=environment(sandbox, more),
        timeout=120,
    )


def port_of(out: str) -> int:
    found = re.search(r"^Open http://hello\.localhost:(\d+)", out, re.MULTILINE)
    assert found, out
    return int(found[1])


def check(done: "subprocess.CompletedProcess[str]") -> None:
    """What every run of the tour has to show."""
    assert (done.returncode, done.stderr) == (0, "")
    out = done.stdout
    at = f"http://hello.localhost:{port_of(out)}"
    assert [f"[{number}/6]" in out for number in range(1, 7)] == [True] * 6
    answers = [line.partition(": ")[2] for line in out.splitlines() if " requests to " in line]
    assert answers == [
        "hello-1 3, hello-2 3",
        "hello-1 2, hello-2 2, hello-3 2",
        "hello-1 3, hello-3 3",
        "hello-1 3, hello-3 3",
        "shop-1 6",
        "hello-1 2, hello-2 2, hello-3 2",
    ]
    assert out.count("error:") == out.count(BROKEN) == 1
    assert "refused" not in out and "Empty caddyfile" not in out and at in out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "docker run" in out and "dockcaddy run" in out


def test_the_tour_shows_what_it_says(sandbox: Path) -> None:
    done = played(sandbox)
    check(done)
    assert "\033" not in done.stdout


def test_differences_are_whole_sites(sandbox: Path) -> None:
    shown, depth = played(sandbox).stdout.split("[2/6]")[1].split("[3/6]")[0].splitlines(), 0
    site = [line[4:] for line in shown if re.match(r"    [+ -] ", line)]
    assert site[0].endswith(".localhost:" + site[0].rpartition(":")[2]) and site[0].endswith("{")
    for line in (each for each in site if not each.startswith("-")):
        depth += line.count("{") - line.count("}")
        assert depth >= 0
    assert depth == 0


@pytest.mark.parametrize(
    "more",
    [
        {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"},
        {"DOCKCADDY_LABEL_PREFIX": "other", "CADDY_DOCKER_CADDYFILE_PATH": "/nowhere/Caddyfile"},
        {"DOCKER_HOST": "tcp://127.0.0.1:9", "CADDY_ADMIN": "127.0.0.1:9"},
        {"HOME": "/nowhere", "XDG_DATA_HOME": "/nowhere", "XDG_STATE_HOME": "/nowhere"},
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
    ],
    ids=lambda more: next(iter(more)),
)
def test_it_depends_on_nothing_of_the_machines(sandbox: Path, more: dict[str, str]) -> None:
    check(played(sandbox, **more))


def test_settings_of_a_file_do_not_spoil_it(sandbox: Path) -> None:
    (sandbox / "dockcaddy.toml").write_text('outputs = ["json=out.json"]\n[upstreams]\ndynamic = false\n')
    check(played(sandbox))
    assert not (sandbox / "out.json").exists()


def test_a_long_temporary_folder_is_no_obstacle(sandbox: Path) -> None:
    folder = sandbox / ("long" * 25)
    folder.mkdir()
    check(played(sandbox, TMPDIR=str(folder)))


def test_the_usual_port_being_taken_another_is_used(sandbox: Path) -> None:
    with socket.socket() as taken:
        # somebody else may have it: it is taken all the same
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8880))
            taken.listen()
        except OSError:
            pass
        done = played(sandbox)
    check(done)
    assert port_of(done.stdout) != 8880


def test_a_port_that_was_asked_for_and_is_taken_is_told_with_who_has_it(sandbox: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = played(sandbox, "--port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"--port {port}: address already in use" in done.stderr
    assert f"(pid {os.getpid()}) has it" in done.stderr


def test_on_a_terminal_it_has_colours_unless_they_are_not_wanted(sandbox: Path) -> None:
    for no_color, wanted in (("", True), ("1", False)):
        ours, theirs = pty.openpty()
        more = environment(sandbox, {"NO_COLOR": no_color, "TERM": "xterm"})
        process = subprocess.Popen([*COMMAND, "--once"], stdout=theirs, stderr=theirs, cwd=sandbox, env=more)
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:
            pass
        os.close(ours)
        assert process.wait(60) == 0
        assert (b"\033[32m+ " in shown, b"\033[31merror:" in shown) == (wanted, wanted)


def test_it_serves_on_until_it_is_interrupted_and_leaves_nothing(
    sandbox: Path, eventually: Callable[..., None]
) -> None:
    out = sandbox / "out"
    with out.open("w") as file:
        process = subprocess.Popen(
            COMMAND,
            stdout=file,
            stderr=file,
            cwd=sandbox,
            env=environment(sandbox, {"TMPDIR": str(sandbox), "PYTHONUNBUFFERED": "1"}),
        )
    try:
        eventually(lambda: "press ctrl-c" in out.read_text())
        with socket.create_connection(("127.0.0.1", port_of(out.read_text())), timeout=5) as visitor:
            visitor.sendall(b"GET / HTTP/1.0\r\nHost: hello.localhost\r\n\r\n")
            assert b"hello from hello-" in visitor.makefile("rb").read()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
    assert "Traceback" not in out.read_text()
    assert not list(sandbox.glob("dockcaddy-demo-*"))

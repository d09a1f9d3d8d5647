"""What only a process of its own shows: start-up, pipes, locales, signals."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dockcaddy
import pytest
import tomli

pytestmark = pytest.mark.process

COMMAND = [sys.executable, "-m", "dockcaddy"]


def run(*arguments: str, **more: object) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([*COMMAND, *arguments], capture_output=True, check=False, timeout=300, **more)


def test_the_version_is_told(sandbox: Path) -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"dockcaddy {dockcaddy.__version__}\n".encode())


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (("--version",), {"rich", "docker", "requests", "tomli", "dockcaddy.reconcile.pipeline"}),
        (("render", "--inventory", "snapshot.json"), {"rich", "docker", "requests", "caddy_api_client", "yaml"}),
        (("functions",), {"rich", "docker", "requests", "dockcaddy.reconcile.pipeline"}),
    ],
)
def test_a_command_imports_only_what_it_needs(
    sandbox: Path, snapshot: Callable, arguments: tuple[str, ...], heavy: set[str]
) -> None:
    snapshot(web={"caddy": "a.example.org", "caddy.respond": "x"})
    code = f"import sys\nsys.argv = ['dockcaddy', *{arguments!r}]\nfrom dockcaddy.cli import main\n"
    code += "try:\n    main()\nexcept SystemExit:\n    print(*sys.modules, file=sys.stderr)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "dockcaddy.cli" in done.stderr.split()
    assert not heavy & set(done.stderr.split())


# counts how often Python looks for reference cycles while the program runs
COUNTED = """
import atexit, gc, sys
from dockcaddy.cli import main
begun = []
gc.callbacks.append(lambda phase, _: begun.append(phase))
atexit.register(lambda: print(begun.count("start"), file=sys.stderr))
main()
"""


def test_many_containers_are_few_collections(sandbox: Path, snapshot: Callable) -> None:
    snapshot(**{f"app-{number}": {"caddy": f"{number}.example.org", "caddy.respond": "x"} for number in range(300)})
    command = [sys.executable, "-c", COUNTED, "render", "--raw", "--inventory", "snapshot.json"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert "299.example.org" in done.stdout
    # more than 100 with Python's own threshold
    assert int(done.stderr.splitlines()[-1]) < 30


def test_bytes_do_not_depend_on_the_locale(sandbox: Path, snapshot: Callable) -> None:
    path = snapshot(web={"caddy": "a.example.org", "caddy.respond": "grüße→"})
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = run("render", "--inventory", path, env=environment)
    assert done.stdout.decode() == "a.example.org {\n\trespond grüße→\n}\n"


def test_a_reader_that_leaves_is_no_error(sandbox: Path, snapshot: Callable) -> None:
    path = snapshot(web={"caddy": "a.example.org", "caddy.respond": "x" * 200_000})
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "render", "--inventory", path], stdout=writer, stderr=subprocess.PIPE, check=False, timeout=300
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_is_told(sandbox: Path, snapshot: Callable) -> None:
    path = snapshot(web={"caddy": "a.example.org", "caddy.respond": "x"})
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "render", "--inventory", path], stdout=full, stderr=subprocess.PIPE, check=False, timeout=300
        )
    told = b"error: standard output: cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (2, told)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_is_quiet(sandbox: Path, number: int, status: int) -> None:
    # a shell has the tests ignore it where they run in the background, and a process inherits that
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [*COMMAND, "render", "--inventory", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    signal.signal(signal.SIGINT, before)
    try:
        eventually_reading(process.pid)
        process.send_signal(number)
        out, err = process.communicate(timeout=300)
    finally:
        process.kill()
    assert (process.returncode, out, err.strip()) == (status, b"", b"")


# stands in for the package: ctrl-c comes while it is imported
IMPORTED = "import os, signal; os.kill(os.getpid(), signal.SIGINT); signal.pause()"


def test_an_interrupt_during_the_imports_is_quiet(sandbox: Path, project: Path) -> None:
    (sandbox / "dockcaddy").mkdir()
    (sandbox / "dockcaddy" / "__init__.py").write_text(IMPORTED)
    module, _, function = tomli.loads((project / "pyproject.toml").read_text())["project"]["scripts"][
        "dockcaddy"
    ].partition(":")
    # what pip writes as the script; a shell may have the tests ignore ctrl-c
    script = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\nfrom {module} import {function}\n{function}()"
    path = os.pathsep.join([str(sandbox), str(project / "core")])
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, capture_output=True, check=False, env={**os.environ, "PYTHONPATH": path}, timeout=300
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


def eventually_reading(pid: int) -> None:
    """Wait until the process waits for its standard input."""
    channel = Path(f"/proc/{pid}/wchan")
    for _ in range(5_000):
        if "pipe" in channel.read_text():
            break
        time.sleep(0.02)


@pytest.mark.engine
def test_a_snapshot_of_the_engine_renders_without_it(sandbox: Path) -> None:
    taken = run("snapshot")
    assert taken.returncode == 0, taken.stderr
    assert json.loads(taken.stdout)["version"] == 1
    rendered = run("render", "--inventory", "-", "--docker-sockets", "unix:///nowhere", input=taken.stdout)
    assert rendered.returncode == 0
    assert rendered.stdout


@pytest.mark.engine
def test_render_reads_the_engine(sandbox: Path) -> None:
    name = f"dockcaddy-cli-{os.getpid()}"
    labels = ["--label=clitest=cli.example.org", "--label=clitest.reverse_proxy={{upstreams 80}}"]
    subprocess.run(["docker", "run", "-d", "--name", name, *labels, "traefik/whoami"], check=True, capture_output=True)
    try:
        done = run("render", "--label-prefix", "clitest")
    finally:
        subprocess.run(["docker", "rm", "-f", name], check=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "cli.example.org {"
    assert lines[1].startswith("\treverse_proxy ") and lines[1].endswith(":80")

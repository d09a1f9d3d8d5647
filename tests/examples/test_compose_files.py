"""Every example file is valid, and those that start dockcaddy's image serve their sites."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from example_stack import EXAMPLES, Stack, run
from own_image import built_image
from ports import free_port
from real_engine import docker, logs

pytestmark = pytest.mark.engine

Until = Callable[..., None]
FILES = sorted([*EXAMPLES.glob("*.yaml"), *EXAMPLES.glob("*/compose.yaml")])


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.relative_to(EXAMPLES).as_posix())
def test_a_compose_file_is_valid(file: Path) -> None:
    run("docker", "compose", "-f", str(file), "config", "--quiet", cwd=file.parent)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[[str], Stack]]:
    """Starts an example with the image; it is gone at the end."""
    started: list[Stack] = []

    def start(name: str) -> Stack:
        # the names of networks are fixed in the files, so that users find them
        https = free_port()
        environment = {"DOCKCADDY_IMAGE": built_image(), "HTTP_PORT": str(free_port()), "HTTPS_PORT": str(https)}
        stack = Stack(f"dct-{name}-{os.getpid()}", EXAMPLES, https, tmp_path / "log", environment, (f"{name}.yaml",))
        started.append(stack)
        stack.compose("up", "-d")
        return stack

    yield start
    for stack in started:
        stack.compose("down", "-v", "--timeout", "1")


def test_standalone(up: Callable[[str], Stack], until: Until) -> None:
    stack = up("standalone")
    until(lambda: "Hostname: " in stack.get("whoami.example.com").body)
    until(lambda: "GET /x" in stack.get("whoami.example.com", "/echo/x").body)


def test_the_socket_proxy_lets_through_what_is_needed_and_nothing_else(
    up: Callable[[str], Stack], until: Until
) -> None:
    stack = up("socket-proxy")
    until(lambda: "Hostname: " in stack.get("whoami.example.com").body)
    log = logs(stack.container("caddy"))
    assert "403" not in log and "warning" not in log and "error" not in log
    call = (
        "import sys, urllib.request as r, urllib.error as e\n"
        "for line in sys.argv[1:]:\n"
        "    method, path = line.split(' ')\n"
        "    try:\n"
        "        print(r.urlopen(r.Request('http://socket-proxy:2375' + path, method=method)).status)\n"
        "    except e.HTTPError as error:\n"
        "        print(error.code)\n"
    )
    allowed = ("GET /_ping", "GET /v1.41/containers/json", "GET /networks")
    forbidden = (
        *(
            "POST /containers/create",
            "POST /v1.41/containers/json",
            "DELETE /containers/x",
            "GET /containers/x/archive",
        ),
        *("GET /images/json", "GET /secrets", "POST /networks/prune", "GET /containers/json/../../images/json"),
    )
    said = docker("exec", stack.container("caddy"), "python3", "-c", call, *allowed, *forbidden).split()
    assert said == ["200"] * len(allowed) + ["403"] * len(forbidden)

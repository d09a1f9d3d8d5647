"""A Compose project from its file to the running Caddy: what the commands say beforehand is what then happens."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.engine

PROJECT = """\
name: {name}
services:
  web:
    image: traefik/whoami
    environment: {{HOST: {name}.test}}
    labels:
      caddy: http://{{{{env "HOST"}}}}:{port}
      caddy.handle_path: /api/*
      caddy.handle_path.reverse_proxy: "{{{{upstreams 80}}}}"
      caddy.respond: hello
"""


@pytest.fixture
def name() -> str:
    return f"dc{uuid.uuid4().hex[:8]}"


@pytest.fixture
def compose(tmp_path: Path, name: str) -> Iterator[Callable[..., None]]:
    """Runs docker compose on the file."""

    def run(*arguments: str) -> None:
        command = ["docker", "compose", "--project-name", name, "--file", str(tmp_path / "compose.yaml"), *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=120)

    yield run
    run("down", "--timeout", "1")


@pytest.fixture
def command(tmp_path: Path, caddy: str) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a command of dockcaddy."""

    def call(*arguments: str) -> "subprocess.CompletedProcess[str]":
        words = [sys.executable, "-m", "dockcaddy", *arguments, "--caddy", caddy]
        more = ["--state-directory", str(tmp_path / "state"), "--config", os.devnull]
        return subprocess.run([*words, *more], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120)

    return call


def test_what_the_file_says_beforehand_is_what_happens(
    start_dockcaddy: Callable[..., Any],
    compose: Callable[..., None],
    command: Callable[..., "subprocess.CompletedProcess[str]"],
    eventually: Callable[..., None],
    tmp_path: Path,
    name: str,
) -> None:
    proxy = start_dockcaddy("--constraint", f"Label(`com.docker.compose.project`, `{name}`)")
    site, file = f"{name}.test", tmp_path / "compose.yaml"
    file.write_text(PROJECT.format(name=name, port=proxy.port))
    assert command("check", "compose.yaml").stdout == "compose.yaml: 1 container, 1 site, ok\n"
    tried = json.loads(command("try", f"http://{site}:{proxy.port}/api/x", "--compose", ".", "--json").stdout)
    assert tried["answer"] == f"reverse_proxy to {name}-web-1:80, which gets GET /x"
    eventually((tmp_path / "state" / "last-good.db").exists)
    before = command("diff", "--compose", "compose.yaml")
    assert before.returncode == 2 and before.stdout.startswith(f"added http://{site}:{proxy.port}")

    compose("up", "-d")
    eventually(lambda: proxy.body(site) == "hello" and "GET /x HTTP" in proxy.body(site, "/api/x"))
    after = command("diff", "--compose", "compose.yaml")
    assert (after.returncode, after.stdout) == (0, "no difference\n"), after.stderr

    file.write_text(file.read_text().replace("respond: hello", "respond: bye"))
    changed = command("diff", "--compose", "compose.yaml", "--json")
    (change,) = json.loads(changed.stdout)["changes"]
    assert changed.returncode == 2
    assert [line.split() for line in change["lines"] if line[0] in "+-"] == [
        ["-", "respond", "hello"],
        ["+", "respond", "bye"],
    ]
    assert change["resources"] == [f"container {name}-web-1"]
    compose("up", "-d")
    eventually(lambda: proxy.body(site) == "bye")
    assert command("diff", "--compose", "compose.yaml").returncode == 0

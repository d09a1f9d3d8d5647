"""Labels on real containers become a live Caddy that follows every change."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from real_engine import docker, hostname

pytestmark = pytest.mark.engine

Start = Callable[..., Any]
Eventually = Callable[..., None]


def test_a_container_with_labels_is_served(start_dockcaddy: Start, containers, eventually: Eventually) -> None:
    proxy = start_dockcaddy()
    containers.run("one", caddy=f"http://one.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
    eventually(lambda: hostname(proxy.body("one.test")) == "one")


def test_scaling_spreads_requests_and_a_stopped_one_gets_none(start_dockcaddy: Start, containers, eventually) -> None:
    proxy = start_dockcaddy()
    labels = {"caddy": f"http://scaled.test:{proxy.port}", "caddy__reverse_proxy": "{{upstreams 80}}"}

    def names(count: int) -> set[str]:
        return set(Counter(hostname(proxy.body("scaled.test")) for _ in range(count)))

    for name in ("a", "b", "c"):
        containers.run(name, **labels)
    eventually(lambda: names(40) == {"a", "b", "c"})
    docker("stop", "-t", "1", containers.names[1])
    eventually(lambda: names(40) == {"a", "c"}, looks=1_000)


def test_the_program_and_its_caddy_end_on_sigterm(start_dockcaddy: Start) -> None:
    proxy = start_dockcaddy()
    child = proxy.caddy
    assert proxy.end() == 0
    assert not Path(f"/proc/{child}").exists()


def test_after_a_kill_the_next_start_takes_over(start_dockcaddy: Start, containers, eventually) -> None:
    proxy = start_dockcaddy()
    containers.run("one", caddy=f"http://one.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
    eventually(lambda: hostname(proxy.body("one.test")) == "one")
    child = proxy.caddy
    proxy.process.kill()
    proxy.process.wait()
    start_dockcaddy()
    eventually(lambda: not Path(f"/proc/{child}").exists(), looks=1_000)
    eventually(lambda: hostname(proxy.body("one.test")) == "one", looks=1_000)


def test_a_second_one_with_the_same_state_does_not_start(start_dockcaddy: Start, tmp_path: Path) -> None:
    start_dockcaddy()
    command = [sys.executable, "-m", "dockcaddy", "run", "--state-directory", str(tmp_path / "state")]
    second = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=30)
    assert second.returncode == 2
    assert "another dockcaddy uses it" in second.stderr


def test_an_offline_render_of_a_snapshot_equals_the_live_one(containers, tmp_path: Path) -> None:
    containers.run(
        "one", caddy="http://one.test", caddy__reverse_proxy="{{upstreams 80}}", caddy__header__X='{{env "PATH"}}'
    )

    def run(*arguments: str, given: str = "") -> str:
        command = [sys.executable, "-m", "dockcaddy", *arguments]
        return subprocess.run(command, capture_output=True, text=True, input=given, check=True, cwd=tmp_path).stdout

    live = run("render")
    assert "one.test" in live
    assert run("render", "--inventory", "-", given=run("snapshot")) == live

"""A running dockcaddy with a real Caddy, beside an engine that can be made to fail."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stand_in_engine import StandInEngine
from town import Proxy, Town

CALM_WITHIN = 2.0


@pytest.fixture
def engine(free_port: Callable[[], int]) -> Iterator[StandInEngine]:
    # a unix socket's path may have 107 bytes
    with tempfile.TemporaryDirectory() as folder, StandInEngine(f"{folder}/engine.sock", free_port()) as made:
        yield made


@pytest.fixture
def start_proxy(
    engine: StandInEngine, tmp_path: Path, free_port: Callable[[], int], eventually: Callable[..., None]
) -> Iterator[Callable[..., Proxy]]:
    started: list[Proxy] = []

    def start(*options: str, wait: bool = True) -> Proxy:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("CADDY_", "DOCKCADDY_", "DOCKER_"))}
        environment |= {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "data")}
        command = [sys.executable, "-m", "dockcaddy", "run", "--state-directory", str(tmp_path / "state")]
        # no poll: whatever is put right must be put right by the fault's own end
        command += ["--set", "admin=off", "--log-level", "debug", "--polling-interval", "0"]
        command += ["--docker-sockets", f"unix://{engine.path}", *options]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, cwd=tmp_path, text=True)
        made = Proxy(process, free_port())
        started.append(made)
        if wait:
            eventually(lambda: engine.counts["list"] or process.poll() is not None)
            assert process.poll() is None, "".join(made.lines)
        return made

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.send_signal(signal.SIGTERM)
            try:
                each.process.wait(10)
            except subprocess.TimeoutExpired:
                each.process.kill()
                each.process.wait()


@pytest.fixture
def town(engine: StandInEngine, start_proxy: Callable[..., Proxy], eventually: Callable[..., None]) -> Town:
    """Three sites that answer: a, b and c."""
    made = Town(engine, start_proxy())
    for name in "abc":
        made.add(name)
    eventually(lambda: made.right(*"abc"))
    return made


@pytest.fixture
def calm(eventually: Callable[..., None]) -> Callable[[Callable[[], object]], None]:
    """Waits for a condition that must hold two seconds after a fault's end."""
    return lambda condition: eventually(condition, timeout=CALM_WITHIN)

"""A running dockcaddy with a real Caddy, beside an engine that can be made to fail."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import proxy
import pytest
from proxy import Proxy
from stand_in_engine import StandInEngine
from town import Town

# looks, which are as many hundredths of a second where the machine has nothing else to do
CALM_WITHIN = 1_000


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
        # no poll: whatever is put right must be put right by the fault's own end
        given = ("--polling-interval", "0", "--docker-sockets", f"unix://{engine.path}", *options)
        made = proxy.start(tmp_path, free_port(), *given)
        started.append(made)
        if wait:
            eventually(lambda: engine.counts["list"] or made.process.poll() is not None)
            assert made.process.poll() is None, made.log
        return made

    yield start
    for each in started:
        each.leave_nothing()


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
    """Waits for a condition that must hold soon after a fault's end: no long pause may be between two tries."""
    return lambda condition: eventually(condition, looks=CALM_WITHIN)


@pytest.fixture
def external(caddy: str, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[str]:
    """A Caddy that is not ours; gives its admin URL."""
    address = f"localhost:{free_port()}"
    given = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "CADDY_ADMIN": address}
    process = subprocess.Popen([caddy, "run"], env={**os.environ, **given}, cwd=tmp_path, stderr=subprocess.DEVNULL)
    yield f"http://{address}"
    process.terminate()
    process.wait(10)

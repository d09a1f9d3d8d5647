"""A real engine: a side-car is restarted, stopped and made anew, and what uses its network is never served by another."""

from collections.abc import Callable, Iterator
from urllib.request import urlopen

import pytest
from dockcaddy.engine import Engine, EngineOptions, from_snapshot
from dockcaddy.model import Resource
from real_engine import Containers, docker, hostname, listening

Eventually = Callable[..., None]
pytestmark = pytest.mark.engine
ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"


@pytest.fixture
def engine(containers: Containers, eventually: Eventually) -> Iterator[Engine]:
    containers.prefix = containers.mark
    with listening(containers.mark, eventually) as made:
        yield made


def app_of(engine: Engine) -> Resource:
    resources = engine.inventory().resources
    assert len(resources) == 1  # none while it restarts
    return resources[0]


def test_the_life_of_a_side_car(engine: Engine, containers: Containers, eventually: Eventually) -> None:
    vpn = containers.run("vpn", command=("--port", "7000"))
    app = containers.run("app", f"--network=container:{vpn}", command=("--port", "8000"), caddy="http://app.test")
    eventually(lambda: app_of(engine).targets == (docker("inspect", "-f", ADDRESS, vpn),))
    (address,) = app_of(engine).targets
    assert hostname(urlopen(f"http://{address}:8000", timeout=5).read().decode()) == "vpn"

    # its address goes to the next container that starts
    docker("stop", "-t", "0", vpn)
    eventually(lambda: app_of(engine).targets == ())
    assert f"container {vpn} (network_mode), which does not run: start {vpn}" in app_of(engine).unreachable
    containers.run("another", command=("--port", "8000"))
    docker("start", vpn)
    eventually(lambda: f"restart {app}" in app_of(engine).unreachable)
    assert app_of(engine).targets == ()
    docker("restart", "-t", "0", app)
    eventually(lambda: app_of(engine).targets == (docker("inspect", "-f", ADDRESS, vpn),))
    assert app_of(engine).targets != (address,)

    # who starts now, and who reads a snapshot, knows the same
    docker("restart", "-t", "0", vpn)
    eventually(lambda: f"restart {app}" in app_of(engine).unreachable)
    with listening(containers.mark, eventually) as later:
        assert app_of(later).unreachable == app_of(engine).unreachable
        document = {"version": 1, "engines": [later.snapshot()]}
        (read,) = from_snapshot(document, EngineOptions(containers.mark)).engines[0].resources
        assert read.unreachable == app_of(engine).unreachable

    docker("rm", "-f", vpn)
    containers.run("vpn", command=("--port", "7000"))
    eventually(lambda: "does not exist any more: recreate" in app_of(engine).unreachable)
    docker("rm", "-f", app)
    containers.run("app", f"--network=container:{vpn}", command=("--port", "8000"), caddy="http://app.test")
    eventually(lambda: app_of(engine).targets == (docker("inspect", "-f", ADDRESS, vpn),))

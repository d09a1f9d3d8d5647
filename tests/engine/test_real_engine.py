"""What the real engine tells of a network before its list shows it is there all the same, without a poll."""

from collections.abc import Callable, Iterator

import pytest
from dockcaddy.engine import Engine
from dockcaddy.model import Resource
from real_engine import Containers, docker, listening

Eventually = Callable[..., None]
pytestmark = pytest.mark.engine


@pytest.fixture
def engine(containers: Containers, eventually: Eventually) -> Iterator[Engine]:
    containers.prefix = containers.mark
    with listening(containers.mark, eventually) as made:
        yield made


def found(engine: Engine, name: str) -> Resource | None:
    return next((each for each in engine.inventory().resources if each.name == name), None)


def networks(engine: Engine, name: str) -> set[str]:
    """Those on which it has an address."""
    resource = found(engine, name)
    return {each.network for each in resource.attachments if each.ipv4} if resource else set()


def test_networks_that_a_running_container_joins_and_leaves(
    engine: Engine, containers: Containers, eventually: Eventually
) -> None:
    network = containers.network("front")
    name = containers.run("web", caddy="http://web.test")
    eventually(lambda: networks(engine, name) == {"bridge"})
    for _ in range(8):
        docker("network", "connect", network, name)
        eventually(lambda: networks(engine, name) == {"bridge", network})
        docker("network", "disconnect", network, name)
        eventually(lambda: networks(engine, name) == {"bridge"})
    for _ in range(4):
        docker("network", "connect", network, name)
        docker("pause", name)
        docker("unpause", name)
        eventually(lambda: networks(engine, name) == {"bridge", network})
        docker("network", "disconnect", network, name)
        eventually(lambda: networks(engine, name) == {"bridge"})


def test_a_container_that_is_restarted_paused_and_renamed(
    engine: Engine, containers: Containers, eventually: Eventually
) -> None:
    name = containers.run("web", caddy="http://web.test")
    for _ in range(3):
        docker("restart", "-t", "0", name)
        eventually(lambda: (each := found(engine, name)) is not None and each.running and each.targets)
        docker("pause", name)
        eventually(lambda: (each := found(engine, name)) is not None and each.state == "paused")
        docker("unpause", name)
        eventually(lambda: (each := found(engine, name)) is not None and each.running)
    docker("rename", name, f"{name}er")
    containers.names.append(f"{name}er")
    eventually(lambda: found(engine, f"{name}er") is not None)

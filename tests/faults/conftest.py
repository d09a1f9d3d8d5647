"""What these tests run on: a world of good sites, an engine that can be made to fail, or the real one."""

import uuid
from collections.abc import Callable, Iterator

import proxy
import pytest
from proxy import Proxy
from real_engine import Containers
from real_engine_fixtures import start_dockcaddy
from town_fixtures import calm, engine, start_proxy, town
from world_fixtures import add_to_base, newcomers, world

__all__ = ["add_to_base", "calm", "engine", "newcomers", "start_dockcaddy", "start_proxy", "town", "world"]


@pytest.fixture(scope="session")
def prefix() -> str:
    """The prefix of these tests' labels on the real engine, so that no other dockcaddy serves their containers."""
    return f"faults{uuid.uuid4().hex[:8]}"


@pytest.fixture
def containers(prefix: str) -> Iterator[Containers]:
    made = Containers(f"dc{uuid.uuid4().hex[:8]}", prefix)
    yield made
    made.remove_all()


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory,
    free_port: Callable[[], int],
    eventually: Callable[..., None],
    prefix: str,
) -> Iterator[Proxy]:
    """One dockcaddy beside the real engine for all the tests of a module."""
    made = proxy.start(tmp_path_factory.mktemp("running"), free_port(), "--label-prefix", prefix)
    try:
        eventually(lambda: made.said("watching") or made.process.poll() is not None)
        assert made.process.poll() is None, made.log
        yield made
    finally:
        made.leave_nothing()

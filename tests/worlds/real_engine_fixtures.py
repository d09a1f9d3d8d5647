"""A running dockcaddy beside the real engine, and containers that are gone afterwards."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import proxy
import pytest
from proxy import Proxy
from real_engine import Containers


@pytest.fixture
def containers() -> Iterator[Containers]:
    made = Containers(f"dc{uuid.uuid4().hex[:8]}")
    yield made
    made.remove_all()


@pytest.fixture
def start_dockcaddy(
    tmp_path: Path, free_port: Callable[[], int], eventually: Callable[..., None]
) -> Iterator[Callable[..., Proxy]]:
    started: list[Proxy] = []

    def start(*options: str) -> Proxy:
        made = proxy.start(tmp_path, free_port(), *options)
        started.append(made)
        eventually(lambda: made.said("watching") or made.process.poll() is not None)
        assert made.process.poll() is None, made.log
        return made

    yield start
    for each in started:
        each.leave_nothing()

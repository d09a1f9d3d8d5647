"""A controller with servers that run on this machine."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from servers import StockCaddy
from town_fixtures import calm, engine, start_proxy

__all__ = ["calm", "engine", "servers", "start_proxy"]


@pytest.fixture
def servers(caddy: str, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Callable[..., list[StockCaddy]]]:
    """Starts so many stock Caddys without a configuration."""
    made: list[StockCaddy] = []

    def start(count: int) -> list[StockCaddy]:
        new = [
            StockCaddy(caddy, tmp_path / f"server-{len(made) + place}", f"127.0.0.1:{free_port()}")
            for place in range(count)
        ]
        made.extend(new)
        for each in new:
            each.start()
        return new

    yield start
    for each in made:
        each.kill()

"""A Caddy that adapts one text after the other."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.errors import CaddyUnreachable
from servers import StockCaddy


@pytest.fixture(scope="session")
def adapt(
    caddy: str, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[Callable[[str], bytes]]:
    """Adapts a Caddyfile: Caddy's JSON. Raises CaddyRefusal."""
    folder: Path = tmp_path_factory.mktemp("adapter")
    stock = StockCaddy(caddy, folder, f"127.0.0.1:{free_port()}")
    try:
        stock.start()
        client = AdminClient(stock.url)
        for _ in range(1_000):
            try:
                client.admin_settings()
                break
            except CaddyUnreachable:
                time.sleep(0.02)
        yield client.adapt
        client.close()
    finally:
        stock.kill()

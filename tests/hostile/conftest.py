"""A world that hostile containers try to break, and how long they may try."""

import os
import socket
from collections.abc import Iterator

import pytest
from world import SECRET, SECRET_VARIABLE, World, open_world


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, caddy: str) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("DOCKCADDY_", "CADDY_")) and not name.startswith("DOCKCADDY_TESTS_"):
                patch.delenv(name)
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.setenv(SECRET_VARIABLE, SECRET)
        with open_world(folder, caddy, _free_port) as made:
            yield made


@pytest.fixture(autouse=True)
def calm_again(world: World) -> Iterator[None]:
    yield
    world.calm()

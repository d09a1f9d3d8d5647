"""A court with a running Caddy, whose environment has variables that labels should not choose."""

import subprocess
import time
from collections.abc import Iterator

import pytest
from dockcaddy.caddy import AdminClient
from dockcaddy.errors import CaddyUnreachable
from judging import Court

ENVIRONMENT = {
    "CADDY_ADMIN": "localhost:2019",
    "ENGINE": "docker",
    "HOME": "/root",
    "M": "19",
    "N": "9",
    "NAME": "data",
    "TOKEN": "secret-value",
    "XDG_DATA_HOME": "/data",
}


@pytest.fixture(scope="session")
def court(caddy: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    """Judges labels; the variables of `ENVIRONMENT` are set."""
    folder = tmp_path_factory.mktemp("court")
    config = f'{{"admin":{{"listen":"unix/{folder}/admin.sock"}}}}'
    environment = {**ENVIRONMENT, "XDG_CONFIG_HOME": str(folder)}
    with subprocess.Popen(
        [caddy, "run", "--config", "-"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd=folder
    ) as process:
        assert process.stdin is not None
        process.stdin.write(config.encode())
        process.stdin.close()
        client = AdminClient(f"unix/{folder}/admin.sock", timeout=60, connect_timeout=60)
        for _ in range(1000):
            try:
                client.config()
                break
            except CaddyUnreachable:
                time.sleep(0.02)
        yield Court(client.adapt)
        process.terminate()


__all__ = ["court"]

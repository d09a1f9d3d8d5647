"""A court with a running Caddy, whose environment has variables that labels should not choose."""

import subprocess
from collections.abc import Iterator

import pytest
from judging import Court
from servers import waited_for

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
        yield Court(waited_for(f"unix/{folder}/admin.sock").adapt)
        process.terminate()


__all__ = ["court"]

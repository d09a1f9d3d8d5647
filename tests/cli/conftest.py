"""The command line, called in this process."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from dockcaddy.cli import main


@frozen
class Result:
    """What a call left behind."""

    status: int
    out: str
    err: str


Call = Callable[..., Result]


@pytest.fixture
def dockcaddy(
    sandbox: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Call]:
    """Calls `dockcaddy ARGUMENTS` in an empty folder; `given` is its standard input."""
    logger = logging.getLogger("dockcaddy")
    before = (logger.handlers[:], logger.level, logger.propagate)

    def call(*arguments: str, given: str = "") -> Result:
        monkeypatch.setattr(sys, "argv", ["dockcaddy", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsysbinary.readouterr()
        return Result(int(ended.value.code or 0), told.out.decode(), told.err.decode())

    yield call
    logger.handlers[:], logger.level, logger.propagate = before


def container(name: str, labels: dict[str, str], address: str = "172.20.0.5", state: str = "running") -> dict[str, Any]:
    """An item of GET /containers/json on the network `web`."""
    return {
        "Id": name.encode().hex().ljust(64, "0"),
        "Names": [f"/{name}"],
        "Image": "app",
        "Created": 1,
        "Labels": labels,
        "State": state,
        "Status": "Up",
        "HostConfig": {"NetworkMode": "web"},
        "NetworkSettings": {"Networks": {"web": {"NetworkID": "n1", "IPAddress": address}}},
        "Mounts": [],
    }


@pytest.fixture
def snapshot(sandbox: Path) -> Callable[..., str]:
    """Writes a snapshot of containers given as name=labels; gives the file's name."""

    def write(**containers: dict[str, str]) -> str:
        items = [
            container(name.replace("_", "-"), labels, f"172.20.0.{place}")
            for place, (name, labels) in enumerate(containers.items(), 5)
        ]
        networks = [{"Id": "n1", "Name": "web"}]
        document = {"version": 1, "engines": [{"name": "local", "containers": items, "networks": networks}]}
        (sandbox / "snapshot.json").write_text(json.dumps(document))
        return "snapshot.json"

    return write

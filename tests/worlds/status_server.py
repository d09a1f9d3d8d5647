"""The status over HTTP, of a feed that a test fills, and clients of it that behave as they like."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from attrs import define
from dockcaddy.merge.configuration import Configuration
from dockcaddy.status.keeper import StatusKeeper
from dockcaddy_status.service import StatusService

# far more than anything takes on the busiest machine, in seconds
HANGING = 60.0

Following = Callable[[], tuple[str, Any]]


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("status", timeout=HANGING)
        self._path = path

    def connect(self) -> None:
        self.sock = connected(self._path)


def connected(path: Path) -> socket.socket:
    """A connection to a unix socket."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(HANGING)
    while True:
        try:
            made.connect(str(path))
        except BlockingIOError:
            # as many wait as may
            time.sleep(0.01)
        else:
            return made


@define
class Answer:
    """A response."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@define(eq=False)
class Served:
    """A status that is served."""

    keeper: StatusKeeper
    service: StatusService
    path: Path
    port: int = 0

    def get(self, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> Answer:
        """Ask at the unix socket."""
        return answer_at(self.path, path, method, headers)

    def get_tcp(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Ask at the port."""
        return _asked(http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANGING), path, "GET", headers)

    def events(self) -> AbstractContextManager[Following]:
        """Listen: gives a function that waits for the next event and its data."""
        return events_at(self.path)


@contextmanager
def events_at(path: Path) -> Iterator[Following]:
    """Follow the events of the status at a socket: gives a function that waits for the next one and its data."""
    connection = UnixConnection(path)
    connection.request("GET", "/api/v1/events")
    response = connection.getresponse()
    assert response.headers["Content-Type"].startswith("text/event-stream")

    def following() -> tuple[str, Any]:
        kind = ""
        while True:
            line = response.fp.readline().decode()
            if not line:
                return "", None
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            if name == "data":
                return kind, json.loads(value)

    try:
        yield following
    finally:
        connection.close()


def answer_at(path: Path, target: str, method: str = "GET", headers: dict[str, str] | None = None) -> Answer:
    """What the status at a socket answers."""
    return _asked(UnixConnection(path), target, method, headers)


def _asked(connection: http.client.HTTPConnection, path: str, method: str, headers: dict[str, str] | None) -> Answer:
    connection.request(method, path, headers=headers or {})
    response = connection.getresponse()
    answer = Answer(response.status, response.read(), {name.lower(): value for name, value in response.getheaders()})
    connection.close()
    return answer


@contextmanager
def served(
    keeper: StatusKeeper, folder: Path, port: int = 0, token: str = "", host: str = "127.0.0.1"
) -> Iterator[Served]:
    """Within, the status of the keeper is served."""
    path = folder / "status.sock"
    service = StatusService(keeper, str(path), f"{host}:{port}" if port else "", token)
    service.start()
    service.after_accepted(Configuration(""))
    try:
        yield Served(keeper, service, path, port)
    finally:
        service.stop()


def eventually(holds: Callable[[], bool], patience: float = HANGING) -> bool:
    """Whether it comes to hold."""
    deadline = time.monotonic() + patience
    waiting = threading.Event()
    while time.monotonic() < deadline:
        if holds():
            return True
        waiting.wait(0.02)
    return holds()

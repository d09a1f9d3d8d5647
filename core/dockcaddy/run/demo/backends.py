"""The demo's engine: its containers are HTTP servers of this process."""

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from attrs import define, evolve, field

from dockcaddy.model import Attachment, EngineInventory, Health, Resource

NETWORK = "demo"
# where they listen, each at an address of its own; where that cannot be had, at a port of its own
PORT = 8000
_ADDRESS = "127.0.0.{}"
_FIRST = 11


class _Backend(BaseHTTPRequestHandler):
    """Answers every request with its container's name."""

    server: "_NamedServer"

    def do_GET(self) -> None:
        body = f"hello from {self.server.container}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tour's own lines are what there is to read."""


class _NamedServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, container: str, address: tuple[str, int]) -> None:
        super().__init__(address, _Backend)
        self.container = container


def _server(container: str, number: int) -> _NamedServer:
    """A server for the container of this number; only Linux has more than one loopback address by default."""
    try:
        return _NamedServer(container, (_ADDRESS.format(_FIRST + number), PORT))
    except OSError:
        return _NamedServer(container, ("127.0.0.1", 0))


@define(eq=False)
class DemoEngine:
    """An engine whose containers are HTTP servers of this process.

    `changes` counts what happened, `taken` is how much of that the last inventory had.
    """

    name: str = "demo"
    changes: int = 0
    taken: int = 0
    _wake: Callable[[], None] = lambda: None
    _resources: dict[str, Resource] = field(factory=dict)
    _servers: dict[str, _NamedServer] = field(factory=dict)
    _lock: threading.Lock = field(factory=threading.Lock)

    def start(self, wake: Callable[[], None]) -> None:
        """Call `wake` at every change from now on."""
        self._wake = wake
        wake()

    def inventory(self) -> EngineInventory:
        """The containers that run now, newest first."""
        with self._lock:
            self.taken = self.changes
            return EngineInventory(self.name, tuple(reversed(self._resources.values())))

    def resync(self) -> None:
        """Nothing can have been missed."""

    def close(self) -> None:
        """Stop every container."""
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def run(self, *containers: str, labels: Callable[[int], Mapping[str, str]]) -> None:
        """Start containers, all at once. `labels` gives a container's by the port it listens at."""
        made = {name: _server(name, len(self._servers) + place) for place, name in enumerate(containers)}
        for server in made.values():
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        with self._lock:
            self._servers |= made
            for name, server in made.items():
                self._resources[name] = self._resource(name, server, labels(server.server_address[1]))
            self.changes += 1
        self._wake()

    def _resource(self, name: str, server: _NamedServer, labels: Mapping[str, str]) -> Resource:
        address = str(server.server_address[0])
        return Resource(
            kind="container",
            id=name,
            name=name,
            engine=self.name,
            image="demo/hello",
            labels=labels,
            attachments=(Attachment(NETWORK, NETWORK, address),),
            created=len(self._resources),
            state="running",
            running=True,
            health="healthy",
            targets=(address,),
        )

    def labels(self, container: str) -> Mapping[str, str]:
        """A container's labels."""
        return self._resources[container].labels

    def turn(self, container: str, health: Health) -> None:
        """Let a container's health check say something else."""
        with self._lock:
            self._resources[container] = evolve(self._resources[container], health=health)
            self.changes += 1
        self._wake()

    def relabel(self, container: str, labels: Callable[[int], Mapping[str, str]]) -> None:
        """Replace a container by one with other labels."""
        with self._lock:
            port = self._servers[container].server_address[1]
            self._resources[container] = evolve(self._resources[container], labels=labels(port))
            self.changes += 1
        self._wake()

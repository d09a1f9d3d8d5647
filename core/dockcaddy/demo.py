"""A tour without Docker: real HTTP backends on loopback stand in for containers; everything else is the real thing."""

import difflib
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen

from dockcaddy.composition import controller_for
from dockcaddy.controller import Controller
from dockcaddy.daemon import caddy_for
from dockcaddy.last_good import LastGood
from dockcaddy.model import Attachment, EngineInventory, Health, Resource
from dockcaddy.registry import Registry
from dockcaddy.settings import Settings

NETWORK = "demo"


@frozen
class Step:
    """One change of the tour: what is said, and what happens to the backends."""

    told: str
    change: Callable[["DemoEngine"], None]


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

    def __init__(self, container: str) -> None:
        super().__init__(("127.0.0.1", 0), _Backend)
        self.container = container


@define(eq=False)
class DemoEngine:
    """An engine whose containers are HTTP servers of this process. `port` is where the demo's sites listen."""

    port: int
    name: str = "demo"
    _wake: Callable[[], None] = lambda: None
    _resources: dict[str, Resource] = field(factory=dict)
    _servers: dict[str, _NamedServer] = field(factory=dict)
    _lock: threading.Lock = field(factory=threading.Lock)

    def start(self, wake: Callable[[], None]) -> None:
        """Call `wake` at every change from now on."""
        self._wake = wake
        wake()

    def inventory(self) -> EngineInventory:
        """The backends that run now, newest first."""
        with self._lock:
            return EngineInventory(self.name, tuple(reversed(self._resources.values())))

    def resync(self) -> None:
        """Nothing can have been missed."""

    def close(self) -> None:
        """Stop every backend."""
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def add(self, container: str, site: str, health: Health = "healthy") -> None:
        """Start a backend that carries the labels of a small web application."""
        server = _NamedServer(container)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        labels = {
            "caddy": f"http://{site}:{self.port}",
            "caddy.header.X-Container": "{{containerName}}",
            "caddy.reverse_proxy": f"{{{{if isHealthy}}}}{{{{upstreams {server.server_address[1]}}}}}{{{{end}}}}",
        }
        with self._lock:
            self._servers[container] = server
            self._resources[container] = Resource(
                kind="container",
                id=container,
                name=container,
                engine=self.name,
                image="demo/hello",
                labels=labels,
                attachments=(Attachment(NETWORK, NETWORK, "127.0.0.1"),),
                created=len(self._resources),
                state="running",
                running=True,
                health=health,
                targets=("127.0.0.1",),
            )
        self._wake()

    def turn(self, container: str, health: Health) -> None:
        """Let a backend's health check say something else."""
        with self._lock:
            self._resources[container] = evolve(self._resources[container], health=health)
        self._wake()

    def relabel(self, container: str, **labels: str) -> None:
        """Give a backend other labels, `_` standing for the dots of a key."""
        with self._lock:
            before = self._resources[container]
            merged = {**before.labels, **{key.replace("_", "."): value for key, value in labels.items()}}
            self._resources[container] = evolve(before, labels=merged)
        self._wake()


def tour() -> Iterator[Step]:
    """What is shown, in order."""
    yield Step("two containers with the same site label start", _first_two)
    yield Step(
        "a third one starts: requests are spread over three", lambda engine: engine.add("hello-3", "hello.localhost")
    )
    yield Step(
        "hello-2 turns unhealthy: {{if isHealthy}} takes it out", lambda engine: engine.turn("hello-2", "unhealthy")
    )
    yield Step("a container with a broken label starts: its site is left out, the others stay", _broken)
    yield Step("hello-2 is healthy again", lambda engine: engine.turn("hello-2", "healthy"))


def _first_two(engine: DemoEngine) -> None:
    engine.add("hello-1", "hello.localhost")
    engine.add("hello-2", "hello.localhost")


def _broken(engine: DemoEngine) -> None:
    engine.add("broken-1", "broken.localhost")
    engine.relabel("broken-1", caddy_respond="{{upstraems 8000}}")


def show(
    settings: Settings,
    registry: Registry,
    sections: Mapping[type, Any],
    port: int,
    pause: float,
    once: bool,
    echo: Callable[[str], None],
) -> int:
    """Play the tour and keep serving until interrupted, or end with it (`once`); gives the exit status."""
    address = f"http://hello.localhost:{port}"
    with tempfile.TemporaryDirectory(prefix="dockcaddy-demo-") as state:
        private = evolve(settings, admin="off", output=("admin",), caddy_admin="", state_directory=state)
        last_good = LastGood(Path(state) / "last-good.db")
        with caddy_for(private, Path(state), last_good) as (connections, process), engine(port) as backends:
            controller = controller_for(private, registry, sections, [backends], connections, last_good)
            if process is not None:
                process.on_start = controller.caddy_started
            thread = threading.Thread(target=controller.run, daemon=True)
            thread.start()
            echo(f"open {address} and reload it while things change; ctrl-c ends\n")
            try:
                _play(controller, backends, address, pause, echo)
                while not once:
                    time.sleep(1)
            except KeyboardInterrupt:
                pass
            finally:
                controller.stop()
                thread.join(5)
    return 0


def _play(
    controller: Controller, backends: "DemoEngine", address: str, pause: float, echo: Callable[[str], None]
) -> None:
    before: list[str] = []
    for step in tour():
        echo(f"--- {step.told}")
        step.change(backends)
        after = _settled(controller, before)
        for line in difflib.unified_diff(before, after, lineterm="", n=1):
            if not line.startswith(("---", "+++", "@@")):
                echo(f"    {line.expandtabs(4)}")
        before = after
        problems = controller.problems if controller.configuration is not None else ()
        for problem in problems:
            echo(f"    {problem.severity}: {problem}")
        echo(f"    nine requests to {address}: {_answers(address)}\n")
        time.sleep(pause)


def _settled(controller: Controller, before: list[str]) -> list[str]:
    """The Caddyfile once the change has arrived; a change that leaves it as it is takes a moment to be sure of."""
    deadline = time.monotonic() + 2
    lines = before
    while lines == before and time.monotonic() < deadline:
        time.sleep(0.02)
        lines = controller.configuration.text.splitlines() if controller.configuration is not None else []
    return lines


def _answers(address: str) -> str:
    """Who answers, and how often."""
    said: Counter[str] = Counter()
    host, _, port = address.removeprefix("http://").partition(":")
    for _ in range(9):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": host})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                said[answer.read().decode().strip() or "an empty answer"] += 1
        except OSError as error:
            said[str(error)] += 1
    return ", ".join(f"{count} x {what}" for what, count in sorted(said.items()))


@contextmanager
def engine(port: int) -> Iterator[DemoEngine]:
    """A demo engine without backends; they are stopped at the end."""
    made = DemoEngine(port)
    try:
        yield made
    finally:
        made.close()

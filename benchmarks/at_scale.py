"""Whole processes with broken containers among many: `python benchmarks/at_scale.py`.

The engine is a stand-in. Each row is a run of `dockcaddy run` with a Caddy of its own, from nothing.
"""

import statistics
import time

from beside_traefik import labels_of
from measuring import Program, Table, dockcaddy, engine, free_port, one_more, seconds_until
from stand_in_container import StandInContainer
from stand_in_engine import StandInEngine

RUNS = 5
# of a hundred, in turn: what is no directive, what is no template, what adapts and cannot be loaded, too many words
BROKEN = (
    {"caddy.no_such_directive": "x"},
    {"caddy.header.X-Broken": "{{nonsense"},
    {"caddy.tls": "/no/such/cert.pem /no/such/key.pem"},
    {"caddy.redir": "/a /b /c /d"},
)


def one_beside(watched: StandInEngine, running: Program, number: int, more: dict[str, str]) -> float:
    """Milliseconds until one more good container answers, which comes together with a broken one if there is `more`."""
    name = f"more-{number}"
    labels = labels_of(name, watched.port, running.port)
    if more:
        watched.add(f"broken-{name}", labels_of(f"broken-{name}", watched.port, running.port) | more)
    return one_more(watched, running, name, labels)


def measure(table: Table, good: int, broken: int) -> None:
    """A row of the table."""
    with engine() as watched:
        port = free_port()
        last: StandInContainer | None = None
        for number in range(good + broken):
            name = f"app-{number}"
            # spread among the good ones
            is_broken = (
                broken and number % ((good + broken) // broken) == 1 and number // ((good + broken) // broken) < broken
            )
            more = BROKEN[number % len(BROKEN)] if is_broken else {}
            made = watched.add(name, labels_of(name, watched.port, port) | more)
            last = last if is_broken else made
        assert last is not None
        begun = time.perf_counter()
        with dockcaddy(watched.path, port) as running:
            first = seconds_until(lambda: running.answers(last), begun, 0.05)
            running.settle()
            inspects = watched.counts["inspect"]
            times = [one_beside(watched, running, number, {}) for number in range(RUNS)]
            beside = [one_beside(watched, running, RUNS, BROKEN[0])] if broken else []
            table.row(
                f"{good:,} good, {broken:,} broken",
                f"{first:.1f}",
                f"{statistics.median(times):.0f}",
                f"{beside[0]:.0f}" if beside else "",
                f"{inspects:,}",
                f"{running.load(40.0):.1f}",
                f"{running.memory():.0f} + {running.memory_of_children():.0f}",
            )


def main() -> None:
    """Print the table."""
    table = Table(
        (
            "containers of six labels",
            "start to the last good one live, s",
            "one more live, ms (median)",
            "one more beside one more broken, ms",
            "inspect calls at start",
            "CPU over 40 s of calm, %",
            "memory, MB (+ Caddy)",
        )
    )
    for good, broken in ((1_000, 0), (900, 100)):
        measure(table, good, broken)


if __name__ == "__main__":
    main()

"""A Swarm with very many services: `python benchmarks/swarm.py`.

First with a stand-in engine, whose tasks answer HTTP on addresses of this machine. Then, where DOCKCADDY_TESTS_START_SWARM names
the program that the tests with a Swarm use, with fewer services on a real one of three nodes.
"""

import os
import statistics
import time
from collections import Counter

from beside_traefik import labels_of
from measuring import Program, Table, body, dockcaddy, engine, free_port, program, seconds_until
from real_swarm import START_SWARM, RealSwarm
from stand_in_engine import StandInEngine

SERVICES, TASKS, RUNS, CALM = 200, 3, 9, 60.0
REAL_SERVICES = 20


def address(service: int, task: int) -> str:
    """An address of this machine."""
    return f"127.66.{service}.{task}"


def moved(watched: StandInEngine, running: Program, service: int, number: int) -> float:
    """Milliseconds from the list that first shows a task moved to the first answer of the new one."""
    owner = f"service-app-{service}"
    old = next(task for task in watched.swarm.tasks if task["ServiceID"] == owner and task["DesiredState"] == "running")
    new = address(service, 100 + number)
    added = {**old, "ID": f"{owner}-moved-{number}"}
    attached = old["NetworksAttachments"][-1]
    added["NetworksAttachments"] = [{**attached, "Addresses": [f"{new}/24"]}]
    # not at the moment of a poll
    time.sleep(1.0 + 0.37 * number % 0.5)
    begun = time.perf_counter()
    watched.swarm.tasks.append(added)
    old["DesiredState"] = "shutdown"
    taken = seconds_until(lambda: body(running.port, f"app-{service}.test") == new, begun)
    running.settle()
    return taken * 1000


def simulated() -> None:
    """The table of the stand-in engine."""
    table = Table(
        (
            "services x tasks",
            "start to all live, s",
            "one task moved to its first answer, ms",
            "CPU when calm, % of a core",
            "memory, MB (+ Caddy)",
        )
    )
    with engine() as watched:
        port = free_port()
        watched.swarm.role = "manager"
        for number in range(SERVICES):
            labels = labels_of(f"app-{number}", watched.port, port)
            watched.swarm.add(f"app-{number}", labels, *(address(number, task + 1) for task in range(TASKS)))
        begun = time.perf_counter()
        with dockcaddy(watched.path, port, "--ingress-networks=front") as running:
            hosts = [f"app-{number}.test" for number in range(SERVICES)]
            first = seconds_until(lambda: body(port, hosts[-1]), begun, 0.01)
            assert all(body(port, host).startswith("127.66.") for host in hosts)
            running.settle()
            times = [moved(watched, running, 7 * number % SERVICES, number) for number in range(RUNS)]
            before = Counter(watched.counts)
            load = running.load(CALM)
            calls = Counter(watched.counts) - before
            table.row(
                f"{SERVICES} x {TASKS}",
                f"{first:.1f}",
                f"{statistics.median(times):.0f} ({min(times):.0f}-{max(times):.0f})",
                f"{load:.1f}",
                f"{running.memory():.0f} + {running.memory_of_children():.0f}",
            )
    print(
        f"\ncalls within {CALM:.0f} s of calm: " + ", ".join(f"{kind} {count}" for kind, count in calls.most_common())
    )


def real() -> None:
    """The table of the real Swarm."""
    table = Table(
        ("services x tasks on three nodes", "from the last task running to all live, s", "drained to new tasks only, s")
    )
    swarm = RealSwarm.started()
    try:
        swarm.docker("network", "create", "--driver=overlay", "--attachable", "front")
        for number in range(REAL_SERVICES):
            labels = {"caddy": f"http://app-{number}.test", "caddy__reverse_proxy": "{{upstreams 80}}"}
            swarm.service(f"app-{number}", f"--replicas={TASKS}", **labels)
        wanted = {f"app-{number} {TASKS}/{TASKS}" for number in range(REAL_SERVICES)}
        listed = ("service", "ls", "--format={{.Name}} {{.Replicas}}")
        seconds_until(lambda: wanted <= set(swarm.docker(*listed).splitlines()), time.perf_counter(), 0.5)
        begun = time.perf_counter()
        swarm.run_dockcaddy(program("caddy"), 8080)
        last = swarm.visit(8080, f"app-{REAL_SERVICES - 1}.test")
        live = seconds_until(lambda: last.latest, begun, 0.01)
        last.end()
        visits = swarm.visit(8080, f"app-{REAL_SERVICES - 1}.test")
        seconds_until(lambda: len(visits.latest) == TASKS, begun, 0.01)
        before = set(visits.latest)
        begun = time.perf_counter()
        swarm.docker("node", "update", "--availability=drain", "node3")
        drained = seconds_until(lambda: len(visits.latest) == TASKS and visits.latest != before, begun, 0.01)
        table.row(f"{REAL_SERVICES} x {TASKS}", f"{live:.1f}", f"{drained:.1f}")
        print(f"\nfailed requests: {len(visits.failures)} of {len(visits.got)}")
    finally:
        swarm.leave_nothing()


if __name__ == "__main__":
    simulated()
    if START_SWARM in os.environ:
        print()
        real()

"""The same faults in a running daemon: one that has a container for each of them, and an output for each.

It goes on, a good site is served all the time, and each fault is told once, where it is.
"""

import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import faulty
import proxy
import pytest
from attrs import define
from plugin_faults import CASES, FAULTY, IN_OTHER_WORDS, NAMES, labels_of
from proxy import Proxy
from stand_in_engine import StandInEngine

METHODS = ("factory", "write", "holds", "close")
OUTPUTS = [
    *(f"{method}-{fault}" for method in METHODS for fault in faulty.ALWAYS),
    *("holds-none", "holds-text", "holds-strange", "none-", "half-", "without-", "hidden-", "strange-"),
    *("write-changes", "write-refuses"),
]
pytestmark = pytest.mark.process


@define(eq=False)
class Town:
    """The daemon beside its engine."""

    engine: StandInEngine
    proxy: Proxy

    def good(self) -> bool:
        return self.proxy.body("good.test") == self.engine.containers["good"].address


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int], eventually: Callable[..., None]
) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("faults")
    outputs = [option for each in OUTPUTS for option in ("--output", f"faulty={each}")]
    with tempfile.TemporaryDirectory() as short, StandInEngine(f"{short}/engine.sock", free_port()) as engine:
        options = ["--docker-sockets", f"unix://{engine.path}", "--plugin", FAULTY, "--output", "admin", *outputs]
        port = free_port()
        for contribution, fault in CASES:
            engine.create(f"{contribution}-{fault}", labels_of(contribution, fault, f":{port}"))
            engine.start(f"{contribution}-{fault}")
        engine.add(
            "good", {"caddy": f"http://good.test:{port}", "caddy.reverse_proxy": f"{{{{upstreams {engine.port}}}}}"}
        )
        made = Town(engine, proxy.start(folder, port, *options))
        try:
            eventually(made.good)
            yield made
        finally:
            made.proxy.leave_nothing()


def told(town: Town, *texts: str) -> list[str]:
    """The errors that hold all these texts."""
    return [line for line in town.proxy.lines if " error: " in line and all(text in line for text in texts)]


@pytest.mark.parametrize(("contribution", "fault"), CASES, ids=map(" ".join, CASES))
def test_a_fault_costs_one_resource_of_a_running_daemon(
    running: Town, eventually: Callable[..., None], contribution: str, fault: str
) -> None:
    whose = f"site http://site-{fault}.test:" if contribution == "site" else f"container {contribution}-{fault}: "
    in_words = () if fault in IN_OTHER_WORDS else (NAMES[contribution], f"({FAULTY}:")
    eventually(lambda: told(running, whose, *in_words))
    assert len(told(running, whose)) == 1
    assert running.good()
    served = running.proxy.body(f"{contribution}-{fault}.test")
    assert served == ("untouched" if contribution == "site" else "")


@pytest.mark.parametrize("fault", OUTPUTS)
def test_a_fault_costs_one_output_of_a_running_daemon(
    running: Town, eventually: Callable[..., None], fault: str
) -> None:
    if not fault.startswith("close"):
        eventually(lambda: told(running, f"output faulty={fault}: "))
        assert len(told(running, f"output faulty={fault}: ")) == 1
    if not fault.startswith(("close", "write-refuses")):
        assert told(running, f"output faulty={fault}: {NAMES['output']} ", f"({FAULTY}:")
    assert running.proxy.process.poll() is None
    assert running.good()


def test_a_fault_costs_one_service_of_a_running_daemon(running: Town, eventually: Callable[..., None]) -> None:
    line = 'service "faulty" of plugin faulty: Wicked: not today ('
    eventually(lambda: running.proxy.said(line))
    assert running.proxy.said(line) == 1, [each for each in running.proxy.lines if line in each]
    assert running.good()


def test_what_comes_later_is_served_too(running: Town, eventually: Callable[..., None]) -> None:
    site = {"caddy": f"http://late.test:{running.proxy.port}", "caddy.respond": "late"}
    running.engine.add("late", site)
    eventually(lambda: running.proxy.body("late.test") == "late")


def test_it_ends_as_ever_when_it_is_told_to(running: Town) -> None:
    before = running.proxy.caddy
    assert before
    running.proxy.process.send_signal(signal.SIGTERM)
    assert running.proxy.process.wait(60) == 0
    assert not Path(f"/proc/{before}").exists()
    log = running.proxy.log
    assert 'service "faulty" of plugin faulty failed: Wicked: not today either (' in log
    assert all(f"output faulty=close-{fault}: cannot be closed: {NAMES['output']} " in log for fault in faulty.ALWAYS)


@pytest.mark.parametrize("times", [1, 2])
def test_it_ends_when_it_is_told_to_although_a_plugin_swallows_that(
    engine: StandInEngine, start_proxy: Callable[..., Proxy], eventually: Callable[..., None], times: int
) -> None:
    engine.add("bad", {"caddy": "http://bad.test", "caddy.respond": f"{{{{swallows {times}}}}}"})
    running = start_proxy("--plugin", FAULTY)
    eventually(lambda: running.said('function "swallows" of plugin faulty has not returned yet'))
    caddy = running.caddy
    for count in range(1, times + 1):
        running.process.send_signal(signal.SIGTERM)
        eventually(lambda count=count: running.said("swallowed by a plugin") == count)
    assert running.process.wait(30) == 0
    assert not Path(f"/proc/{caddy}").exists()

"""What happens on the engine reaches Caddy at once, once, and by itself."""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddyjson import Document
from dockcaddy.merge.configuration import Configuration
from hanging import hanging
from proxy import Proxy
from real_engine import Containers, docker, hostname
from town import Town
from world_fixtures import Newcomers, site

Calm = Callable[[Callable[[], object]], None]
Eventually = Callable[..., None]
Start = Callable[..., Any]


# --- B2: the event stream ends


def test_b2_what_happens_while_the_event_stream_is_cut_is_there_at_once(
    town, eventually: Eventually, calm: Calm
) -> None:
    engine = town.engine
    before, lists = town.proxy.loads, engine.counts["list"]
    with town.visitor("a", "b", "c") as visitor:
        for cut in (1, 2):
            subscribed = engine.counts["events"]
            engine.cut_streams()
            town.add(f"during-{cut}")
            calm(lambda cut=cut: town.right(f"during-{cut}"))
            calm(lambda subscribed=subscribed: engine.counts["events"] == subscribed + 1)
            town.add(f"after-{cut}")
            calm(lambda cut=cut: town.right(f"after-{cut}"))
    assert not visitor.failures
    assert town.proxy.loads == before + 4
    assert engine.counts["inspect"] <= town.lives
    # once when the stream is lost, once when there is another
    assert engine.counts["list"] <= lists + 6


def test_b2_everything_is_listed_after_the_subscription_and_not_beside_it(engine, start_proxy: Start) -> None:
    start_proxy()
    # a counter keeps the order in which its keys came
    calls = list(engine.counts)
    assert calls.index("events") < calls.index("list")


@pytest.mark.engine
def test_b2_the_next_change_arrives_after_the_engine_was_restarted(
    start_dockcaddy: Start, containers: Containers, eventually: Eventually
) -> None:
    how = os.environ.get("DOCKCADDY_TESTS_START_ENGINE")
    if not how:
        pytest.xfail("DOCKCADDY_TESTS_START_ENGINE does not say how the engine is started")
    proxy = start_dockcaddy("--label-prefix", containers.prefix)
    containers.run("static", caddy=f"http://static.test:{proxy.port}", caddy__respond='"still here"')
    eventually(lambda: proxy.body("static.test") == "still here")
    pid = int(Path("/var/run/docker.pid").read_text())
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2])
    subprocess.run(shlex.split(how), check=True, capture_output=True, timeout=120)
    containers.run("after", caddy=f"http://after.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
    eventually(lambda: hostname(proxy.body("after.test")) == "after")


# --- B3: events that matter too


@pytest.mark.engine
def test_b3_a_health_event_flips_a_conditional_label(
    running: Proxy, containers: Containers, eventually: Eventually
) -> None:
    name = containers.run(
        "sick",
        "--health-cmd=test -e /tmp/healthy",
        "--health-interval=300ms",
        "--health-retries=1",
        image="python:3.11-slim",
        command=("python3", "-m", "http.server", "8000"),
        caddy=f"http://sick.test:{running.port}",
        caddy__respond="{{if isHealthy}}fine{{else}}poorly{{end}}",
    )
    eventually(lambda: running.body("sick.test") == "poorly")
    docker("exec", name, "touch", "/tmp/healthy")
    eventually(lambda: running.body("sick.test") == "fine")
    docker("exec", name, "rm", "/tmp/healthy")
    eventually(lambda: running.body("sick.test") == "poorly")


@pytest.mark.engine
def test_b3_a_container_that_is_told_to_stop_gets_no_more_requests(
    running: Proxy, containers: Containers, eventually: Eventually
) -> None:
    """It runs on: as the first process of its container it does not end of a signal."""
    served = ("python3", "-m", "http.server", "80", "-d", "/etc")
    site = {"caddy": f"http://ending.test:{running.port}", "caddy__reverse_proxy": "{{upstreams 80}}"}
    ending, _ = (containers.run(name, image="python:3.11-slim", command=served, **site) for name in "ab")

    def names() -> set[str]:
        return {running.body("ending.test", "/hostname").strip() for _ in range(20)}

    eventually(lambda: names() == {"a", "b"})
    docker("kill", "--signal=TERM", ending)
    eventually(lambda: names() == {"b"}, looks=1_000)
    assert docker("inspect", "--format", "{{.State.Running}}", ending) == "true"


@pytest.mark.engine
def test_b3_a_paused_container_gets_no_requests_until_it_goes_on(
    running: Proxy, containers: Containers, eventually: Eventually
) -> None:
    site = {"caddy": f"http://pausing.test:{running.port}", "caddy__reverse_proxy": "{{upstreams 80}}"}
    pausing, _ = (containers.run(name, **site) for name in "ab")

    def names() -> set[str]:
        return {hostname(running.body("pausing.test")) for _ in range(20)}

    eventually(lambda: names() == {"a", "b"})
    taken_over = running.taken_over
    docker("pause", pausing)
    # whoever asked it now would wait for it
    eventually(lambda: running.taken_over > taken_over, looks=1_000)
    assert names() == {"b"}
    docker("unpause", pausing)
    eventually(lambda: names() == {"a", "b"}, looks=1_000)


@pytest.mark.engine
def test_b3_a_renamed_container_is_served_by_its_new_name(
    running: Proxy, containers: Containers, eventually: Eventually
) -> None:
    site = {"caddy": f"http://named.test:{running.port}", "caddy__respond": "at{{index .Names 0}}"}
    name = containers.run("old", **site)
    eventually(lambda: running.body("named.test") == f"at/{name}")
    docker("rename", name, f"{name}er")
    eventually(lambda: running.body("named.test") == f"at/{name}er", looks=1_000)


@pytest.mark.engine
def test_b3_networks_that_come_and_go_are_known_when_a_container_is_on_them(
    running: Proxy, containers: Containers, eventually: Eventually
) -> None:
    def is_served() -> bool:
        return hostname(running.body("moving.test")) == "moving"

    site = {"caddy": f"http://moving.test:{running.port}", "caddy__reverse_proxy": "{{upstreams 80}}"}
    first = containers.network("first")
    name = containers.run("moving", f"--network={first}", **site)
    eventually(is_served, looks=1_000)
    taken_over = running.taken_over
    docker("network", "disconnect", first, name)
    # whoever asked it now would wait for it
    eventually(lambda: running.taken_over > taken_over, looks=1_000)
    assert not is_served()
    docker("network", "rm", first)
    docker("network", "connect", containers.network("first"), name)
    eventually(is_served, looks=1_000)


def test_b3_an_updated_container_is_looked_at_again(town, calm: Calm) -> None:
    container = town.engine.containers["a"]
    container.labels = {"caddy": f"http://updated.test:{town.proxy.port}", "caddy.respond": "updated"}
    town.engine.tell(container, "update")
    calm(lambda: town.proxy.body("updated.test") == "updated" and town.gone("a"))


# --- B5: Caddy has lost its configuration


@pytest.mark.engine
def test_b5_a_killed_caddy_comes_back_configured(
    running: Proxy, containers: Containers, eventually: Eventually
) -> None:
    containers.run("one", caddy=f"http://one.test:{running.port}", caddy__reverse_proxy="{{upstreams 80}}")
    eventually(lambda: hostname(running.body("one.test")) == "one")
    killed = running.caddy
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: running.caddy not in (0, killed) and hostname(running.body("one.test")) == "one", looks=1_000)


def test_b5_a_caddy_that_somebody_has_emptied_is_configured_again(town, tmp_path: Path, calm: Calm) -> None:
    before = town.proxy.loads
    admin = tmp_path / "state" / "admin.sock"
    AdminClient(f"unix/{admin}").load(b'{"admin":{"listen":"unix/%b"}}' % bytes(admin))
    calm(lambda: town.proxy.loads >= before + 2 and town.right("a", "b", "c"))
    assert town.proxy.loads == before + 2


# --- B6: nothing is worked out twice


def test_b6_polls_that_find_nothing_new_cost_caddy_nothing(engine, start_proxy: Start, eventually: Eventually) -> None:
    town = Town(engine, start_proxy("--polling-interval", "50ms"))
    town.add("a")
    eventually(lambda: town.right("a"))
    eventually(town.polled(2))
    loads, adapts = town.proxy.loads, town.proxy.said("POST /adapt")
    for name in ("x", "y", "z"):
        engine.add(name)
        engine.remove(name)
    eventually(town.polled(10))
    assert (town.proxy.loads, town.proxy.said("POST /adapt")) == (loads, adapts)
    assert engine.counts["inspect"] <= town.lives


def test_b6_one_more_container_among_many_costs_one_look_of_caddys(
    engine, start_proxy: Start, eventually: Eventually
) -> None:
    for number in range(100):
        engine.add(f"many-{number}", {"caddy": f"http://many-{number}.test", "caddy.respond": "x"})
    town = Town(engine, start_proxy())
    eventually(lambda: town.proxy.loads)
    adapts = town.proxy.said("POST /adapt")
    assert adapts <= 2
    town.add("a")
    eventually(lambda: town.right("a") and town.proxy.loads == 2)
    assert town.proxy.said("POST /adapt") <= adapts + 2


# --- B10: polling


def test_b10_without_polling_nothing_is_asked_by_itself(town, eventually: Eventually) -> None:
    counts = town.engine.counts.copy()
    cpu = town.proxy.cpu
    with town.visitor("a") as visitor:
        eventually(lambda: visitor.visits >= 100)
    assert town.engine.counts == counts
    assert town.proxy.cpu - cpu < 0.2


def test_b10_polls_keep_their_interval(engine, start_proxy: Start, eventually: Eventually) -> None:
    town = Town(engine, start_proxy("--polling-interval", "100ms"))
    # the list at the subscription to events comes besides
    eventually(town.polled(2))
    begun = time.monotonic()
    eventually(town.polled(6))
    assert time.monotonic() - begun >= 5 * 0.1


# --- B11: one thing at a time, and nothing is lost


def test_b11_a_poll_waits_for_the_one_before_it(engine, start_proxy: Start, eventually: Eventually) -> None:
    town, begun = Town(engine, start_proxy("--polling-interval", "20ms")), time.monotonic()
    engine.delay = 0.1
    eventually(town.polled(5))
    assert time.monotonic() - begun >= 4 * engine.delay


def test_b11_an_engine_that_does_not_answer_is_waited_for_by_one_thread(
    engine, start_proxy: Start, eventually: Eventually, calm: Calm
) -> None:
    town = Town(engine, start_proxy("--polling-interval", "50ms"))
    for name in "ab":
        town.add(name)
    eventually(lambda: town.right("a", "b"))
    engine.faults["list"] = "hang"
    threads = town.proxy.threads
    with town.visitor("a", "b") as visitor:
        eventually(lambda: visitor.visits >= 200)
        assert town.proxy.threads <= threads
        town.add("c")
        engine.faults.clear()
        calm(lambda: town.right("a", "b", "c"))
    assert not visitor.failures


def test_b11_a_change_that_comes_while_caddy_takes_another_is_not_lost(
    town, eventually: Eventually, calm: Calm
) -> None:
    loads, inspects = town.proxy.loads, town.engine.counts["inspect"]
    with town.visitor("a", "b") as visitor:
        with hanging(town.proxy.caddy):
            town.engine.remove("c")
            town.add("d")
            eventually(lambda: town.engine.counts["inspect"] > inspects)
            town.add("e")
            eventually(lambda: town.engine.counts["inspect"] > inspects + 1)
        calm(lambda: town.right("a", "b", "d", "e") and town.gone("c"))
    assert not visitor.failures
    # what was on its way, and the rest
    assert town.proxy.loads <= loads + 2
    assert town.engine.counts["inspect"] <= town.lives


def test_b11_what_is_told_while_a_cycle_runs_is_for_the_next_one(
    newcomers: Newcomers, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    world, reconciler = newcomers.world, newcomers.world.reconciler
    sites = newcomers.made(site("x", {"respond": "x"}), site("y", {"respond": "y"}))
    document = reconciler.quarantine.document

    def document_and_change(configuration: Configuration) -> Document:
        world.engine.hostile = sites
        reconciler.mailbox.wake()
        return document(configuration)

    with monkeypatch.context() as patch:
        patch.setattr(reconciler.quarantine, "document", document_and_change)
        world.engine.hostile = sites[:1]
        reconciler.mailbox.wake()
        reconciler.step()
    assert (newcomers.body("x"), newcomers.body("y")) == ("x", "")
    eventually(lambda: reconciler.step() or newcomers.body("y") == "y", looks=1_000)

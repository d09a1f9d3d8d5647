"""The engine fails in every way it can; the sites stay, and two seconds after it is well everything is true again.

The counts follow from the rule: each labelled container is inspected once in its life, and a configuration that Caddy
has is not sent again.
"""

from collections.abc import Callable

import pytest

Calm = Callable[[Callable[[], object]], None]
Eventually = Callable[..., None]


def change(town) -> None:
    """What happens while nobody hears of it: c goes, d comes."""
    town.engine.remove("c")
    town.add("d")


def changed(town) -> bool:
    return town.right("a", "b", "d") and town.gone("c")


def test_the_engine_is_stopped_and_comes_back(town, eventually: Eventually, calm: Calm) -> None:
    before = town.proxy.loads
    with town.visitor("a", "b") as visitor:
        town.engine.stop_answering()
        eventually(lambda: town.proxy.said("the last configuration stays"))
        change(town)
        town.engine.start_answering()
        calm(lambda: changed(town))
    assert not visitor.failures
    assert town.proxy.loads == before + 1
    assert town.engine.counts["inspect"] <= town.lives


def test_the_event_stream_gives_garbage(town, eventually: Eventually, calm: Calm) -> None:
    before, subscribed = town.proxy.loads, town.engine.counts["events"]
    town.engine.send_garbage()
    eventually(lambda: town.engine.counts["events"] == subscribed + 1)
    change(town)
    calm(lambda: changed(town))
    assert town.proxy.loads <= before + 2


def test_the_engine_answers_slowly(town, calm: Calm) -> None:
    before = town.proxy.loads
    town.engine.delay = 0.3
    with town.visitor("a", "b") as visitor:
        change(town)
        calm(lambda: changed(town))
    town.engine.delay = 0
    assert not visitor.failures
    assert town.proxy.loads <= before + 2
    assert town.engine.counts["inspect"] <= town.lives


@pytest.mark.parametrize("fault", ["error", "garbage", "hang"])
def test_every_call_fails_for_a_while(town, eventually: Eventually, calm: Calm, fault: str) -> None:
    engine = town.engine
    before = town.proxy.loads
    with town.visitor("a", "b") as visitor:
        engine.faults["all"] = fault
        engine.cut_streams()
        change(town)
        if fault != "hang":
            eventually(lambda: engine.refused.total() >= 5)
        engine.faults.clear()
        calm(lambda: changed(town))
    assert not visitor.failures
    assert town.proxy.loads == before + 1
    assert engine.counts["inspect"] <= town.lives


@pytest.mark.parametrize("fault", ["error", "garbage"])
def test_only_inspecting_fails_for_a_while(town, eventually: Eventually, calm: Calm, fault: str) -> None:
    engine = town.engine
    engine.faults["inspect"] = fault
    town.add("told", caddy__respond='{{env "WORD"}}').environment = ("WORD=hello",)
    eventually(lambda: town.proxy.said("cannot be inspected"))
    engine.faults.clear()
    calm(lambda: town.proxy.body("told.test") == "hello")
    assert engine.counts["inspect"] <= town.lives
    assert town.right("a", "b", "c")


def test_a_container_is_started_long_after_it_was_created(town, eventually: Eventually, calm: Calm) -> None:
    """It runs already when the address that it was given before its start is looked at."""
    before, lists = town.proxy.loads, town.engine.counts["small list"]
    town.create("d")
    eventually(lambda: town.engine.counts["small list"] > lists)
    town.engine.start("d")
    calm(lambda: town.right("d"))
    assert town.proxy.loads == before + 1
    assert town.engine.counts["inspect"] <= town.lives


def test_a_long_outage_is_over_when_the_engine_is_back(town, eventually: Eventually, calm: Calm) -> None:
    """What is tried again with growing pauses is still tried often enough."""
    engine = town.engine
    engine.faults["all"] = "error"
    engine.cut_streams()
    change(town)
    eventually(lambda: engine.refused.total() >= 10)
    engine.faults.clear()
    calm(lambda: changed(town))


@pytest.mark.parametrize("call", ["inspect", "list"])
def test_a_call_that_hangs_holds_nobody_up(town, eventually: Eventually, calm: Calm, call: str) -> None:
    engine = town.engine
    if call == "list":
        engine.faults["list"] = "hang"
        engine.cut_streams()
        subscribed = engine.counts["events"]
        eventually(lambda: engine.counts["events"] > subscribed and call in engine.held)
    else:
        for number in range(20):
            engine.faults[f"inspect hung-{number}"] = "hang"
            town.add(f"hung-{number}")
        eventually(lambda: call in engine.held)
    with town.visitor("a") as visitor:
        lost = engine.containers["b"].address
        engine.crash("b")
        calm(lambda: town.unanswered("b"))
        # whoever has the address now is not served under the other's name
        town.create("d").given = lost
        engine.start("d")
        engine.remove("c")
        calm(lambda: town.right("d") and town.unanswered("b") and town.gone("c"))
    assert not visitor.failures
    engine.faults.clear()
    calm(lambda: town.right(*engine.containers.keys() - {"b"}))

"""What the log says while the first pass takes long."""

import logging
from collections.abc import Callable, Sequence

import pytest
from attrs import define
from dockcaddy.narration import FirstPass
from proxy import Proxy
from stand_in_engine import StandInEngine


@define
class Told:
    """An engine that was read so far."""

    progress: tuple[int, int] | None = None
    name: str = "local"
    description: str = "docker 20.10.24"
    unlabelled: int = 0
    is_known: bool = False


def said(engines: Sequence[Told], caplog: pytest.LogCaptureFixture, *steps: Callable[[], object]) -> list[str]:
    """What is logged, looking again after each step."""
    over: list[bool] = []
    first = FirstPass(engines, lambda number: engines[number].is_known, lambda: bool(over))
    with caplog.at_level(logging.INFO):
        first.report()
        for step in steps:
            if step() == "over":
                over.append(True)
            first.report()
    return caplog.messages


def test_what_is_waited_for_is_said_once_and_again_when_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    engine = Told()
    messages = said(
        [engine],
        caplog,
        lambda: None,
        lambda: setattr(engine, "progress", (0, 0)),
        lambda: setattr(engine, "progress", (840, 3000)),
        lambda: setattr(engine, "progress", (2100, 3000)),
        lambda: setattr(engine, "is_known", True),
        lambda: "over",
    )
    assert messages == [
        "engine local: docker 20.10.24 has not answered yet, it is asked again and again",
        "engine local: docker 20.10.24 has not listed its containers yet",
        "engine local: 840 of 3000 containers read",
        "engine local: 2100 of 3000 containers read",
        "engine local: 3000 containers read, their sites are being prepared",
    ]


def test_a_failure_or_an_engine_without_containers_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    # a failure is logged by itself
    assert said([Told(is_known=True), Told((0, 0), "other", is_known=True)], caplog) == []


@pytest.mark.process
def test_while_many_containers_are_read_the_log_says_how_many(
    engine: StandInEngine, start_proxy: Callable[..., Proxy], eventually: Callable[..., None]
) -> None:
    for number in range(60):
        engine.add(f"web-{number}", {"caddy": f"http://web-{number}.test:1", "caddy.respond": "hello"})
    engine.delay = 0.5
    proxy = start_proxy()
    eventually(lambda: proxy.said(" of 60 containers read"))
    assert not proxy.said("has not answered")
    engine.delay = 0.0
    eventually(lambda: proxy.said("live: 60 sites"))

"""Calls of plugins are timed: one that holds everything up is told, also while it does."""

import logging

import pytest
from attrs import define
from clock import Clock
from dockcaddy.plugins.guard import CallTimer, Contribution


@define
class Calls:
    """Contributions with one timer, and what is told of them."""

    clock: Clock
    timer: CallTimer
    log: pytest.LogCaptureFixture

    def make(self, name: str, source: str = "file site.py") -> Contribution[None]:
        return Contribution("function", name, None, "site", source, self.timer)

    @property
    def told(self) -> list[str]:
        return [record.getMessage() for record in self.log.records if record.levelno >= logging.WARNING]


@pytest.fixture
def calls(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Calls:
    monkeypatch.setattr(logging.getLogger("dockcaddy"), "propagate", True)
    clock = Clock()
    return Calls(clock, CallTimer(clock), caplog)


def run(contribution: Contribution[None], work: object) -> None:
    contribution.run(lambda: work, about="container web", check=lambda given: given() if callable(given) else given)


def test_what_takes_more_than_a_second_is_told(calls: Calls) -> None:
    run(calls.make("quick"), lambda: calls.clock.advance(0.9))
    assert calls.told == []
    run(calls.make("slow"), lambda: calls.clock.advance(5))
    assert calls.told == [
        'container web: function "slow" of plugin site took 5.0 s: nothing else was done in the meantime'
    ]


def test_what_does_not_come_back_is_told_while_it_is_awaited(calls: Calls) -> None:
    def hang() -> None:
        for _ in range(10):
            calls.clock.advance(0.5)
            calls.timer.look()

    run(calls.make("hanging"), hang)
    assert calls.told == [
        'container web: function "hanging" of plugin site has not returned yet: nothing else is done until then',
        'container web: function "hanging" of plugin site took 5.0 s: nothing else was done in the meantime',
    ]


def test_one_that_waits_for_another_is_not_blamed(calls: Calls) -> None:
    def ask() -> None:
        run(calls.make("gate"), lambda: calls.clock.advance(2))
        calls.clock.advance(0.5)

    run(calls.make("upstreams"), ask)
    assert [line for line in calls.told if '"gate"' not in line] == []
    assert len(calls.told) == 1


def test_one_that_fails_slowly_is_told_too(calls: Calls) -> None:
    def fail() -> None:
        calls.clock.advance(2)
        raise ValueError

    with pytest.raises(Exception, match="ValueError"):
        run(calls.make("failing"), fail)
    assert len(calls.told) == 1


def test_the_same_one_is_told_once_a_minute(calls: Calls) -> None:
    for _ in range(30):
        run(calls.make("slow"), lambda: calls.clock.advance(5))
    assert len(calls.told) == 3


def test_nothing_is_going_on_when_nothing_goes_on(calls: Calls) -> None:
    run(calls.make("slow"), lambda: calls.clock.advance(0.1))
    calls.clock.advance(100)
    calls.timer.look()
    assert calls.told == []


def test_what_is_bundled_is_no_warning(calls: Calls) -> None:
    run(calls.make("admin", "bundled"), lambda: calls.clock.advance(3))
    assert calls.told == []

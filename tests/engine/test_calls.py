"""The open calls to an engine."""

import threading
from collections.abc import Callable
from typing import Any

from attrs import define, field
from dockcaddy.engine.api.calls import Calls

Asked = tuple[Callable[[], Any], Callable[[Any], None]]


@define(eq=False)
class InTurn:
    """Calls are answered when the test says so."""

    waiting: list[Asked] = field(factory=list)

    def perform(self, ask: Callable[[], Any], done: Callable[[Any], None]) -> None:
        self.waiting.append((ask, done))

    def go_on(self, name: str, loop: Callable[[], None]) -> None:
        raise AssertionError(name)

    def close(self) -> None:
        self.waiting.clear()

    def answer(self) -> None:
        """Answer the oldest call."""
        ask, done = self.waiting.pop(0)
        done(ask())


class CountedCondition(threading.Condition):
    """Counts how often it wakes whoever waits."""

    wakes = 0

    def notify_all(self) -> None:
        self.wakes += 1
        super().notify_all()


def test_who_waits_is_woken_by_the_last_of_calls_that_begin_each_other() -> None:
    lock, work = CountedCondition(), InTurn()
    calls = Calls(lambda: 0.0, lock, lambda: None, work)

    def begin(left: int) -> None:
        calls.begin("inspect", lambda: left, take, lambda error: None, str(left))

    def take(left: int) -> None:
        if left:
            begin(left - 1)

    with lock:
        begin(20)
    for _ in range(20):
        work.answer()
    assert (calls.answers, lock.wakes) == (20, 0)
    work.answer()
    assert (calls.answers, lock.wakes, calls.open) == (21, 1, [])

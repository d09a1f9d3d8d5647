"""The simulated time: what is to happen, in order, in one thread. Whoever waits has everything else happen meanwhile."""

import heapq
import threading
from collections.abc import Callable
from itertools import count
from types import TracebackType
from typing import Any, Self

from attrs import define, field

Action = Callable[[], None]


@define(eq=False, repr=False)
class Schedule:
    """Calls what is due, the sooner first; of what is due at once the first to be asked for. Times are in seconds.

    `after_each` is called whenever something has happened.
    """

    now: float = 1000.0
    after_each: Action = lambda: None
    _queue: list[tuple[float, int, Action]] = field(factory=list)
    _numbers: "count[int]" = field(factory=count)

    def __call__(self) -> float:
        return self.now

    def at(self, time: float, action: Action) -> None:
        heapq.heappush(self._queue, (time, next(self._numbers), action))

    def after(self, seconds: float, action: Action) -> None:
        self.at(self.now + seconds, action)

    def wait(self, seconds: float, is_over: Callable[[], bool] = lambda: False) -> bool:
        """Have everything happen that does until then, or until it is over; tells whether it is."""
        end = self.now + seconds
        while not is_over():
            if not self._queue or self._queue[0][0] > end:
                self.now = max(self.now, end)
                return is_over()
            time, _, action = heapq.heappop(self._queue)
            self.now = max(self.now, time)
            action()
            self.after_each()
        return True

    def jump(self, seconds: float) -> None:
        """Nothing happens for a while, and then all of it late: the machine was asleep."""
        self.now += seconds


@define(eq=False)
class SimulatedCondition:
    """A condition of one thread: what others would do happens while it waits. `notified` hears of each notification."""

    schedule: Schedule
    notified: Action = lambda: None
    _count: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def notify_all(self) -> None:
        self._count += 1
        self.notified()

    def wait(self, timeout: float | None = None) -> bool:
        before = self._count
        return self.schedule.wait(float("inf") if timeout is None else timeout, lambda: self._count != before)

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> bool:
        """As a real one it looks at the beginning, when it is notified, and at the end."""
        end = self.schedule.now + (float("inf") if timeout is None else timeout)
        while not predicate():
            if not self.wait(end - self.schedule.now):
                return bool(predicate())
        return True


def as_condition(condition: SimulatedCondition) -> threading.Condition:
    """For those who declare a real one."""
    return condition  # type: ignore[return-value]

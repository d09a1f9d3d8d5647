"""Where calls and loops run: in threads, or step by step in a simulation."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol

from attrs import define, field

from dockcaddy.settings import limits

# a call that may hang, and what gets its response or error
Asking = tuple[Callable[[], Any], Callable[[Any], None]]


class Work(Protocol):
    """Runs calls and loops in the background."""

    def perform(self, ask: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Call `ask`, which may hang, in the background. `done` gets what it returns or raises."""

    def go_on(self, name: str, loop: Callable[[], None]) -> None:
        """Run `loop` in the background, until it returns or the program ends."""

    def close(self) -> None:
        """End the threads that wait for a call."""


@define(eq=False)
class Threads:
    """Runs each call in a thread of its own, so that a call that hangs delays no other."""

    _next: "SimpleQueue[Asking | None]" = field(factory=SimpleQueue)
    _lock: threading.Lock = field(factory=threading.Lock)
    _idle: int = 0

    def perform(self, ask: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """See Work."""
        self._next.put((ask, done))
        with self._lock:
            is_taken, self._idle = self._idle > 0, max(self._idle - 1, 0)
        if not is_taken:
            self.go_on("calls of an engine", self._work)

    def go_on(self, name: str, loop: Callable[[], None]) -> None:
        """See Work."""
        threading.Thread(target=loop, name=name, daemon=True).start()

    def close(self) -> None:
        """See Work."""
        with self._lock:
            idle, self._idle = self._idle, 0
        for _ in range(idle):
            self._next.put(None)

    def _work(self) -> None:
        while (asking := self._next.get()) is not None:
            ask, done = asking
            answer = _answer(ask)
            with self._lock:
                stays = self._idle < limits.MAX_IDLE_ENGINE_THREADS
                # it takes the next call when it is done, which may be one that begins with this answer
                self._idle += stays
            done(answer)
            # a thread that waits must not keep the last answer: a list of thousands of containers takes megabytes
            del asking, ask, done, answer
            if not stays:
                return


def _answer(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception as error:
        return error

"""Where an engine's calls are made and what goes on by itself is done: in threads, or step by step in a simulation."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol

from attrs import define, field

from dockcaddy.settings import limits

# something that may hang, and what is told the answer or the error
Asking = tuple[Callable[[], Any], Callable[[Any], None]]


class Work(Protocol):
    """Does what nobody waits for."""

    def perform(self, ask: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Call `ask` aside, as it may hang, and hand what it returns or raises to `done`."""

    def go_on(self, name: str, loop: Callable[[], None]) -> None:
        """Call `loop` aside, which ends when the program does, or before."""

    def close(self) -> None:
        """Keep nobody for more calls."""


@define(eq=False)
class Threads:
    """Each call is made in a thread of its own: one that hangs holds up nobody else."""

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
            try:
                answer = ask()
            except Exception as error:
                answer = error
            done(answer)
            with self._lock:
                if self._idle >= limits.MAX_IDLE_ENGINE_THREADS:
                    return
                self._idle += 1

"""What other threads report to the loop: event streams, the process that watches Caddy, signal handlers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import define, evolve, field, frozen


@frozen
class Signals:
    """What was reported since the signals were taken last.

    `first_change` and `last_change` are when changes were reported, in seconds of the clock; None without any. They are
    urgent where requests would go to a container that is about to stop. `crashes` counts how often Caddy crashed before
    it started.
    """

    first_change: float | None = None
    last_change: float | None = None
    is_urgent: bool = False
    caddy_started: bool = False
    crashes: int = 0


_NONE = Signals()


@define(eq=False)
class Mailbox:
    """Everything that the loop shares with other threads; each access holds the lock. `clock` gives seconds."""

    clock: Callable[[], float]
    _condition: threading.Condition = field(factory=threading.Condition)
    _signals: Signals = _NONE
    _is_stopped: bool = False
    _ignores_crashes: bool = False

    def wake(self, *, urgent: bool = False) -> None:
        """The inventory may have changed."""
        now = self.clock()
        with self._condition:
            before = self._signals
            first = now if before.first_change is None else before.first_change
            is_urgent = before.is_urgent or urgent
            self._put(evolve(before, first_change=first, last_change=now, is_urgent=is_urgent))

    def caddy_started(self, crashes: int = 0) -> None:
        """Caddy started, and may have lost its configuration; it had crashed `crashes` times since the last start."""
        with self._condition:
            before = self._signals
            counted = before.crashes if self._ignores_crashes else before.crashes + crashes
            self._put(evolve(before, caddy_started=True, crashes=counted))

    def stop(self) -> None:
        """End the loop after the present pass."""
        with self._condition:
            self._is_stopped = True
            self._condition.notify_all()

    @property
    def is_stopped(self) -> bool:
        """Whether the loop is to end."""
        with self._condition:
            return self._is_stopped

    @contextmanager
    def ignoring_crashes(self) -> Iterator[None]:
        """While fragments are tried: which of them Caddy does not survive is found by the trial itself."""
        with self._condition:
            self._ignores_crashes = True
        try:
            yield
        finally:
            with self._condition:
                self._ignores_crashes = False

    def take(self) -> Signals:
        """All signals; the mailbox is empty afterwards."""
        with self._condition:
            signals, self._signals = self._signals, _NONE
            return signals

    def wait_until(self, due: float) -> None:
        """Wait until the clock says `due`, or something is reported."""
        with self._condition:
            while self._signals == _NONE and not self._is_stopped:
                now = self.clock()
                if now >= due:
                    return
                self._condition.wait(due - now)

    def _put(self, signals: Signals) -> None:
        self._signals = signals
        self._condition.notify_all()

"""Backoff: the pause before the next try grows with each failure in a row. Pure."""

from attrs import define

# the longest pause is reached long before; more would overflow a float
_MOST_DOUBLINGS = 64


def pause_after(failures: int, first: float, longest: float, factor: float = 2.0) -> float:
    """How many seconds to wait after `failures` in a row; 0 after none."""
    if failures < 1:
        return 0.0
    return min(first * factor ** min(failures - 1, _MOST_DOUBLINGS), longest)


@define
class Backoff:
    """When something that failed is tried again: after `first` seconds, then `factor` times as long, up to `longest`.

    `retry_at` is in seconds of the clock that gives `now`; None after a success.
    """

    first: float
    longest: float
    factor: float = 2.0
    retry_at: float | None = None
    _failures: int = 0

    def failed(self, now: float) -> float:
        """Count a failure. Returns the seconds until the next try."""
        self._failures += 1
        pause = pause_after(self._failures, self.first, self.longest, self.factor)
        self.retry_at = now + pause
        return pause

    def succeeded(self) -> None:
        """The next failure is the first one again."""
        self.retry_at = None
        self._failures = 0

    def is_due(self, now: float) -> bool:
        """Whether a try is allowed now."""
        return self.retry_at is None or now >= self.retry_at

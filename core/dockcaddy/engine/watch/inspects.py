"""The queue of containers to inspect. A slow inspect does not block others. No I/O."""

from collections.abc import Iterable

from attrs import define, field

from dockcaddy.backoff import pause_after
from dockcaddy.settings import limits

# between tries of a failed inspect, in seconds
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 0.75
# between tries of a forbidden inspect, which somebody has to allow first
FORBIDDEN_PAUSE = 30.0


@define(eq=False)
class InspectQueue:
    """The ids to inspect, and when to retry failed ones. Times are in seconds of the clock."""

    _waiting: dict[str, None] = field(factory=dict)
    _retries: dict[str, float] = field(factory=dict)
    _failures: dict[str, int] = field(factory=dict)
    _forbidden: set[str] = field(factory=set)

    def want(self, ids: Iterable[str]) -> None:
        """Queue these, except those whose inspect is forbidden."""
        self._waiting.update(dict.fromkeys(id for id in ids if id not in self._forbidden))

    def next(self, begun: int, late: int) -> str | None:
        """The next id to inspect, None for none now. `begun` inspects are open, `late` of them are late.

        Newest first, and first tries before retries, so that an inspect that hangs delays no other.
        """
        if not self._waiting or begun >= limits.MAX_OPEN_INSPECTS or begun - late >= limits.MAX_INSPECTS_AT_ONCE:
            return None
        newest_first = reversed(self._waiting)
        chosen = next((id for id in newest_first if id not in self._failures), next(iter(self._waiting)))
        del self._waiting[chosen]
        self._retries.pop(chosen, None)
        return chosen

    @property
    def is_empty(self) -> bool:
        """Whether no inspect is queued."""
        return not self._waiting

    def succeeded(self, id: str) -> None:
        """The container was inspected, or is gone."""
        # one that was queued meanwhile stays queued
        self._failures.pop(id, None)
        self._forbidden.discard(id)

    def forbidden(self, id: str, now: float) -> None:
        """The inspect is forbidden: retry it after a long pause."""
        self._forbidden.add(id)
        self._retries[id] = now + FORBIDDEN_PAUSE

    def failed(self, id: str, now: float) -> None:
        """The inspect failed: retry it with backoff."""
        failures = self._failures[id] = self._failures.get(id, 0) + 1
        self._retries[id] = now + pause_after(failures, FIRST_PAUSE, LONGEST_PAUSE)

    def again(self, id: str, at: float) -> None:
        """Queue it at a time, or when a retry of its inspect is due after that."""
        self._retries[id] = max(self._retries.get(id, at), at)

    def retry(self, now: float) -> None:
        """Queue the ids whose next try is due."""
        due = [id for id, at in self._retries.items() if now >= at]
        self._forbidden.difference_update(due)
        self.want(due)

    def next_due(self) -> float | None:
        """When the next try is due."""
        return min((at for id, at in self._retries.items() if id not in self._waiting), default=None)

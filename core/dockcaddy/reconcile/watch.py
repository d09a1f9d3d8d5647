"""The engines as the loop watches them: what each one had last, and when one that failed is asked again."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol

from attrs import define, evolve, field, frozen

from dockcaddy.backoff import Backoff
from dockcaddy.errors import EngineUnreachable, own_fault
from dockcaddy.model import EngineInventory, EngineSilent, Inventory, Problem

logger = logging.getLogger("dockcaddy")

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 0.75
# an error that lasts is logged again after so many seconds
REMINDER = 300.0
# an engine that is away for this long is a problem of its own
REPORTED_AFTER = 10.0


class Wake(Protocol):
    """Reports to the loop that the inventory may have changed.

    It is `urgent` where requests would go to a container that is about to stop.
    """

    def __call__(self, *, urgent: bool = False) -> None:
        """May be called from any thread."""


class WatchedEngine(Protocol):
    """An engine as the loop sees it."""

    @property
    def name(self) -> str:
        """How errors name it."""

    def start(self, wake: Wake) -> None:
        """Begin to watch; `wake` is called whenever the inventory may have changed."""

    def inventory(self) -> EngineInventory:
        """What the engine has now. Raises EngineUnreachable."""

    def resync(self) -> None:
        """List everything anew at the next `inventory`."""

    def close(self) -> None:
        """Stop watching."""


@frozen
class Silence:
    """When an engine stopped to answer: in seconds of the clock, and since the epoch."""

    since: float
    time: float


@define(repr=False)
class EngineWatch:
    """One engine and its last inventory. `clock` gives seconds, `time` those since the epoch.

    `failure` is why it does not answer now, `""` where it does.
    While the engine does not answer, its last inventory counts for `retention` seconds, 0 for ever.
    """

    engine: WatchedEngine
    clock: Callable[[], float]
    retention: float = 0.0
    time: Callable[[], float] = time.time
    failure: str = ""
    _last: EngineInventory | None = None
    was_known: bool = False
    _silence: Silence | None = None
    _backoff: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))
    _remind_at: dict[str, float] = field(factory=dict)

    @property
    def retry_at(self) -> float | None:
        """When the engine is asked again after a failure, in seconds of the clock."""
        return self._backoff.retry_at

    def inventory(self, has_configuration: Callable[[], bool]) -> EngineInventory | None:
        """What the engine has now; None where it never answered.

        Where it does not answer it is what the engine had last, without what has ended since according to its events.
        """
        try:
            self._last = self.engine.inventory()
        except Exception as error:
            known = error.known if isinstance(error, EngineSilent) else self._last
            self._last = None if known is None else evolve(known, has_old_services=True)
            self.was_known |= known is not None
            self._failed(error, has_configuration)
            if self._last is not None and self.is_expired:
                return None
        else:
            self._succeeded()
        return self._last

    @property
    def is_expired(self) -> bool:
        """Whether the engine does not answer for longer than what it had is kept."""
        return bool(self.retention and self._silence and self.clock() >= self._silence.since + self.retention)

    @property
    def is_unheard(self) -> bool:
        """Whether what an earlier run knew of the engine counts, because it has not answered yet."""
        return not self.was_known and not self.is_expired

    def problems(self) -> tuple[Problem, ...]:
        """That the engine does not answer, where that lasts."""
        silence = self._silence
        if silence is None or self.clock() < silence.since + REPORTED_AFTER:
            return ()
        since = f"since {_written(silence.time)}" if self.was_known else "since dockcaddy started"
        what = "its containers and services stay as they were" if self.was_known else "its last known sites stay"
        until = f" until {_written(silence.time + self.retention)} (--engine-retention)" if self.retention else ""
        if self.is_expired:
            what, until = "its sites were removed", until.replace(" until ", " at ")
        return (Problem(f"engine {self.engine.name}", "", f"does not answer {since}, {what}{until}", "warning"),)

    def _succeeded(self) -> None:
        if self.failure:
            logger.info("engine %s: answers again", self.engine.name)
        self.failure, self._silence, self.was_known = "", None, True
        self._remind_at.clear()
        self._backoff.succeeded()

    def _failed(self, error: Exception, has_configuration: Callable[[], bool]) -> None:
        now = self.clock()
        self._backoff.failed(now)
        self._silence = self._silence or Silence(now, self.time())
        self.failure = error.advice if isinstance(error, EngineUnreachable) else own_fault(error)
        if now < self._remind_at.get(self.failure, now):
            return
        self._remind_at[self.failure] = now + REMINDER
        meaning = "the last configuration stays" if has_configuration() else "nothing is configured until it does"
        if self.is_expired:
            meaning = "its sites were removed (--engine-retention)"
        logger.error("engine %s: %s; %s, it is asked again and again", self.engine.name, self.failure, meaning)
        logger.debug("where it happened", exc_info=error)


@define
class EngineWatches:
    """All engines."""

    watches: Sequence[EngineWatch]

    @classmethod
    def of(
        cls, engines: Sequence[WatchedEngine], clock: Callable[[], float], retention: float = 0.0
    ) -> "EngineWatches":
        """Watches of these engines. `retention` is how long what they had counts while they do not answer."""
        return cls([EngineWatch(engine, clock, retention) for engine in engines])

    def inventory(self, has_configuration: Callable[[], bool]) -> Inventory | None:
        """What all engines have; None as long as none of them has answered, and what an earlier run knew of one counts.

        `has_configuration` says whether anything is served: errors in the log name the consequence.
        """
        known = self._known
        found = [watch.inventory(has_configuration) for watch in self.watches]
        if len(found) > 1 and self._known > known:
            # which addresses of an engine count depends on what the others have
            found = [watch.inventory(has_configuration) for watch in self.watches]
        if not self._known and self.unheard:
            return None
        return Inventory.of([self._reported(*each) for each in zip(self.watches, found, strict=True)])

    @property
    def _known(self) -> int:
        """How many engines have answered."""
        return sum(watch.was_known for watch in self.watches)

    def _reported(self, watch: EngineWatch, found: EngineInventory | None) -> EngineInventory:
        """What an engine has, with the problem that it does not answer."""
        known = EngineInventory(watch.engine.name, is_known=watch.was_known) if found is None else found
        problems = watch.problems()
        return evolve(known, problems=(*known.problems, *problems)) if problems else known

    @property
    def unheard(self) -> frozenset[str]:
        """The names of engines that have not answered yet, and of which what an earlier run knew counts."""
        return frozenset(watch.engine.name for watch in self.watches if watch.is_unheard)

    @property
    def failures(self) -> dict[str, str]:
        """Why engines do not answer now, by name; `""` for those that do."""
        return {watch.engine.name: watch.failure for watch in self.watches}

    def resync(self) -> None:
        """List everything anew at the next `inventory`."""
        for watch in self.watches:
            watch.engine.resync()

    def retries(self) -> Iterator[float]:
        """When engines that failed are asked again, in seconds of the clock."""
        return (watch.retry_at for watch in self.watches if watch.retry_at is not None)


def _written(time: float) -> str:
    """A time in seconds since the epoch, for people."""
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S} UTC"

"""The engines as the loop watches them: what each one had last, and when one that failed is asked again."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from attrs import define, evolve, field

from dockcaddy.backoff import Backoff
from dockcaddy.errors import EngineUnreachable, own_fault
from dockcaddy.model import EngineInventory, EngineSilent, Inventory

logger = logging.getLogger("dockcaddy")

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 0.75
# an error that lasts is logged again after so many seconds
REMINDER = 300.0


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


@define
class EngineWatch:
    """One engine and its last inventory. `clock` gives seconds."""

    engine: WatchedEngine
    clock: Callable[[], float]
    _last: EngineInventory | None = None
    _failure: str = ""
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
            self._failed(error, has_configuration)
        else:
            self._succeeded()
        return self._last

    def _succeeded(self) -> None:
        if self._failure:
            logger.info("engine %s: answers again", self.engine.name)
        self._failure = ""
        self._remind_at.clear()
        self._backoff.succeeded()

    def _failed(self, error: Exception, has_configuration: Callable[[], bool]) -> None:
        now = self.clock()
        self._backoff.failed(now)
        self._failure = error.advice if isinstance(error, EngineUnreachable) else own_fault(error)
        if now < self._remind_at.get(self._failure, now):
            return
        self._remind_at[self._failure] = now + REMINDER
        meaning = "the last configuration stays" if has_configuration() else "nothing is configured until it does"
        logger.error("engine %s: %s; %s, it is asked again and again", self.engine.name, self._failure, meaning)
        logger.debug("where it happened", exc_info=error)


@define
class EngineWatches:
    """All engines."""

    watches: Sequence[EngineWatch]

    @classmethod
    def of(cls, engines: Sequence[WatchedEngine], clock: Callable[[], float]) -> "EngineWatches":
        """Watches of these engines."""
        return cls([EngineWatch(engine, clock) for engine in engines])

    def inventory(self, has_configuration: Callable[[], bool]) -> Inventory | None:
        """What all engines have; None as long as none of them has answered.

        `has_configuration` says whether anything is served: errors in the log name the consequence.
        """
        found = [watch.inventory(has_configuration) for watch in self.watches]
        known = [each for each in found if each is not None]
        return Inventory.of(known) if known else None

    def resync(self) -> None:
        """List everything anew at the next `inventory`."""
        for watch in self.watches:
            watch.engine.resync()

    def retries(self) -> Iterator[float]:
        """When engines that failed are asked again, in seconds of the clock."""
        return (watch.retry_at for watch in self.watches if watch.retry_at is not None)

"""An engine that is watched: what it had last, and when to ask again where it does not answer."""

import logging
from collections.abc import Callable
from typing import Protocol

from attrs import define, field

from dockcaddy.backoff import Backoff
from dockcaddy.errors import EngineUnreachable, own_fault
from dockcaddy.model import EngineInventory, EngineSilent

logger = logging.getLogger("dockcaddy")

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 0.75
# an engine that does not answer is told of again after so many seconds
REMINDER = 300.0


class Wake(Protocol):
    """Tells the loop that the inventory may have changed; `urgent` where requests would go to what is about to end."""

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
class Watch:
    """An engine, its last inventory, and when to ask again after a failure. `clock` gives seconds."""

    engine: WatchedEngine
    clock: Callable[[], float]
    last: EngineInventory | None = None
    _failure: str = ""
    _backoff: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))
    _told: dict[str, float] = field(factory=dict)

    @property
    def retry_at(self) -> float | None:
        """When the engine is asked again after a failure, in seconds of the clock."""
        return self._backoff.retry_at

    def ask(self, has_configuration: Callable[[], bool]) -> None:
        """Ask what it has now; where it does not answer, what it had stays, without what events say has ended."""
        try:
            self.last = self.engine.inventory()
        except Exception as error:
            if isinstance(error, EngineSilent):
                self.last = error.known
            self._failure = error.advice if isinstance(error, EngineUnreachable) else own_fault(error)
            self._tell(error, has_configuration)
            self._backoff.failed(self.clock())
            return
        if self._failure:
            logger.info("engine %s: answers again", self.engine.name)
        self._failure = ""
        self._backoff.succeeded()
        self._told.clear()

    def _tell(self, error: Exception, has_configuration: Callable[[], bool]) -> None:
        """Say why it does not answer, and what that means: once for each cause, and again now and then."""
        now = self.clock()
        if now < self._told.get(self._failure, now):
            return
        self._told[self._failure] = now + REMINDER
        meaning = "the last configuration stays" if has_configuration() else "nothing is configured until it does"
        logger.error("engine %s: %s; %s, it is asked again and again", self.engine.name, self._failure, meaning)
        logger.debug("where it happened", exc_info=error)

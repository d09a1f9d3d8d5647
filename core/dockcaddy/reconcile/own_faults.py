"""After an error that nobody foresaw: message once as the program's own, tried again with a growing pause."""

import logging
from collections.abc import Callable

from attrs import define, field

from dockcaddy.backoff import Backoff
from dockcaddy.errors import own_fault

logger = logging.getLogger("dockcaddy")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


@define
class OwnFault:
    """The error that is being waited out, where there is one: nothing is tried before `resume_at`. All in seconds."""

    _reported: str = ""
    _backoff: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))

    @property
    def resume_at(self) -> float | None:
        """When to go on; None where nothing is waited out."""
        return self._backoff.retry_at

    def began(self, error: Exception, now: float) -> None:
        """The error occurred, for the first time or again."""
        pause = self._backoff.failed(now)
        message = own_fault(error)
        logger.log(
            logging.DEBUG if message == self._reported else logging.ERROR,
            "%s; the last configuration stays, trying again in %g s (--log-level debug shows where)",
            message,
            pause,
        )
        logger.debug("where it happened", exc_info=error)
        self._reported = message

    def ended(self) -> None:
        """It went well."""
        if self._reported:
            logger.info("no longer: %s", self._reported)
        self._reported = ""
        self._backoff.succeeded()

    def is_over(self, clock: Callable[[], float]) -> bool:
        """Whether there is nothing to wait for."""
        return self._backoff.is_due(clock())

"""Unexpected errors in the loop: each is logged once as a fault of dockcaddy, and the pass is retried with backoff."""

import logging

from attrs import define, field

from dockcaddy.backoff import Backoff
from dockcaddy.errors import own_fault

logger = logging.getLogger("dockcaddy")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


@define
class OwnFault:
    """The unexpected error of the last pass, if there was one: nothing is done before `resume_at`."""

    _reported: str = ""
    _backoff: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))

    @property
    def resume_at(self) -> float | None:
        """When the loop goes on, in seconds of the clock; None without an error."""
        return self._backoff.retry_at

    def began(self, error: Exception, now: float) -> None:
        """An error was raised, again or for the first time."""
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
        """A pass went well."""
        if self._reported:
            logger.info("no longer: %s", self._reported)
        self._reported = ""
        self._backoff.succeeded()

    def is_over(self, now: float) -> bool:
        """Whether the loop may go on."""
        return self._backoff.is_due(now)

"""After an error that nobody foresaw: told once as the program's own, tried again with a growing pause."""

import logging
from collections.abc import Callable

from attrs import define

from dockcaddy.errors import own_fault

logger = logging.getLogger("dockcaddy")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


@define
class OwnFault:
    """The error that is being waited out, where there is one: nothing is tried before `resume_at`. All in seconds."""

    resume_at: float | None = None
    _told: str = ""
    _pause: float = 0.0

    def began(self, error: Exception, now: float) -> None:
        """It came up, again or for the first time."""
        self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        self.resume_at = now + self._pause
        told = own_fault(error)
        logger.log(
            logging.DEBUG if told == self._told else logging.ERROR,
            "%s; the last configuration stays, trying again in %g s (--log-level debug shows where)",
            told,
            self._pause,
        )
        logger.debug("where it happened", exc_info=error)
        self._told = told

    def ended(self) -> None:
        """It went well."""
        if self._told:
            logger.info("no longer: %s", self._told)
        self.resume_at, self._told, self._pause = None, "", 0.0

    def is_over(self, clock: Callable[[], float]) -> bool:
        """Whether there is nothing to wait for."""
        return self.resume_at is None or clock() >= self.resume_at

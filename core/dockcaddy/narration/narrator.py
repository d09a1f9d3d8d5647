"""What the loop reports: the passes that it made, and what is wrong."""

import logging
from collections.abc import Iterable
from typing import Protocol

from attrs import define, frozen

from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Pending, Problem

logger = logging.getLogger("dockcaddy")


@frozen(eq=False)
class Pass:
    """One pass of the loop that came to a configuration.

    `noticed` is when its oldest change was reported, `ended` when the pass was over, in seconds of one clock. With
    `is_delivered`, every live output has the configuration.
    """

    inventory: Inventory
    configuration: Configuration
    noticed: float
    ended: float
    is_delivered: bool = True


class Narrator(Protocol):
    """Reports to people what the loop does, from nothing but what it is given."""

    def report(self, problems: Iterable[Problem]) -> None:
        """All problems there are now; called in every pass."""

    def finished(self, done: Pass) -> None:
        """A pass is over; the problems after it have been reported already."""


@define
class ProblemLog:
    """Logs each problem once when it appears and once when it is gone, except what is pending, and nothing about passes."""

    _reported: frozenset[Problem] = frozenset()

    def report(self, problems: Iterable[Problem]) -> None:
        """Log the difference to the last call."""
        current = dict.fromkeys(each for each in problems if not isinstance(each, Pending))
        for problem in current:
            if problem not in self._reported:
                level = logging.ERROR if problem.severity == "error" else logging.WARNING
                logger.log(level, "%s", problem, extra={"resource": problem.resource, "label": problem.label})
        for problem in sorted(self._reported - current.keys(), key=str):
            logger.info("no longer: %s", problem, extra={"resource": problem.resource, "label": problem.label})
        self._reported = frozenset(current)

    def finished(self, done: Pass) -> None:
        """A pass is over."""

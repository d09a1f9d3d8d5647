"""What the loop hands to whoever tells people about it."""

import logging
from collections.abc import Iterable
from typing import Protocol

from attrs import define, frozen

from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Problem

logger = logging.getLogger("dockcaddy")


@frozen(eq=False)
class Cycle:
    """One pass of the loop that came to a configuration.

    `noticed` is when what it takes up was noticed, `ended` when it was over, in seconds of one clock. `is_delivered`
    tells whether every Caddy has the configuration.
    """

    inventory: Inventory
    configuration: Configuration
    noticed: float
    ended: float
    is_delivered: bool = True


class Narrator(Protocol):
    """Reports what the loop does. It uses only its arguments."""

    def tell(self, problems: Iterable[Problem]) -> None:
        """Report all current problems; called in every pass."""

    def ended(self, cycle: Cycle) -> None:
        """Report the end of a pass, whose problems have been reported before."""


@define
class ProblemLog:
    """Logs each problem once when it appears and once when it is gone, and nothing about passes."""

    _reported: frozenset[Problem] = frozenset()

    def tell(self, problems: Iterable[Problem]) -> None:
        """Log the difference to the last call."""
        current = dict.fromkeys(problems)
        for problem in current:
            if problem not in self._reported:
                level = logging.ERROR if problem.severity == "error" else logging.WARNING
                logger.log(level, "%s", problem, extra={"resource": problem.resource, "label": problem.label})
        for problem in sorted(self._reported - current.keys(), key=str):
            logger.info("no longer: %s", problem, extra={"resource": problem.resource, "label": problem.label})
        self._reported = frozenset(current)

    def ended(self, cycle: Cycle) -> None:
        """A pass came to its end."""

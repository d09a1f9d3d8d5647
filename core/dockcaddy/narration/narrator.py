"""What the loop hands to whoever tells people about it."""

import logging
from collections.abc import Iterable
from typing import Protocol

from attrs import define, frozen

from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Problem

logger = logging.getLogger("dockcaddy")


@frozen(eq=False)
class Pass:
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

    def report(self, problems: Iterable[Problem]) -> None:
        """All that is wrong now; called in every pass."""

    def finished(self, done: Pass) -> None:
        """A pass came to its end; what is wrong after it has been changes before."""


@define
class ProblemLog:
    """Logs each problem once when it appears and once when it is gone, and nothing about passes."""

    _reported: frozenset[Problem] = frozenset()

    def report(self, problems: Iterable[Problem]) -> None:
        """Log the difference to the last call."""
        current = dict.fromkeys(problems)
        for problem in current:
            if problem not in self._reported:
                level = logging.ERROR if problem.severity == "error" else logging.WARNING
                logger.log(level, "%s", problem, extra={"resource": problem.resource, "label": problem.label})
        for problem in sorted(self._reported - current.keys(), key=str):
            logger.info("no longer: %s", problem, extra={"resource": problem.resource, "label": problem.label})
        self._reported = frozenset(current)

    def finished(self, done: Pass) -> None:
        """A pass came to its end."""

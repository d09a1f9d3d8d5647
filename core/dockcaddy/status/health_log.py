"""The log of sites whose upstreams are all unhealthy: no change of the configuration tells of them."""

import logging
from collections.abc import Iterator, Mapping

from attrs import define, field

from dockcaddy.caddy.upstreams import FAILED, REFUSED
from dockcaddy.settings import limits
from dockcaddy.status.model import Update

logger = logging.getLogger("dockcaddy")

_UNHEALTHY = frozenset(("Unhealthy", "UnhealthyForCaddy", REFUSED, FAILED))
_ENDS = frozenset(("SiteRecovered", "SiteGone"))


@define
class HealthLog:
    """Logs a site when its last healthy upstream is lost, and when one is healthy again."""

    _down: set[str] = field(factory=set)
    _has_begun: bool = False

    def take(self, update: Update) -> None:
        """An update of the status."""
        lost = dict(self._lost(update))
        self._down.update(lost)
        back = {each.subject: each for each in update.events if each.subject in self._down and each.kind in _ENDS}
        self._down.difference_update(back)
        again = "an upstream is healthy again"
        _log(logging.WARNING, lost, "no upstream is healthy")
        _log(logging.INFO, {name: again for name, each in back.items() if each.kind == "SiteRecovered"}, again)

    def _lost(self, update: Update) -> Iterator[tuple[str, str]]:
        """The sites that are down now, and why; at first, also those that an earlier run has logged."""
        if not self._has_begun and update.status.is_complete:
            self._has_begun = True
            ready = ((str(each), each.conditions.ready) for each in update.status.sites.values())
            yield from ((name, each.message) for name, each in ready if each.reason in _UNHEALTHY)
        for each in update.events:
            if each.kind == "SiteDown" and each.reason in _UNHEALTHY:
                yield each.subject, each.message


def _log(level: int, messages: Mapping[str, str], summary: str) -> None:
    if len(messages) > limits.MAX_SINGLE_LINES:
        some = ", ".join(sorted(each.removeprefix("site ") for each in messages)[: limits.MAX_EXAMPLES])
        logger.log(level, "%d sites: %s: %s and others, dockcaddy status lists them", len(messages), summary, some)
        return
    for subject, message in messages.items():
        logger.log(level, "%s: %s", subject, message)

"""What a container that has stopped still means: nothing, its labels without upstreams, or a page. Pure."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

LABEL = "caddy_when_stopped"
REMOVE, KEEP, PAGE = CHOICES = ("remove", "keep", "page")

# a snapshot written by hand may leave out the state
_UP = frozenset(("running", "paused", "restarting", None))
_ENDED = frozenset(("exited", "dead"))


@frozen
class Stopped:
    """The settings: `otherwise` is for containers without the label; with `scans_all`, those that never started count too."""

    otherwise: str = REMOVE
    scans_all: bool = False

    def counts(self, item: Mapping[str, Any]) -> bool:
        """Whether the container of an item of `GET /containers/json` counts, running or not."""
        state = item.get("State")
        if state in _UP:
            return True
        return (self.scans_all or state in _ENDED) and self._choice(item.get("Labels") or {}) != REMOVE

    def shows_page(self, labels: Mapping[str, Any], state: str, *, stopping: bool = False) -> bool:
        """Whether a container in this state gets a page. One that is paused has not stopped."""
        return (stopping or state not in ("running", "paused", "")) and self._choice(labels) == PAGE

    def _choice(self, labels: Mapping[str, Any]) -> str:
        otherwise = KEEP if self.scans_all and self.otherwise == REMOVE else self.otherwise
        chosen = str(labels.get(LABEL) or "").strip().lower()
        return chosen if chosen in CHOICES else otherwise

"""What is known of one container of an engine, and all of them by age. No I/O."""

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from attrs import define, field

from dockcaddy.engine.reach.shared_networks import Start
from dockcaddy.model import Resource

Json = Mapping[str, Any]

_AGE = attrgetter("age")


@define(eq=False)
class Known:
    """A container's last list item and inspect response. `rank` is higher for those that were listed or came later.

    Until `stopping_until`, in seconds of the clock, it is stopping; 0 if it is not.
    """

    item: Json
    rank: int
    inspect: Json | None = None
    unreadable: bool = False
    stopping_until: float = 0.0
    start: Start = field(factory=Start)
    is_server: bool = False
    # what it is sorted by
    age: tuple[int, str, int] = (0, "", 0)
    # whether it is known what it gives: a resource or none
    is_made: bool = False
    resource: Resource | None = None
    is_excluded: bool | None = None

    @property
    def health(self) -> str | None:
        """The status of its health check, None where there is none."""
        status: str | None = ((self.inspect or {}).get("State") or {}).get("Health", {}).get("Status")
        return status

    def set_age(self) -> None:
        """Take its age. A list has seconds only; within a second, the inspect response is more precise."""
        created = str((self.inspect or {}).get("Created") or "")
        self.age = self.item.get("Created") or 0, created.rstrip("Z"), self.rank


@define(eq=False)
class ByAge:
    """Containers, oldest first. One that comes or goes does not sort the others again."""

    _sorted: list[Known] | None = None

    def of(self, every: Iterable[Known]) -> Sequence[Known]:
        """All containers, which are `every` one that was put."""
        if self._sorted is None:
            found = list(every)
            for each in found:
                each.set_age()
            self._sorted = sorted(found, key=_AGE)
        return self._sorted

    def put(self, known: Known) -> None:
        """Put a container in its place."""
        if self._sorted is not None:
            known.set_age()
            insort(self._sorted, known, key=_AGE)

    def drop(self, known: Known) -> None:
        """Take a container out."""
        if self._sorted is not None:
            self._sorted.remove(known)

    def forget(self) -> None:
        """Sort all again: their ranks change."""
        self._sorted = None

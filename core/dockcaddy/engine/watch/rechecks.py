"""What is listed again after a while, when no event says that a change is visible. No I/O."""

from collections.abc import Iterator

from attrs import define, field

from dockcaddy.settings import limits

# seconds until a container is looked at again
LATER = 0.5
# a list shows a change some milliseconds after its event
LAG = 0.05


@define(eq=False)
class Rechecks:
    """When to look at containers again, by id, and when to repeat lists, by kind. In seconds of the clock."""

    containers: dict[str, float] = field(factory=dict)
    # a look that comes earlier for another reason does not replace these
    later: dict[str, float] = field(factory=dict)
    lists: dict[str, float] = field(factory=dict)

    @property
    def times(self) -> Iterator[float]:
        """The times at which something is due."""
        yield from self.containers.values()
        yield from self.later.values()
        yield from self.lists.values()

    def look(self, id: str, now: float) -> None:
        """Look at a container again."""
        if id in self.later or len(self.later) < limits.MAX_RECHECKS:
            self.later[id] = now + LATER
        else:
            self._list_not_before(now + LATER)

    def repeat(self, kind: str, pause: float | None, now: float) -> None:
        """Repeat a list in so many seconds, None for not at all."""
        if pause is not None:
            self.lists[kind] = now + pause

    def list_again(self, now: float) -> None:
        """List everything again, once a list shows what has happened up to now."""
        self._list_not_before(now + LAG)

    def _list_not_before(self, time: float) -> None:
        self.lists["list"] = max(self.lists.get("list", time), time)

    def move(self, now: float, ids: dict[str, None], kinds: set[str]) -> None:
        """Move the containers and the kinds of lists that are due to `ids` and `kinds`."""
        for looks in (self.containers, self.later):
            for id in [id for id, at in looks.items() if now >= at]:
                del looks[id]
                ids[id] = None
        for kind in [kind for kind, at in self.lists.items() if now >= at]:
            del self.lists[kind]
            kinds.add(kind)

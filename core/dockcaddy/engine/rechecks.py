"""What an engine is asked once more in a while, where nobody tells when the answer is ready. No I/O."""

from collections.abc import Iterator

from attrs import define, field

from dockcaddy.settings import limits

# seconds until a container is looked at again
LATER = 0.5
# a list shows a change some milliseconds after its event
LAG = 0.05


@define(eq=False)
class Rechecks:
    """When containers are looked at again, by id, and when lists are, by kind. Times are in seconds of the clock."""

    containers: dict[str, float] = field(factory=dict)
    lists: dict[str, float] = field(factory=dict)

    @property
    def times(self) -> Iterator[float]:
        """When something is due."""
        yield from self.containers.values()
        yield from self.lists.values()

    def look(self, id: str, now: float) -> None:
        """Have another look at a container."""
        if len(self.containers) < limits.MAX_RECHECKS:
            self.containers.setdefault(id, now + LATER)
        else:
            self.lists.setdefault("list", now + LATER)

    def list_again(self, now: float) -> None:
        """List everything once more, when the list shows what happened up to now."""
        self.lists.setdefault("list", now + LAG)

    def move(self, now: float, ids: dict[str, None], kinds: set[str]) -> None:
        """Put the containers, and the kinds of lists, that are due among these."""
        for id in [id for id, at in self.containers.items() if now >= at]:
            del self.containers[id]
            ids[id] = None
        for kind in [kind for kind, at in self.lists.items() if now >= at]:
            del self.lists[kind]
            kinds.add(kind)

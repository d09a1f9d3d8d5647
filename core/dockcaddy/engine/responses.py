"""What the engine's answers are taken for: held against what events told, and never undoing what was learnt since. No I/O.

Calls are numbered in the order in which they were begun, so that of two answers the one counts that was asked for later.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field

from dockcaddy.engine.builder import InventoryBuilder
from dockcaddy.engine.expectations import Expectation, Expectations
from dockcaddy.engine.own_container import as_listed
from dockcaddy.engine.store import ContainerStore

Json = Mapping[str, Any]


@define
class Next:
    """Whom to look at now, and whom again after so many seconds."""

    now: list[str] = field(factory=list)
    again: dict[str, float] = field(factory=dict)


@define(eq=False)
class Responses:
    """Tells the builder what was answered. Times are in seconds of the clock."""

    builder: InventoryBuilder
    containers: Expectations = field(factory=Expectations)
    networks: Expectations = field(factory=Expectations)
    _begun: int = 0
    # by id, after which call's beginning something was learnt of it
    _learnt: dict[str, int] = field(factory=dict)

    @property
    def _store(self) -> ContainerStore:
        return self.builder.containers

    def begin(self) -> int:
        """The number of a call that begins now."""
        self._begun += 1
        return self._begun

    def expect(self, id: str, now: float) -> Expectation:
        """What events told of a container, to be completed: an answer that was asked for before counts no more."""
        self._learnt[id] = self._begun + 1
        return self.containers.of(id, now)

    def forget_events(self) -> None:
        """Events may have been lost: from now on answers know better."""
        self.containers.forget()
        self.networks.forget()

    def expire(self, now: float) -> None:
        """What events told long ago counts no more."""
        self.containers.expire(now)
        self.networks.expire(now)

    def settle(self) -> None:
        """No call is open any more whose answer could be older than what was learnt."""
        self._learnt = {}

    def take_own(self, found: Json | None) -> tuple[Json | None, float | None]:
        """The inspect answer of our own container, as it counts, and after how many seconds to ask again, if at all."""
        if found is None:
            self.builder.set_own(None)
            return None, None
        listed, pause = self.containers.compared(found["Id"], as_listed(found))
        if listed is not None:
            found = {**found, "NetworkSettings": listed["NetworkSettings"]}
        self.builder.set_own(as_listed(found), found)
        return found, pause

    def take_networks(self, networks: Sequence[Json]) -> float | None:
        """A list of the networks, but for those that it does not know of yet, or still knows; when to ask again."""
        by_id: dict[str, Json | None] = {network["Id"]: network for network in networks or ()}
        again = None
        for id in self.networks.ids:
            by_id[id], pause = self.networks.compared(id, by_id.get(id))
            again = pause if again is None else again
        self.builder.set_networks([network for network in by_id.values() if network is not None])
        return again

    def take_list(self, number: int, items: Sequence[Json]) -> Next:
        """A full list; what is not in it is gone, but for what was learnt after it was asked for."""
        following = Next()
        ours = [item for item in items if self._store.wants(item.get("Labels") or {})]
        listed = {item["Id"] for item in ours}
        missing = [self._counting(id, None, number, following) for id in self._store.ids if id not in listed]
        counting = [*missing, *(self._counting(item["Id"], item, number, following) for item in ours)]
        self._store.replace_all([item for item in counting if item is not None])
        self._store.set_others(items)
        return following

    def take_look(self, number: int, ids: Sequence[str], items: Sequence[Json]) -> Next:
        """A list of some containers."""
        following = Next()
        found = {item["Id"]: item for item in items}
        for id in ids:
            item = self._counting(id, found.get(id), number, following)
            if item is None:
                self._store.drop(id)
            elif self._store.wants(item.get("Labels") or {}):
                self._learnt[id] = max(number, self._learnt.get(id, 0))
                self._store.put(item)
        return following

    def take_inspect(self, id: str, answer: Json) -> None:
        """An inspect answer; what an event told of the health is newer."""
        self._store.put_inspect(id, answer)
        if health := self.containers.health_of(id):
            self._store.set_health(id, health)

    def take_absence(self, id: str) -> bool:
        """There is nothing to inspect: the container is gone, or it was expected and is on its way, which is told."""
        if self.containers.expects(id):
            return True
        self._store.drop(id)
        return False

    def _counting(self, id: str, item: Json | None, number: int, following: Next) -> Json | None:
        """The answer about a container as it counts; None where it does not count as there."""
        if self._learnt.get(id, 0) > number:
            following.now.append(id)
            return self._store.item(id)
        counting, pause = self.containers.compared(id, item)
        if pause is not None:
            following.again[id] = pause
        if counting is None and self.containers.expects(id):
            return self._store.item(id)
        return counting

"""Applies the engine's responses to the store, after a comparison with what events said. No I/O.

Calls are numbered in the order in which they begin. If two responses are about one container, the later call counts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field

from dockcaddy.engine.builder import InventoryBuilder
from dockcaddy.engine.reach.own_container import as_listed
from dockcaddy.engine.store import ContainerStore
from dockcaddy.engine.watch.expectations import Expectation, Expectations

Json = Mapping[str, Any]


@define
class Next:
    """The ids to look at now, and those to look at again, with the seconds until then."""

    now: list[str] = field(factory=list)
    again: dict[str, float] = field(factory=dict)


@define(eq=False)
class Responses:
    """Applies responses to the builder. Times are in seconds of the clock."""

    builder: InventoryBuilder
    containers: Expectations = field(factory=Expectations)
    networks: Expectations = field(factory=lambda: Expectations(end_when_shown=True))
    _begun: int = 0
    # by id, the number from which on a call's response is newer than what is known
    _learnt: dict[str, int] = field(factory=dict)

    @property
    def _store(self) -> ContainerStore:
        return self.builder.containers

    def begin(self) -> int:
        """The number for a call that begins now."""
        self._begun += 1
        return self._begun

    def expect(self, id: str, now: float) -> Expectation:
        """What events say about a container, for the caller to fill in. Responses to earlier calls no longer count."""
        self._learnt[id] = self._begun + 1
        return self.containers.of(id, now)

    def expect_nothing(self, id: str) -> None:
        """Events about a container were not read one by one: responses to calls from now on count."""
        self._learnt[id] = self._begun + 1
        self.containers.drop(id)

    def forget_events(self) -> None:
        """Events may have been lost: responses count more than earlier events."""
        self.containers.forget()
        self.networks.forget()

    def expire(self, now: float) -> None:
        """Drop expectations that have expired."""
        self.containers.expire(now)
        self.networks.expire(now)

    def forget(self) -> None:
        """No call is open any more whose response could be older than what is known."""
        self._learnt = {}

    def take_own(self, found: Json | None) -> tuple[Json | None, float | None]:
        """Apply the inspect response of our own container. Returns it corrected, and the seconds until the next call."""
        if found is None:
            self.builder.set_own(None)
            return None, None
        listed, pause = self.containers.compared(found["Id"], as_listed(found))
        if listed is not None:
            found = {**found, "NetworkSettings": listed["NetworkSettings"]}
        self.builder.set_own(as_listed(found), found)
        return found, pause

    def take_networks(self, networks: Sequence[Json]) -> float | None:
        """Apply a list of networks, corrected by events. Returns the seconds until the next call, None for no call."""
        by_id: dict[str, Json | None] = {network["Id"]: network for network in networks or ()}
        again = None
        for id in self.networks.ids:
            by_id[id], pause = self.networks.compared(id, by_id.get(id))
            again = pause if again is None else again
        self.builder.set_networks([network for network in by_id.values() if network is not None])
        return again

    def take_list(self, number: int, items: Sequence[Json]) -> Next:
        """Apply a full list. A container that is not in it is gone, unless something newer is known about it."""
        following = Next()
        ours = self._store.chosen(items)
        listed = {item["Id"] for item in ours}
        missing = [self._counting(id, None, number, following) for id in self._store.ids if id not in listed]
        counting = [*missing, *(self._counting(item["Id"], item, number, following) for item in ours)]
        self._store.replace_all([item for item in counting if item is not None])
        self._store.set_others(items)
        following.now += self._store.owner_ids() - listed
        return following

    def take_look(self, number: int, ids: Sequence[str], items: Sequence[Json]) -> Next:
        """Apply a list of some containers."""
        following = Next()
        found = {item["Id"]: item for item in items}
        for id in ids:
            item = self._counting(id, found.get(id), number, following)
            if item is None:
                self._store.drop(id)
            elif self._store.follows(item):
                self._learnt[id] = max(number, self._learnt.get(id, 0))
                self._store.put(item)
        following.now += [id for id in self._store.owner_ids(ids) if id not in self._store]
        return following

    def take_inspect(self, id: str, answer: Json) -> None:
        """Apply an inspect response, except its health if an event said that."""
        self._store.put_inspect(id, answer)
        if health := self.containers.health_of(id):
            self._store.set_health(id, health)

    def take_absence(self, id: str) -> bool:
        """Nothing was found to inspect. Returns whether the container is still expected; otherwise it is gone."""
        if self.containers.expects(id):
            return True
        self._store.drop(id)
        return False

    def _counting(self, id: str, item: Json | None, number: int, following: Next) -> Json | None:
        """The item of a container, corrected by what is newer; None if the container does not exist."""
        if self._learnt.get(id, 0) > number:
            following.now.append(id)
            return self._store.item(id)
        counting, pause = self.containers.compared(id, item, self._store.item(id))
        if pause is not None:
            following.again[id] = pause
        if counting is None and self.containers.expects(id):
            return self._store.item(id)
        return counting

"""What is asked of an engine: lists, looks at what changed, an inspect in each labelled container's life.

Every call is made off the way of whoever needs it, and may hang: nobody waits long for it, what events tell counts
meanwhile, and an answer never undoes what was learnt after it was asked for.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from attrs import define, field

from dockcaddy.engine.announced import Announcement, Announcements
from dockcaddy.engine.calls import LONGEST, PATIENCE, Calls
from dockcaddy.engine.connection import Connection, cause_of
from dockcaddy.engine.ingress import ingress_networks
from dockcaddy.engine.inspects import InspectQueue
from dockcaddy.engine.own_container import OwnContainer, as_listed
from dockcaddy.engine.store import ContainerStore
from dockcaddy.engine.strangers import warnings
from dockcaddy.errors import EngineUnreachable
from dockcaddy.logs import report_own_fault
from dockcaddy.model import Problem

Json = Mapping[str, Any]

# how long a cycle waits for answers, in seconds; the others must not wait longer for them
INSPECT_PATIENCE = PATIENCE
# more containers than that are not named in one call, as a URL has its limits: everything is listed
ASKED_BY_NAME = 256
# at the very first, answers are waited for as long as they keep coming
FIRST_PATIENCE = 1.0
# so many looks may hang before the next one waits for an answer
LOOKS_AT_ONCE = 4
# when another look is had at what nobody knows to expect, in seconds
LATER, FEW = 0.5, 10


# after an error of our own, in seconds
AFTER_FAULT = 1.0


@define(eq=False)
class Reader:
    """Keeps the store true to what the engine answers. `clock` gives seconds.

    `wake` is called when something changed and nobody waited for it. Whoever looks at the store holds `lock`.
    """

    connection: Connection
    store: ContainerStore
    own: OwnContainer
    clock: Callable[[], float]
    wake: Callable[[], None]
    lock: threading.Condition = field(factory=threading.Condition)
    problems: dict[str, Problem] = field(factory=dict)
    is_watching: bool = False
    _announced: Announcements = field(factory=Announcements)
    _announced_networks: Announcements = field(factory=Announcements)
    _calls: Calls = field(init=False)
    _inspects: InspectQueue = field(factory=InspectQueue)
    _failures: dict[str, EngineUnreachable] = field(factory=dict)
    # what is to be asked for when somebody wants to know, and what at once
    _stale: set[str] = field(factory=lambda: {"networks", "list"})
    _due: set[str] = field(factory=set)
    _dirty: dict[str, None] = field(factory=dict)
    _now: dict[str, None] = field(factory=dict)
    _again: dict[str, float] = field(factory=dict)
    _lists_again: dict[str, float] = field(factory=dict)
    _never_read: set[str] = field(factory=lambda: {"networks", "list"})
    _networks: Sequence[Json] = ()
    # by id, after which call's beginning something was learnt of it
    _learnt: dict[str, int] = field(factory=dict)
    _asked: int = 0
    _told: int = 0
    _has_waited: bool = False
    _has_begun: bool = False
    _waiting: int = 0
    _is_tended: bool = False
    _is_closed: bool = False

    def __attrs_post_init__(self) -> None:
        self._calls = Calls(self.clock, self.lock, self.connection.forget)

    def read(self) -> EngineUnreachable | None:
        """Ask for whatever may have changed, and wait a moment for it. Gives why that fails, where it does.

        Raises EngineUnreachable where nothing is known at all.
        """
        with self.lock:
            if "list" not in self._stale:
                self._now.update(self._dirty)
            self._dirty.clear()
            self._due |= self._stale if self.own.is_known else {*self._stale, "own"}
            self._inspects.want(self._uninspected())
            self._waiting += 1
            try:
                self._wait()
            finally:
                self._waiting -= 1
            failure = next(iter(self._failures.values()), None)
            if not self._is_known:
                raise failure or self.connection.unreachable(TimeoutError(f"no answer within {LONGEST:.0f} s"))
            return failure

    def all_changed(self) -> None:
        """Have everything listed anew by the next `read`."""
        with self.lock:
            self._stale |= {"networks", "list"}

    def events_lost(self) -> None:
        """Events may not have come: the next list knows better than those that did."""
        with self.lock:
            self._announced.forget()
            self._announced_networks.forget()
            self.all_changed()

    def network_changed(self, id: str, *, there: bool) -> None:
        """A network came or went: have them listed anew by the next `read`."""
        with self.lock:
            self._announced_networks.of(id, self.clock()).there = there
            self._stale.add("networks")

    def changed(self, id: str) -> None:
        """Have a look at this container with the next `read`."""
        with self.lock:
            self._dirty[id] = None

    def look(self, id: str) -> None:
        """Have a look at a container now."""
        with self.lock:
            self._now[id] = None
            self._turn()

    def look_later(self, id: str) -> None:
        """Have another look at a container in a while; of many that change at once the last look is near enough."""
        with self.lock:
            if len(self._again) < FEW:
                self._again.setdefault(id, self.clock() + LATER)

    def announced(self, id: str) -> Announcement:
        """What events told of a container, to be completed: an answer that was asked for before counts no more."""
        self._learnt[id] = self._asked + 1
        return self._announced.of(id, self.clock())

    def close(self) -> None:
        """Wait for no answer any more."""
        with self.lock:
            self._is_closed = True
            self._calls.close()
            self.lock.notify_all()

    # --- waiting

    @property
    def _is_known(self) -> bool:
        return not self._never_read and self.own.was_known

    def _wait(self) -> None:
        """Wait a moment; at the very first for as long as answers keep coming, to begin with everything."""
        if not self._is_known:
            patience = PATIENCE if self._has_waited else LONGEST + PATIENCE
            self._has_waited = True
            self.lock.wait_for(self._is_known_or_failed, patience)
        elif self._has_begun:
            self.lock.wait_for(self._is_settled, PATIENCE)
            return
        self._has_begun = self._is_known
        patience = FIRST_PATIENCE if self.is_watching else LONGEST + PATIENCE
        while self._is_known and not self._is_done():
            if not self.lock.wait_for(partial(self._has_answered, self._calls.answers), patience):
                return

    def _has_answered(self, before: int) -> bool:
        return self._is_done() or self._calls.answers > before

    def _is_known_or_failed(self) -> bool:
        self._turn()
        return self._is_known or bool(self._failures)

    def _is_settled(self) -> bool:
        """Whether everything that is not late was answered."""
        self._turn()
        return not self._calls.awaited() and self._inspects.is_empty

    def _is_done(self) -> bool:
        self._turn()
        return not self._calls.open and self._inspects.is_empty

    # --- what is asked

    def _turn(self) -> None:
        """Begin the calls that are due, and give up those that hang."""
        if self._is_closed:
            return
        now = self.clock()
        self._calls.give_up()
        for id in [id for id, at in self._again.items() if now >= at]:
            del self._again[id]
            self._now[id] = None
        self._due |= {kind for kind, at in self._lists_again.items() if now >= at}
        self._lists_again = {kind: at for kind, at in self._lists_again.items() if now < at}
        self._inspects.retry(now)
        self._begin_lists()
        self._begin_look()
        self._begin_inspects()
        if not self._is_tended and self._next_due() is not None:
            self._is_tended = True
            threading.Thread(target=self._tend, name=f"looks of {self.store.engine}", daemon=True).start()

    def _next_due(self) -> float | None:
        times = [self._calls.next_due(), self._inspects.next_due(), *self._again.values(), *self._lists_again.values()]
        return min((at for at in times if at is not None), default=None)

    def _tend(self) -> None:
        """Look after what becomes due by itself."""
        with self.lock:
            while not self._is_closed:
                try:
                    due = self._next_due()
                    if not self.lock.wait(None if due is None else max(due - self.clock(), 0.0)):
                        # those who wait need not wait for what is late by now
                        self.lock.notify_all()
                    self._turn()
                except Exception as error:
                    report_own_fault(f"engine {self.store.engine}", error)
                    self.lock.wait(AFTER_FAULT)

    def _begin_lists(self) -> None:
        if len(self._now) > ASKED_BY_NAME:
            self._now.clear()
            self._due |= {"list"}
        for kind, ask in (("own", self.own.ask), ("networks", self._list_networks), ("list", self._list)):
            if kind in self._due and not self._calls.of(kind):
                self._due.discard(kind)
                self._stale.discard(kind)
                self._begin(kind, ask)

    def _begin(self, kind: str, ask: Callable[[], Any]) -> None:
        takers: Mapping[str, Callable[[int, Any], None]] = {
            "own": self._take_own,
            "networks": self._take_networks,
            "list": self._take_list,
        }
        self._asked += 1
        take = partial(takers[kind], self._asked)
        self._calls.begin(kind, ask, partial(self._take, kind, take), partial(self._fail, kind))

    def _list_networks(self) -> Any:
        return self.connection.client().networks()

    def _list(self) -> Any:
        return self.connection.client().containers(all=self.store.options.scan_stopped_containers)

    def _list_some(self, ids: Sequence[str]) -> Any:
        return self.connection.client().containers(all=True, filters={"id": list(ids)})

    def _inspect(self, id: str) -> Any:
        return self.connection.client().inspect_container(id)

    def _begin_look(self) -> None:
        """The present items of some containers, by one call."""
        looks = self._calls.of("look")
        if not self._now or len(looks) >= LOOKS_AT_ONCE or self._calls.awaited("look"):
            return
        ids = tuple(self._now)
        self._now.clear()
        self._due |= {"networks"} & self._stale
        self._begin_lists()
        self._asked += 1
        take = partial(self._take_look, self._asked, ids)
        self._calls.begin(
            "look", partial(self._list_some, ids), partial(self._take, "look", take), partial(self._fail_look, ids)
        )

    def _begin_inspects(self) -> None:
        inspects = self._calls.of("inspect")
        late = len(inspects) - len(self._calls.awaited("inspect"))
        begun = len(inspects)
        while (id := self._inspects.next(begun, late)) is not None:
            begun += 1
            take, fail = partial(self._take_inspect, id), partial(self._fail_inspect, id)
            self._calls.begin("inspect", partial(self._inspect, id), partial(self._take, "inspect", take), fail, id)

    def _uninspected(self) -> list[str]:
        asked = {call.about for call in self._calls.of("inspect")}
        return [id for id in self.store.uninspected() if id not in asked]

    # --- what is answered

    def _take(self, kind: str, take: Callable[[Any], None], answer: Any) -> None:
        before = self._state
        for announced in (self._announced, self._announced_networks):
            announced.expire(self.clock())
        take(answer)
        self._never_read.discard(kind)
        if self._failures.pop(kind, None) is not None:
            self._told += 1
        self._tell_of(before)

    def _fail_look(self, ids: Sequence[str], error: Exception) -> None:
        self._dirty.update(dict.fromkeys(ids))
        self._fail("look", error)
        self._stale.discard("look")

    def _fail(self, kind: str, error: Exception) -> None:
        before = self._state
        self._stale.add(kind)
        self._failures[kind] = self.connection.unreachable(error)
        self._told += 1
        self._tell_of(before)

    @property
    def _state(self) -> tuple[int, int]:
        return self.store.changes, self._told

    def _tell_of(self, before: tuple[int, int]) -> None:
        if self._state != before and not self._waiting:
            self.wake()

    def _take_own(self, asked: int, found: Json | None) -> None:
        if found is not None:
            listed, pause = self._announced.held_against(found["Id"], as_listed(found))
            found = {**found, "NetworkSettings": (listed or found)["NetworkSettings"]}
            if pause is not None:
                self._lists_again["own"] = self.clock() + pause
        self.own.take(found)
        self._set_ingress()

    def _take_networks(self, asked: int, networks: Sequence[Json]) -> None:
        """What a list of the networks gave, but for those that it does not know of yet, or still knows."""
        by_id: dict[str, Json | None] = {network["Id"]: network for network in networks or ()}
        for id in self._announced_networks.ids:
            by_id[id], pause = self._announced_networks.held_against(id, by_id.get(id))
            if pause is not None:
                self._lists_again["networks"] = self.clock() + pause
        self._networks = [network for network in by_id.values() if network is not None]
        self._set_ingress()

    def _set_ingress(self) -> None:
        self.store.set_ingress(ingress_networks(self._networks, self.store.options.ingress_networks, self.own.found))

    def _take_list(self, asked: int, items: Sequence[Json]) -> None:
        """What a full list gave; what is not in it is gone, but for what was learnt after it was asked for."""
        ours = [item for item in items if self.store.wants(item.get("Labels") or {})]
        listed = {item["Id"] for item in ours}
        missing = [self._counting(id, None, asked) for id in self.store.ids if id not in listed]
        counting = [*missing, *(self._counting(item["Id"], item, asked) for item in ours)]
        self.store.replace_all([item for item in counting if item is not None])
        self.store.unlabelled = len(items) - len(ours)
        self.store.strangers = [item for item in items if not self.store.wants(item.get("Labels") or {})]
        self.store.overlooked = warnings(self.store.strangers, self.store.options.label_prefix)
        self._inspects.want(self._uninspected())
        self._failures.pop("look", None)
        if not self._calls.of("look") and not self._calls.of("list"):
            self._learnt = {}

    def _take_look(self, asked: int, ids: Sequence[str], items: Sequence[Json]) -> None:
        found = {item["Id"]: item for item in items}
        for id in ids:
            item = self._counting(id, found.get(id), asked)
            if item is None:
                self.store.drop(id)
            elif self.store.wants(item.get("Labels") or {}):
                self._learnt[id] = max(asked, self._learnt.get(id, 0))
                self.store.put(item)
                if self.store.needs_inspect(id) and id not in {call.about for call in self._calls.of("inspect")}:
                    self._inspects.want([id])

    def _counting(self, id: str, item: Json | None, asked: int) -> Json | None:
        """The answer about a container as it counts; None where it does not count as there."""
        if self._learnt.get(id, 0) > asked:
            self._now[id] = None
            return self.store.item(id)
        counting, pause = self._announced.held_against(id, item)
        if pause is not None:
            self._again[id] = self.clock() + pause
        if counting is None and self._announced.expects(id):
            return self.store.item(id)
        return counting

    def _take_inspect(self, id: str, answer: Json) -> None:
        self._inspects.succeeded(id)
        if self.problems.pop(id, None) is not None:
            self._told += 1
        self.store.put_inspect(id, answer)
        if health := self._announced.health_of(id):
            self.store.set_health(id, health)

    def _fail_inspect(self, id: str, error: Exception) -> None:
        from docker.errors import NotFound  # noqa: PLC0415

        before = self._state
        if isinstance(error, NotFound):
            self._inspects.succeeded(id)
            self.problems.pop(id, None)
            if self._announced.expects(id):
                # it is on its way
                self._announced.held_against(id, None)
                self._inspects.failed(id, self.clock())
            else:
                self.store.drop(id)
        else:
            told = Problem(f"container {self.store.name(id)}", "", f"cannot be inspected: {cause_of(error)}", "warning")
            if self.problems.get(id) != told:
                self.problems[id] = told
                self._told += 1
            self.store.mark_unreadable(id)
            self._inspects.failed(id, self.clock())
        self._tell_of(before)

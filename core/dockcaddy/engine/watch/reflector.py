"""Keeps the store in sync with an engine, as a reflector does in Kubernetes: lists, looks and inspects.

A *look* lists single containers by id, after an event. Each labelled container is inspected once in its life.

Every call is made in another thread and may hang. A pass waits a short time for the responses; in the meantime, events
update the store. A response never undoes what was learnt after its call began.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from attrs import define, field

from dockcaddy.engine.api.calls import Calls
from dockcaddy.engine.api.connection import Connection
from dockcaddy.engine.api.engine_api import EngineApi
from dockcaddy.engine.api.failures import cause_of, is_forbidden
from dockcaddy.engine.api.responses import Next, Responses
from dockcaddy.engine.api.work import Threads, Work
from dockcaddy.engine.builder import InventoryBuilder
from dockcaddy.engine.problems import PARTS, EngineProblems
from dockcaddy.engine.reach.own_container import OwnContainer
from dockcaddy.engine.store import ContainerStore
from dockcaddy.engine.swarm import Swarm
from dockcaddy.engine.watch.expectations import Expectation
from dockcaddy.engine.watch.inspector import Inspector
from dockcaddy.engine.watch.rechecks import Rechecks
from dockcaddy.errors import EngineUnreachable
from dockcaddy.logs import report_own_fault
from dockcaddy.model import EngineInventory
from dockcaddy.settings import limits

EVERYTHING = frozenset(("networks", "list"))
# the first pass waits as long as responses keep coming, at most this long for the next one, in seconds
FIRST_PATIENCE = 1.0
# pause after a bug of ours, in seconds
AFTER_FAULT = 1.0
# until a call is repeated that failed though the engine answers others
AFTER_FAILURE = 2.0


@define(eq=False, repr=False)
class Reflector:
    """Keeps the store in sync with the engine. `clock` gives seconds.

    `wake` is called when something changed and no pass was waiting for it, with `urgent` as of the event handler.
    Callers that read the store hold `lock`.
    """

    connection: Connection
    builder: InventoryBuilder
    own: OwnContainer
    clock: Callable[[], float]
    wake: Callable[..., None]
    lock: threading.Condition = field(factory=threading.Condition)
    work: Work = field(factory=Threads)
    problems: EngineProblems = field(init=False)
    is_watching: bool = False
    # how long the first pass waits for an engine, in seconds
    first_patience: float = limits.ENGINE_CALL_TIMEOUT + limits.ENGINE_PATIENCE
    _responses: Responses = field(init=False)
    _api: EngineApi = field(init=False)
    _calls: Calls = field(init=False)
    _inspector: Inspector = field(init=False)
    _failures: dict[str, Exception] = field(factory=dict)
    # kinds of lists that are outdated and listed by the next pass, and those that are listed now
    _stale: set[str] = field(factory=lambda: set(EVERYTHING))
    _due: set[str] = field(factory=set)
    _dirty: dict[str, None] = field(factory=dict)
    _now: dict[str, None] = field(factory=dict)
    _rechecks: Rechecks = field(factory=Rechecks)
    _swarm: Swarm = field(init=False)
    _never_read: set[str] = field(factory=lambda: set(EVERYTHING))
    _reported: int = 0
    _has_waited: bool = False
    _has_begun: bool = False
    _waiting: int = 0
    _is_tended: bool = False
    _is_closed: bool = False

    def __attrs_post_init__(self) -> None:
        self.problems = EngineProblems(self.builder.name)
        self._responses = Responses(self.builder)
        self._swarm = Swarm(self.builder, self.problems, self._rechecks, self.clock)
        self._api = EngineApi(self.connection, self.builder.options)
        self._calls = Calls(self.clock, self.lock, self.connection.forget, self.work)
        self._inspector = Inspector(self.store, self._api, self._calls, self._responses, self.problems, self.clock)

    @property
    def store(self) -> ContainerStore:
        """The containers of the engine."""
        return self.builder.containers

    def inventory(self) -> EngineInventory:
        """The inventory as known now."""
        with self.lock:
            return self.builder.inventory(self.clock(), self.problems)

    def read(self) -> EngineUnreachable | None:
        """Ask for everything that may have changed, and wait a short time for it. Returns the error of a failed list.

        Raises EngineUnreachable if the engine has never answered.
        """
        with self.lock:
            if "list" not in self._stale:
                self._now.update(self._dirty)
            self._dirty.clear()
            self._due |= self._stale if self.own.is_known else {*self._stale, "own"}
            self._inspector.want_all()
            self._waiting += 1
            try:
                self._wait()
            finally:
                self._waiting -= 1
            if not self._is_known:
                late = TimeoutError(f"no answer within {self.first_patience:.0f} s")
                raise self.connection.unreachable(next(iter(self._failures.values()), late))
            failure = self._failures.get("list") or self._failures.get("look")
            self.problems.report_parts({} if failure else self._failures)
            return self.connection.unreachable(failure) if failure else None

    def all_changed(self) -> None:
        """Let the next `read` list everything."""
        with self.lock:
            self._stale |= EVERYTHING

    def events_lost(self) -> None:
        """Events may be lost: the next list counts more than earlier events."""
        with self.lock:
            self._responses.forget_events()
            self.store.ask_for_starts()
            self.all_changed()

    def network_changed(self, id: str, *, there: bool | None) -> None:
        """A network was created or removed, or it is unknown whether it is there: let the next `read` list the networks."""
        with self.lock:
            if there is not None:
                self._responses.networks.of(id, self.clock()).there = there
            self._stale.add("networks")

    def swarm_changed(self, kind: str) -> None:
        """A service, config or node of the Swarm changed: list now what it may have changed."""
        with self.lock:
            self._due.add("tasks" if kind == "node" and self._swarm.is_polling else "swarm")
            self._turn()

    def changed(self, id: str, *, in_storm: bool = False) -> None:
        """Let the next `read` look at this container. In a storm, what events said of it before is outdated."""
        with self.lock:
            self._dirty[id] = None
            if in_storm:
                self._responses.expect_nothing(id)

    def look(self, id: str) -> None:
        """Look at a container now."""
        with self.lock:
            self._now[id] = None
            self._turn()

    def look_later(self, id: str) -> None:
        """Look at a container again in a while."""
        with self.lock:
            self._rechecks.look(id, self.clock())
            self.lock.notify_all()

    def inspect_again(self, id: str) -> None:
        """Inspect a container again in a moment, for its health."""
        with self.lock:
            self._inspector.again(id)
            self.lock.notify_all()

    def list_again(self) -> None:
        """List everything again in a moment."""
        with self.lock:
            self._rechecks.list_again(self.clock())
            self.lock.notify_all()

    def report(self, call: str, message: str) -> None:
        """Report a problem of the engine, by the call that has it; `""` clears it."""
        with self.lock:
            self.problems.report(call, message)

    def expect(self, id: str) -> Expectation:
        """What events say about a container, for the caller to fill in. Responses to earlier calls no longer count."""
        return self._responses.expect(id, self.clock())

    def close(self) -> None:
        """Ignore all further responses."""
        with self.lock:
            self._is_closed = True
            self._calls.close()
            self.lock.notify_all()

    @property
    def _is_known(self) -> bool:
        return not self._never_read and self._swarm.is_known and self.own.was_known

    def _wait(self) -> None:
        """Wait a short time; in the first pass as long as responses keep coming, to start with everything."""
        if not self._is_known:
            patience = limits.ENGINE_PATIENCE if self._has_waited else self.first_patience
            self._has_waited = True
            self.lock.wait_for(self._is_known_or_failed, patience)
        elif self._has_begun:
            self.lock.wait_for(self._is_idle, limits.ENGINE_PATIENCE)
            return
        self._has_begun = self._is_known
        patience = FIRST_PATIENCE if self.is_watching else limits.ENGINE_CALL_TIMEOUT + limits.ENGINE_PATIENCE
        answers = self._calls.answers
        while self._is_known and not self.lock.wait_for(self._is_done, patience):
            if self._calls.answers == answers:
                self._begin_without_inspects()
                return
            answers = self._calls.answers

    def _begin_without_inspects(self) -> None:
        """What an earlier run served is not taken away because an inspect is slow: the list says enough meanwhile."""
        for id in self.store.uninspected():
            self.store.mark_unreadable(id)

    def _is_known_or_failed(self) -> bool:
        self._turn()
        return self._is_known or bool(self._failures)

    def _is_idle(self) -> bool:
        """Whether all calls that are not late have a response."""
        self._turn()
        return not self._calls.awaited() and self._inspector.queue.is_empty

    def _is_done(self) -> bool:
        self._turn()
        return not self._calls.open and self._inspector.queue.is_empty

    def _turn(self) -> None:
        """Begin the calls that are due, and give up calls that hang."""
        if self._is_closed:
            return
        now = self.clock()
        self._calls.give_up()
        self._rechecks.move(now, self._now, self._due)
        self._inspector.queue.retry(now)
        self._begin_lists()
        self._begin_look()
        self._begin_inspects()
        if not self._is_tended and self.due is not None:
            self._is_tended = True
            self.work.go_on(f"looks of {self.store.engine}", self._tend)

    def _begin_inspects(self) -> None:
        self._inspector.begin(lambda id, answer: self._take("inspect", 0, answer, (id,)), self._fail_inspect)

    @property
    def due(self) -> float | None:
        """When something is due without any event, in seconds of the clock."""
        times = [self._calls.next_due(), self._inspector.queue.next_due(), *self._rechecks.times]
        return min((at for at in times if at is not None), default=None)

    def _tend(self) -> None:
        """Do what is due without any event, until the engine is closed."""
        with self.lock:
            while not self._is_closed:
                try:
                    due = self.due
                    self.tend(is_due=not self.lock.wait(None if due is None else max(due - self.clock(), 0.0)))
                except Exception as error:
                    report_own_fault(f"engine {self.store.engine}", error)
                    self.lock.wait(AFTER_FAULT)

    def tend(self, *, is_due: bool) -> None:
        """Begin what is due; `is_due` is False if a notification came first. The caller holds the lock."""
        if is_due:
            # a pass that waits need not wait for a call that is late by now
            self.lock.notify_all()
        self._turn()

    def _begin_lists(self) -> None:
        if len(self._now) > limits.MAX_LISTED_BY_ID:
            self._now.clear()
            self._due |= {"list"}
        asks: Mapping[str, Callable[[], Any]] = {
            "own": self.own.ask,
            "networks": self._api.networks,
            "list": self._api.containers,
            "swarm": self._api.swarm,
            "tasks": self._api.tasks,
        }
        for kind in [kind for kind in asks if kind in self._due and not self._calls.of(kind)]:
            self._due.discard(kind)
            self._stale.discard(kind)
            if kind == "tasks" and self._calls.of("swarm"):
                # it lists them too
                continue
            number = self._responses.begin()
            if kind in ("swarm", "tasks"):
                self._swarm.begin(kind, number)
            take = partial(self._take, kind, number)
            self._calls.begin(kind, asks[kind], take, partial(self._fail, kind))

    def _begin_look(self) -> None:
        """List the containers that changed, in one call."""
        looks = self._calls.of("look")
        if not self._now or len(looks) >= limits.MAX_LOOKS_AT_ONCE or self._calls.awaited("look"):
            return
        ids = tuple(self._now)
        self._now.clear()
        self._due |= {"networks"} & self._stale
        self._begin_lists()
        take = partial(self._take, "look", self._responses.begin(), about=ids)
        self._calls.begin("look", partial(self._api.some_containers, ids), take, partial(self._fail_look, ids))

    # --- responses

    def _take(self, kind: str, number: int, answer: Any, about: Sequence[str] = ()) -> None:
        before = self._state
        self._responses.expire(self.clock())
        if kind in ("list", "look"):
            answer = self.builder.sound(answer, are_all=kind == "list")
        match kind:
            case "own":
                found, pause = self._responses.take_own(answer)
                self.own.take(found)
                self._rechecks.repeat(kind, pause, self.clock())
            case "networks":
                self._rechecks.repeat(kind, self._responses.take_networks(answer), self.clock())
                self.problems.report(kind, "")
                self._look_for_swarm()
            case "list":
                self._follow(self._responses.take_list(number, answer))
                self._inspector.want_all()
                self._inspector.want_checked()
                self._failures.pop("look", None)
            case "look":
                self._follow(self._responses.take_look(number, about, answer))
                self._inspector.want(about)
            case "inspect":
                self._inspector.succeeded(about[0], answer)
                self._begin_inspects()
            case "swarm":
                self._swarm.take(*answer)
            case "tasks":
                self._swarm.take_tasks(number, answer)
        if kind in ("own", "inspect"):
            self._now.update(dict.fromkeys(id for id in self.store.owner_ids(about) if id not in self.store))
        if kind in ("list", "look") and "networks" not in self._never_read and self.builder.lacks_networks(answer):
            self._due.add("networks")
        if not self._calls.of("look") and not self._calls.of("list"):
            self._responses.forget()
        self._never_read.discard(kind)
        self._reported += self._failures.pop(kind, None) is not None
        self._tell_of(before)

    def _follow(self, following: Next) -> None:
        self._now.update(dict.fromkeys(following.now))
        self._rechecks.containers.update({id: self.clock() + pause for id, pause in following.again.items()})

    def _look_for_swarm(self) -> None:
        """List services if there may be some: the nodes of a Swarm have networks of scope `swarm`."""
        if self.builder.may_have_services:
            self._due.add("swarm")
        else:
            self._swarm.leave()

    def _fail_look(self, ids: Sequence[str], error: Exception) -> None:
        self._dirty.update(dict.fromkeys(ids))
        self._fail("look", error)
        self._stale.discard("look")

    def _fail(self, kind: str, error: Exception) -> None:
        before = self._state
        if kind == "networks" and is_forbidden(error):
            self.builder.set_networks(None)
            self._never_read.discard(kind)
            self._look_for_swarm()
            self.problems.report_forbidden_networks(cause_of(error))
        elif kind == "tasks":
            self._swarm.fail_tasks(error)
        elif kind == "swarm" and not self._swarm.is_awaited():
            self._failures.pop(kind, None)
            self._swarm.fail(error)
        else:
            self._stale.add(kind)
            self._failures[kind] = error
            self._rechecks.repeat(kind, AFTER_FAILURE if kind in PARTS else None, self.clock())
            self._reported += 1
        self._tell_of(before)

    @property
    def _state(self) -> tuple[int, int, int]:
        return self.builder.changes + self.problems.changes, self._reported, self.builder.services.losses

    def _tell_of(self, before: tuple[int, int, int]) -> None:
        if self._state != before and not self._waiting:
            self.wake(**({"urgent": True} if self._state[2] != before[2] else {}))

    def _fail_inspect(self, id: str, error: Exception) -> None:
        before = self._state
        self._inspector.failed(id, error)
        self._tell_of(before)

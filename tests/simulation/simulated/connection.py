"""How the real engine side of the program is made to talk to the simulated engine, without threads or sockets."""

import json
from collections.abc import Callable, Mapping
from random import Random
from types import SimpleNamespace
from typing import Any

from attrs import define, field
from dockcaddy.engine import Connection, Engine, EngineOptions
from dockcaddy.engine.reach.own_container import OwnContainer
from dockcaddy.engine.watch.events import FIRST_PAUSE, LONGEST_PAUSE, EventStream
from dockcaddy.engine.watch.reflector import Reflector

from simulated.engine import Hangs, SimulatedEngine
from simulated.schedule import Schedule, SimulatedCondition, as_condition

CLIENT_TIMEOUT = 10.0


@define(eq=False)
class Client:
    """The part of docker's client that the program uses."""

    engine: SimulatedEngine
    asked: str = ""
    _filters: Mapping[str, list[str]] = field(factory=dict)

    def _answer(self, kind: str, **asked: Any) -> Any:
        self.asked = kind
        return self.engine.answer(kind, **asked)

    def networks(self) -> Any:
        return self._answer("networks")

    def containers(self, all: bool = False, filters: Mapping[str, Any] | None = None) -> Any:
        ids = (filters or {}).get("id")
        return self._answer("list" if ids is None else "look", all=all, ids=None if ids is None else set(ids))

    def inspect_container(self, id: str) -> Any:
        return self._answer("inspect", id=id)

    def info(self) -> Any:
        return self._answer("info")

    def services(self) -> Any:
        return self._answer("services")

    def tasks(self, filters: Mapping[str, Any]) -> Any:
        return self._answer("tasks")

    def configs(self, filters: Mapping[str, Any]) -> Any:
        return self._answer("configs")

    def _url(self, path: str) -> str:
        return path

    def _get(self, url: str, **options: Any) -> Any:
        self._answer("events")
        self._filters = json.loads(options["params"]["filters"])
        return SimpleNamespace(headers={"Server": "Docker/20.10.24 (linux)"}, raw=SimpleNamespace())

    def has_asked_for(self, message: Mapping[str, Any]) -> bool:
        """Whether it is an event that the engine sends to this client."""
        verb = message["Action"].partition(":")[0]
        return message["Type"] in self._filters["type"] and verb in self._filters["event"]

    def _raise_for_status(self, response: Any) -> None:
        pass


class SimulatedConnection(Connection):
    """A connection whose client is the simulation's."""

    def __init__(self, client: Client) -> None:
        super().__init__("unix:///simulated.sock")
        self._simulated = client

    def _new_client(self) -> Any:
        return self._simulated


class OnTheHost(OwnContainer):
    """The program runs in no container, wherever the tests do."""

    def ask(self) -> None:
        return None


@define(eq=False)
class SimulatedWork:
    """Asks at once, or a moment later, as the engine's faults have it; what goes on by itself is driven from outside."""

    schedule: Schedule
    random: Random
    client: Client
    is_dead: bool = False
    loops: dict[str, Callable[[], None]] = field(factory=dict)

    def perform(self, ask: Callable[[], Any], done: Callable[[Any], None]) -> None:
        self.schedule.after(self.random.uniform(0.0002, 0.002), lambda: self._ask(ask, done, self.schedule.now))

    def _ask(self, ask: Callable[[], Any], done: Callable[[Any], None], since: float) -> None:
        if self.is_dead:
            return
        try:
            answer = ask()
        except Hangs:
            self._hang(ask, done, since)
            return
        except Exception as error:
            answer = error
        delay = self.random.uniform(0.0002, 0.003) + self.client.engine.slowness(self.client.asked)
        self.schedule.after(delay, lambda: None if self.is_dead else done(answer))

    def _hang(self, ask: Callable[[], Any], done: Callable[[Any], None], since: float) -> None:
        from requests.exceptions import ReadTimeout

        if self.schedule.now >= since + CLIENT_TIMEOUT:
            done(ReadTimeout("Read timed out. (read timeout=10)"))
        else:
            self.schedule.after(0.25, lambda: self._ask(ask, done, since))

    def go_on(self, name: str, loop: Callable[[], None]) -> None:
        """Of a loop only the simulation's part begins, the one that has it do its steps."""
        if begin := self.loops.get(name.partition(" ")[0]):
            self.schedule.after(0.0005, begin)

    def close(self) -> None:
        pass


@define(eq=False)
class Tender:
    """Does what the reflector's own thread does: something when it is due, and a look whenever it is notified."""

    schedule: Schedule
    reflector: Reflector
    work: SimulatedWork
    _due: float = float("inf")
    _is_begun: bool = False
    _is_notified: bool = False

    def begin(self) -> None:
        self._is_begun = True
        self.notified()

    def notified(self) -> None:
        if self._is_begun and not self._is_notified:
            self._is_notified = True
            self.schedule.after(0.0, self._look)

    def _look(self) -> None:
        self._is_notified = False
        self._tend(is_due=False)

    def _fall_due(self, due: float) -> None:
        if due == self._due:
            self._tend(is_due=True)

    def _tend(self, *, is_due: bool) -> None:
        if self.work.is_dead:
            return
        self.reflector.tend(is_due=is_due)
        due = self.reflector.due
        self._due = float("inf") if due is None else max(due, self.schedule.now)
        if due is not None:
            self.schedule.at(self._due, lambda due=self._due: self._fall_due(due))


@define(eq=False)
class Listener:
    """Does what the two threads of an event stream do."""

    schedule: Schedule
    engine: SimulatedEngine
    stream: EventStream
    work: SimulatedWork
    _pause: float = FIRST_PAUSE
    _is_open: bool = False
    _is_reacting: bool = False
    _heard: int = 0

    def begin(self) -> None:
        if self.work.is_dead:
            return
        try:
            self.stream.begin()
        except Hangs:
            self.schedule.after(0.25, self.begin)
            return
        except Exception as error:
            self._lost(str(error))
            return
        self._is_open = True
        self.engine.listeners.append(self._hear)
        self.engine.cuts.append(self.cut)

    def cut(self) -> None:
        if self._is_open:
            self._is_open = False
            self.leave()
            self._lost("the simulation cut it")

    def leave(self) -> None:
        """Nobody listens any more."""
        for kept, mine in ((self.engine.listeners, self._hear), (self.engine.cuts, self.cut)):
            if mine in kept:
                kept.remove(mine)

    def _lost(self, reason: str) -> None:
        if not self.work.is_dead:
            self.stream.lost(reason)
            self.schedule.after(self._pause, self.begin)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _hear(self, message: Mapping[str, Any]) -> None:
        if self.work.is_dead or not self.work.client.has_asked_for(message):
            return
        self._pause = FIRST_PAUSE
        self._heard += 1
        self.stream.hear(message)
        if not self._is_reacting:
            self._is_reacting = True
            self.schedule.after(0.0005, self._react)

    def _react(self) -> None:
        self._is_reacting = False
        if self.work.is_dead:
            return
        self.stream.handle_waiting()
        if self.stream.patience is not None:
            heard = self._heard
            self.schedule.after(self.stream.patience, lambda: self._calm(heard))

    def _calm(self, heard: int) -> None:
        if heard == self._heard and not self.work.is_dead:
            self.stream.handle_waiting()


@define(eq=False)
class Watching:
    """The real engine side, watching the simulated engine."""

    engine: Engine
    work: SimulatedWork
    listener: Listener

    def end(self) -> None:
        """The program is gone."""
        self.work.is_dead = True
        self.listener.leave()


def watching(
    schedule: Schedule, random: Random, simulated: SimulatedEngine, options: EngineOptions | None = None
) -> Watching:
    """A watched engine, as the program makes one, on the simulated clock."""
    client = Client(simulated)
    condition = SimulatedCondition(schedule)
    work = SimulatedWork(schedule, random, client)
    connection = SimulatedConnection(client)
    engine = Engine(connection, options or EngineOptions(), clock=schedule, work=work, lock=as_condition(condition))
    engine._reflector.own = OnTheHost(connection)
    tender = Tender(schedule, engine._reflector, work)
    condition.notified = tender.notified
    listener = Listener(schedule, simulated, engine._events, work)
    work.loops.update(looks=tender.begin, events=listener.begin)
    return Watching(engine, work, listener)

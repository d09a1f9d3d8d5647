"""What must hold in every world, whatever happens."""

import gc
from collections.abc import Callable, Iterator
from math import log2
from typing import Any

from attrs import define, field
from dockcaddy.engine.builder import InventoryBuilder
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.services import SwarmResponses
from dockcaddy.engine.swarm import POLL as TASKS_POLL
from dockcaddy.model import Inventory
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.pipeline import Pipeline

from simulated.caddy import Route, SimulatedCaddy, routes_of
from simulated.engine import SimulatedContainer, SimulatedEngine
from simulated.lives import PROXIED
from simulated.program import Program
from simulated.schedule import Schedule

# from when on all is as it should be, after there is calm
CALM = 2.0
# how long an address that is another's by now may be sent requests while nothing else is wrong
WRONG = 1.5
# something has just happened to a container, which nobody can know yet
NEWS = 1.0
# a search whose try is accepted by chance loads everything so soon
RESTORED = 0.25
# what flapped is held down for so long at most
HELD = 1.5
# calls of one kind in a calm while: the lists at each poll, and the looks at Caddy
LISTS_PER_POLL, POLL, LOOK = 4, 30.0, 2.0
MOST_OBJECTS = 40_000
# one try of what was refused takes so many calls
TRIES = 4
REFUSED = ("bad", "badload", "crash")


class Violation(BaseException):
    """Something that must hold does not. `name` says what. The program's own care for errors does not catch it."""

    world: Any = None

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name}: {what}")
        self.name = name


@define(eq=False, repr=False)
class Invariants:
    """Looks at everything after each thing that happens. Times are in seconds of the simulated clock."""

    schedule: Schedule
    engine: SimulatedEngine
    caddy: SimulatedCaddy
    registry: Registry
    program: Callable[[], Program | None]
    checks: int = 0
    _calm_from: float = 0.0
    _sane_from: float = 0.0
    _truthful_from: float = 0.0
    _listed_from: float = 0.0
    _planned: float | None = None
    _wrong: dict[tuple[str, str], float] = field(factory=dict)
    _looked_at: tuple[int, int] = (0, 0)
    _changes: int = 0
    _counts: tuple[float, dict[str, int]] | None = None
    _has_loaded: bool = False
    _fresh: tuple[int, str] | None = None
    _is_blind: bool = False
    _restored_by: dict[str, float] = field(factory=dict)

    def broken(self, name: str, what: str) -> None:
        raise Violation(name, what)

    # --- what is told of

    def engine_changed(self) -> None:
        """Something happened to a container."""
        self._changes += 1
        self._be_calm_from(self.schedule.now)

    def untold(self) -> None:
        """Something happened that only the next list shows."""
        self._be_calm_from(self.schedule.now + POLL)

    def unlisted(self) -> None:
        """Of something that ended only the next list shows how it is now: it serves nobody meanwhile."""
        self._listed_from = self.schedule.now + POLL

    def disturbed(self, until: float, *, lies: bool) -> None:
        """There is a fault until then; while the engine `lies`, nobody can know what is true."""
        self._sane_from = max(self._sane_from, until)
        if lies:
            self._truthful_from = max(self._truthful_from, until)
        self._be_calm_from(until)

    def state_lost(self) -> None:
        """A program that has lost its state does not know what Caddy serves, until all is well again."""
        self._is_blind = True

    def begun(self) -> None:
        """The program has begun."""
        self._has_loaded = False
        self.disturbed(self.schedule.now + 1.0, lies=False)

    def _be_calm_from(self, time: float) -> None:
        self._calm_from = max(self._calm_from, time, self.schedule.now)
        self._counts = None
        self._plan(self._calm_from + CALM)

    def _plan(self, time: float) -> None:
        """Look closely then, or sooner."""
        if self._planned is None or time < self._planned:
            self._planned = time
            self.schedule.at(time, lambda: self._calm(time))

    # --- what must hold whenever something has happened

    def look(self) -> None:
        """No request is answered by a container that is not its own."""
        seen = (self._changes, self.caddy.version)
        if seen != self._looked_at:
            self._looked_at = seen
            wrong = set(self._misrouted())
            self._wrong = {each: self._wrong.get(each, self.schedule.now) for each in wrong}
        if self._restored_by:
            self._look_for_restored()
        if self._wrong:
            for (host, address), since in self._wrong.items():
                if self.program() and self.schedule.now > max(since, self._sane_from + CALM) + WRONG:
                    holder = self.engine.holder(address)
                    name = holder.name if holder else ""
                    self.broken("its own container answers", f"{host} is answered by {name} at {address}")

    def _misrouted(self) -> Iterator[tuple[str, str]]:
        for host, route in self.caddy.routes.items():
            for dial in route.dials:
                address = dial.partition(":")[0]
                holder = self.engine.holder(address)
                if holder is not None and holder.serves and holder.site != host:
                    yield host, address

    def loading(self, config: bytes) -> None:
        """Nothing is sent when nothing changed."""
        # one that has just ended of a try may have come back with what is tried next
        sane_from = max(self._sane_from, self.caddy.ended_at)
        if config == self.caddy.running and self._has_loaded and self.schedule.now > sane_from + CALM:
            self.broken("nothing is sent when nothing changed", config.decode())
        self._has_loaded = True

    def taking(self, config: bytes) -> None:
        """What is sent takes nobody away who is there."""
        now = self.schedule.now
        if now < self._truthful_from + CALM or (self._is_blind and self._is_refused_without_reason):
            return
        after = routes_of(config)
        for host, route in self.caddy.routes.items():
            served = [each for each in self._served_by(host, route) if self._is_old(each)]
            if served and not any(self._served_by(host, after.get(host, Route()))):
                if now < self.caddy.refuses_until + POLL:
                    # the refusals have ended in the middle of a search, whose next load has everything
                    self._restored_by.setdefault(host, now + RESTORED)
                    continue
                self.broken("a good site stays", f"{host} was served by {served[0].name} and would be no more")
        for address, host in self.engine.swarm.holders():
            if _is_sent_to(self.caddy.routes.get(host), address) and not _is_sent_to(after.get(host), address):
                self.broken("a good site stays", f"{host} was served by the task at {address} and would be no more")

    @property
    def _is_refused_without_reason(self) -> bool:
        crashing = any(each.kind == "crash" for each in self.engine.containers.values())
        return crashing or self.schedule.now < self.caddy.refuses_until + POLL

    def _look_for_restored(self) -> None:
        """What a search has taken away is back by the next load."""
        wanted = self._wanted() if self.program() is not None and self.caddy.is_up else {}
        for host, time in tuple(self._restored_by.items()):
            if host not in wanted or any(self._served_by(host, self.caddy.routes.get(host, Route()))):
                del self._restored_by[host]
            elif self.schedule.now > time:
                self.broken("a good site stays", f"{host} was served before a search, and is not restored")

    def _served_by(self, host: str, route: Route) -> Iterator[SimulatedContainer]:
        for dial in route.dials:
            holder = self.engine.holder(dial.partition(":")[0])
            if holder is not None and holder.serves and holder.site == host and holder.kind in PROXIED:
                if holder.kind == "good" or holder.health == "healthy":
                    yield holder

    def _is_old(self, container: SimulatedContainer) -> bool:
        return self.schedule.now > container.has_begun_at + NEWS

    # --- what must hold in the calm

    def _calm(self, planned: float) -> None:
        if planned != self._planned:
            return
        self._planned = None
        now = self.schedule.now
        if now < self._calm_from + CALM:
            self._plan(self._calm_from + CALM)
            return
        program = self.program()
        if program is None:
            return
        if not self.caddy.is_up:
            # what makes Caddy crash costs everybody its restart when it is tried again
            self._plan(now + LOOK)
            return
        held = program.reconciler._flapping.due
        if held is not None and now < self._calm_from + CALM + HELD:
            self._plan(min(held, self._calm_from + CALM + HELD) + 0.3)
            return
        self.checks += 1
        self._check_routes()
        self._is_blind = False
        if now < self._listed_from + CALM:
            self._plan(self._listed_from + CALM)
            return
        self._check_fresh(program)
        self._count()

    def _check_routes(self) -> None:
        """Each good site is answered by its own containers, by all of them and by no others."""
        wanted = self._wanted()
        routes = self.caddy.routes
        for host, addresses in wanted.items():
            route = routes.get(host)
            if route is None:
                self.broken("one bad resource costs only itself", f"{host} is not served")
            elif set(route.dials) != {f"{each}:8080" for each in addresses}:
                told = f"{host} is sent to {route.dials}, its containers are at {sorted(addresses)}"
                self.broken("what is there is served in the calm", told)

    def _wanted(self) -> dict[str, set[str]]:
        wanted: dict[str, set[str]] = {}
        for each in self.engine.serving():
            if each.kind in PROXIED and (each.kind == "good" or each.health == "healthy"):
                wanted.setdefault(each.site, set()).add(each.given)
        for address, site in self.engine.swarm.holders():
            wanted.setdefault(site, set()).add(address)
        return wanted

    def _check_fresh(self, program: Program) -> None:
        """It is what a fresh start would make."""
        if self._fresh is None or self._fresh[0] != self._changes:
            self._fresh = self._changes, fresh_start(self.engine, self.registry)
        configuration = program.reconciler.configuration
        told = configuration.text if configuration is not None else ""
        if told != self._fresh[1]:
            self.broken("as a fresh start would make it", f"it is\n{told}\na fresh start makes\n{self._fresh[1]}")
        if configuration is not None and self.caddy.running != configuration.adapted:
            self.broken("as a fresh start would make it", f"caddy has {self.caddy.running.decode()}")

    def _count(self) -> None:
        """Look at what is asked for while nothing happens: when this calm is over, or now and then."""
        now, counts = self.schedule.now, {**self.engine.counts, **self.caddy.counts}
        if self._counts is None:
            self._counts = now, counts
        begun, before = self._counts
        passed = now - begun
        program = self.program()
        quiet = program is not None and not program.reconciler.quarantine._memory.rejections
        looks = passed / LOOK * 1.2 + 2
        allowed = {"since": looks, "config": looks, "events": 1.0}
        if self.engine.swarm.services:
            allowed["tasks"] = passed / TASKS_POLL + (passed / POLL + 1) * LISTS_PER_POLL
        if quiet:
            allowed |= {"load": 0.0, "adapt": 0.0}
        else:
            # what is refused is tried ever less often
            refused = sum(each.kind in REFUSED for each in self.engine.containers.values())
            tries = TRIES * refused * (2 + log2(1 + passed / 10) + passed / 600)
            allowed |= {"load": tries, "adapt": tries}
        for kind, count in counts.items():
            most = allowed.get(kind, (passed / POLL + 1) * LISTS_PER_POLL)
            if passed and count - before.get(kind, 0) > most:
                self.broken(
                    "calls are bounded", f"{count - before.get(kind, 0)} of {kind} in {passed:.0f} calm seconds"
                )
        self._plan(now + POLL * 1.1)

    def at_the_end(self) -> None:
        """Memory is bounded."""
        program = self.program()
        if program is not None:
            objects = _objects(program.reconciler)
            if objects > MOST_OBJECTS:
                self.broken("memory is bounded", f"{objects} objects")


def _is_sent_to(route: Route | None, address: str) -> bool:
    return route is not None and f"{address}:8080" in route.dials


def fresh_start(engine: SimulatedEngine, registry: Registry) -> str:
    """The Caddyfile that the program would make if it began now and nothing failed: of all but what Caddy refuses."""
    builder = InventoryBuilder("local", EngineOptions())
    builder.set_networks(engine.answer_truly("networks"))
    builder.set_own(None)
    builder.containers.replace_all(engine.answer_truly("list"))
    for each in engine.containers.values():
        builder.containers.put_inspect(each.id, each.shown()[1])
        if each.is_stopping:
            # what only events tell
            builder.containers.set_stopping(each.id, float("inf"))
    if engine.swarm.role:
        swarm = engine.swarm
        builder.services.replace_all(
            SwarmResponses(*(swarm.answer(kind) or () for kind in ("services", "tasks", "configs")))
        )
    pipeline = Pipeline(registry)
    fragments = pipeline.fragments(Inventory((builder.inventory(0.0),)))
    refused = {f"container {each.name}" for each in engine.containers.values() if each.kind in REFUSED}
    kept = [each for each in fragments if not (each.failed or each.owner in refused)]
    while conflicts := (configuration := pipeline.configuration(kept)).assembly.conflicts:
        left_out = {conflict.fragment for conflict in conflicts}
        kept = [each for each in kept if each.key not in left_out]
    return configuration.text


def _objects(root: object) -> int:
    """How many objects of the program's hang on it, roughly."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, type) or type(each).__module__.startswith("simulated"):
            continue
        seen.add(id(each))
        if isinstance(each, dict | list | tuple | set) or type(each).__module__.startswith("dockcaddy"):
            waiting += [found for found in gc.get_referents(each) if not callable(found)]
    return len(seen)

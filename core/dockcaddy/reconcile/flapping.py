"""Flapping: a resource that keeps going down has to stay up for a while before it counts, longer each time. Pure."""

from collections.abc import Iterable

from attrs import define, evolve, field, frozen

from dockcaddy.backoff import pause_after
from dockcaddy.incremental import Difference
from dockcaddy.model import EngineInventory, Inventory, Problem, Resource

# a resource that was up for so many seconds is not flapping
STEADY = 10.0
# so often it may go down soon after it came up before it is held down
FREE = 2
# so long it then has to stay up, growing
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 1.5
# so long one that is gone is remembered
MEMORY = 60.0

CRASH_LOOP = "it ends soon after each start, and docker starts it again and again: docker logs shows why"


@frozen
class _Life:
    """What is known of one resource: as it was last, since when it is up (None: it is down), how often it went down."""

    resource: Resource | None
    up_since: float | None
    falls: int = 0
    held_until: float = 0.0
    when_down: Resource | None = None
    fell_at: float = 0.0


@define
class Flapping:
    """Holds flapping resources down. All times are in seconds of one clock."""

    _seen: tuple[Resource, ...] = ()
    _lives: dict[str, _Life] = field(factory=dict)
    # those that are not there now
    _gone: set[str] = field(factory=set)
    _held: dict[str, float] = field(factory=dict)
    # those that are held down once they are up
    _waiting: set[str] = field(factory=set)
    # those that the engine starts again and again
    _crashing: set[str] = field(factory=set)

    @property
    def due(self) -> float | None:
        """When the next resource that is held down counts as up again, or one that crashed often as steady."""
        steady = [self._lives[key].up_since for key in self._crashing]
        return min((*self._held.values(), *(since + STEADY for since in steady if since is not None)), default=None)

    def apply(self, inventory: Inventory, now: float) -> Inventory:
        """The inventory with held resources as they were when they went down, and with problems of crash loops.

        It is the same object where there are none.
        """
        lives = self._lives
        difference = Difference.of(self._seen, inventory.resources)
        new = {each.key: each for each in difference.new}
        for key, resource in new.items():
            lives[key] = _next(lives.get(key), resource, now)
        self._gone = (self._gone | {each.key for each in difference.gone}) - new.keys()
        self._forget(now)
        self._waiting = {key for key in (*self._waiting, *new) if key in lives and now < lives[key].held_until}
        self._held = {key: lives[key].held_until for key in self._waiting if _is_up(lives[key].resource)}
        self._crashing = {key for key in (*self._crashing, *new) if key in lives and _crashes(lives[key], now)}
        self._seen = inventory.resources
        if not self._held and not self._crashing:
            return inventory
        return Inventory(tuple(map(self._engine, inventory.engines)))

    def _forget(self, now: float) -> None:
        """Note that some are gone, and forget those that have been gone for long."""
        lives = self._lives
        for key in self._gone & lives.keys():
            lives[key] = _fallen(lives[key], None, now)
            if not lives[key].falls or now >= lives[key].fell_at + MEMORY:
                del lives[key]
        self._gone &= lives.keys()

    def _engine(self, engine: EngineInventory) -> EngineInventory:
        given = tuple(self._resources(engine.resources))
        problems = tuple(
            Problem(str(each), "", CRASH_LOOP, "warning") for each in engine.resources if each.key in self._crashing
        )
        if given == engine.resources:
            return evolve(engine, problems=(*engine.problems, *problems)) if problems else engine
        return evolve(engine, resources=given, problems=(*engine.problems, *problems))

    def _resources(self, resources: Iterable[Resource]) -> Iterable[Resource]:
        for resource in resources:
            if resource.key not in self._held:
                yield resource
            elif (when_down := self._lives[resource.key].when_down) is not None:
                yield when_down


def _is_up(resource: Resource | None) -> bool:
    return resource is not None and resource.running and not resource.stopping and resource.health != "unhealthy"


def _crashes(life: _Life, now: float) -> bool:
    """Whether the engine starts it again and again, and it has not been up for long since."""
    if life.resource is None or life.when_down is None or life.when_down.state != "restarting" or life.falls <= FREE:
        return False
    return life.up_since is None or now < life.up_since + STEADY


def _next(life: _Life | None, resource: Resource, now: float) -> _Life:
    if life is None:
        return _Life(resource, now if _is_up(resource) else None)
    if not _is_up(resource):
        return _fallen(life, resource, now)
    if life.up_since is not None:
        return evolve(life, resource=resource)
    return evolve(
        life,
        resource=resource,
        up_since=now,
        held_until=now + pause_after(life.falls - FREE, FIRST_PAUSE, LONGEST_PAUSE),
    )


def _fallen(life: _Life, resource: Resource | None, now: float) -> _Life:
    if life.up_since is None:
        return evolve(life, resource=resource, when_down=resource)
    falls = life.falls + 1 if now < life.up_since + STEADY else 0
    return _Life(resource, None, falls, 0.0, resource, now)

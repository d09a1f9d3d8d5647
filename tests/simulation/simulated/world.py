"""A world: the program, an engine, a Caddy and a disk on one clock, to which the steps of a script happen."""

import hashlib
import logging
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random

from attrs import define, evolve, field
from dockcaddy.plugins.registry import Registry

from simulated.caddy import EMPTY, SimulatedCaddy
from simulated.connection import watching
from simulated.engine import SimulatedEngine
from simulated.invariants import Invariants, Violation
from simulated.lives import labels_of
from simulated.program import Disk, Killed, Program, program
from simulated.schedule import Schedule
from simulated.steps import Script, Step

# how long it takes until what was not told is found out by asking, and until an announcement counts no more
POLL, ANNOUNCED = 30.0, 3.0
# between two looks at Caddy, and between two tries of what Caddy refuses altogether
LOOK, PUT_OFF = 2.0, 5.0
# how long what was refused is left out at first
QUARANTINED = 10.0
# calls that hang are given up
GIVEN_UP = 10.0
# how long it takes to start again
STARTING = 0.3
# by then the first list was asked for
FIRST_LIST = 0.005


class Over(BaseException):
    """The script has come to its end."""


@define(eq=False)
class Trace:
    """What happened, in order: a fingerprint of everything, and the last lines or all."""

    schedule: Schedule
    lines: deque[str]
    _digest: "hashlib._Hash" = field(factory=hashlib.sha256)

    def tell(self, line: str) -> None:
        told = f"{self.schedule.now:.4f} {line}"
        self._digest.update(told.encode())
        self.lines.append(told)

    @property
    def fingerprint(self) -> str:
        return self._digest.hexdigest()


class Log(logging.Handler):
    """The program's log, as part of the trace."""

    def __init__(self, told: Callable[[str], None], folder: Path) -> None:
        super().__init__()
        self._told, self._folder = told, str(folder)

    def emit(self, record: logging.LogRecord) -> None:
        self._told(f"{record.levelname} {record.getMessage().replace(self._folder, '')}")


@define(eq=False, repr=False)
class World:
    """Runs a script. `hours` is how long it was, on its own clock."""

    script: Script
    registry: Registry
    folder: Path
    keeps: int | None = 300
    schedule: Schedule = field(factory=Schedule)
    random: Random = field(init=False)
    engine: SimulatedEngine = field(init=False)
    caddy: SimulatedCaddy = field(init=False)
    disk: Disk = field(init=False)
    invariants: Invariants = field(init=False)
    trace: Trace = field(init=False)
    program: Program | None = None
    _down_until: float = 0.0
    _done: int = 0

    def __attrs_post_init__(self) -> None:
        script, schedule = self.script, self.schedule
        self.random = Random(script.seed)
        self.trace = Trace(schedule, deque(maxlen=self.keeps))
        self.engine = SimulatedEngine(schedule, self.random)
        self.engine.swarm.role = "manager" if script.is_swarm else ""
        self.caddy = SimulatedCaddy(schedule, self.random, script.is_child, told=self.trace.tell)
        self.caddy.initial, self.caddy.on_start = self._initial, self._caddy_started
        self.disk = Disk(self.folder)
        self.invariants = Invariants(schedule, self.engine, self.caddy, self.registry, lambda: self.program)
        self.caddy.loading, self.caddy.taken = self.invariants.loading, self.invariants.taking
        self.engine.changed = self.invariants.engine_changed
        schedule.after_each = self.invariants.look

    @property
    def hours(self) -> float:
        return (self.schedule.now - 1000.0) / 3600.0

    @property
    def so_far(self) -> Script:
        """The script as far as it has happened."""
        return evolve(self.script, steps=self.script.steps[: self._done])

    def run(self) -> None:
        """Have everything happen. Raises Violation."""
        time = self.schedule.now
        for step in self.script.steps:
            time += step.after
            self.schedule.at(time, lambda step=step: self._do(step))
        self.schedule.at(time + self.script.calm, self._finish)
        with self._logged():
            try:
                while True:
                    self._live()
                    self.schedule.wait(max(self._down_until - self.schedule.now, 0.0))
            except Over:
                pass
            except Violation as violation:
                self.trace.tell(f"VIOLATION {violation}")
                raise
            finally:
                if self.program is not None:
                    self.program.end()

    @contextmanager
    def _logged(self) -> Iterator[None]:
        logger, handler = logging.getLogger("dockcaddy"), Log(self._told_by_program, self.folder)
        before = logger.level, logger.propagate, logger.handlers
        logger.setLevel(logging.INFO)
        logger.propagate, logger.handlers = False, [handler]
        try:
            yield
        finally:
            logger.setLevel(before[0])
            logger.propagate, logger.handlers = before[1], before[2]

    def _told_by_program(self, line: str) -> None:
        self.trace.tell(line)
        if "a bug in dockcaddy" in line:
            self.invariants.broken("the program has a fault", line)

    def _live(self) -> None:
        """One run of the program."""
        if self.script.is_child:
            self.caddy.is_up, self.caddy.running = True, EMPTY
        seen = watching(self.schedule, self.random, self.engine)
        try:
            self.program = program(self.schedule, self.registry, seen, self.caddy, self.disk, self.trace.tell)
        except Exception as error:
            self.invariants.broken("the program begins with any state", repr(error))
            raise
        if self.script.is_child:
            self.caddy.change(self._initial() or EMPTY)
        self.trace.tell("begin")
        self.invariants.begun()
        # an engine lists a container that is told to stop as any other, until it has stopped
        stopping = [each.stops_at for each in self.engine.containers.values() if each.is_stopping]
        if stopping:
            self._calm_after(max(stopping) - self.schedule.now + 1.0)
        self.schedule.after(FIRST_LIST, partial(self._begun, self.schedule.now))
        try:
            self.program.reconciler.run()
        except Killed:
            pass
        finally:
            self.program.end()
            self.program = None
        if self.script.is_child:
            self.caddy.is_up = False

    def _begun(self, since: float) -> None:
        """Nobody told of what started just before, and the first list may not have shown it: the next one does."""
        if self.engine.lags(since):
            self.invariants.untold()

    def _initial(self) -> bytes:
        kept = self.program.last_good.load().json if self.program is not None else b""
        if b'"crash"' in kept or b'"badload"' in kept:
            self.invariants.broken("what is kept for the next start was accepted", kept.decode())
        return kept

    def _caddy_started(self, crashes: int) -> None:
        if self.script.is_child and self.program is not None:
            self.program.reconciler.mailbox.caddy_started(crashes)

    def _finish(self) -> None:
        self.invariants.at_the_end()
        raise Over

    def _do(self, step: Step) -> None:
        self._done += 1
        self.trace.tell(str(step))
        getattr(self, step.what)(*step.args)

    def _calm_after(self, seconds: float, *, lies: bool = False) -> None:
        self.invariants.disturbed(self.schedule.now + seconds, lies=lies)

    # --- lives

    def up(self, name: str, site: str, kind: str) -> None:
        self.engine.up(name, labels_of(kind, site, name), site, kind)

    def start(self, name: str) -> None:
        self.engine.start(name)

    def stop(self, name: str, grace: float) -> None:
        self.engine.stop(name, grace)

    def remove(self, name: str, grace: float) -> None:
        self.engine.stop(name, grace, remove=True)

    def crash(self, name: str, state: str) -> None:
        self.engine.crash(name, state)
        if state == "restarting":
            # it counts as gone until it starts, or until the next list
            self.invariants.unlisted()

    def pause(self, name: str) -> None:
        self.engine.pause(name)

    def health(self, name: str, status: str) -> None:
        self.engine.health(name, status)

    def rename(self, name: str, new: str) -> None:
        self.engine.rename(name, new)

    def service(self, name: str, site: str, tasks: int) -> None:
        self.engine.publish(self.engine.swarm.create(name, site, labels_of("good", site, name), tasks))
        self._calm_after(POLL)

    def service_down(self, name: str) -> None:
        if (event := self.engine.swarm.remove(name)) is not None:
            self.engine.publish(event)
            self._calm_after(POLL)

    def scale(self, name: str, tasks: int) -> None:
        """The tasks of a service come and go, which only the next list shows."""
        self.engine.swarm.scale(name, tasks)
        self.invariants.engine_changed()
        self._calm_after(POLL)

    # --- faults of the engine

    def lose_events(self, seconds: float) -> None:
        self.engine.faults.drop_until = self.schedule.now + seconds
        self._calm_after(seconds + POLL)

    def double_events(self, seconds: float) -> None:
        self.engine.faults.double_until = self.schedule.now + seconds

    def delay_events(self, seconds: float, by: float) -> None:
        self.engine.faults.late_until, self.engine.faults.late_by = self.schedule.now + seconds, by
        self._calm_after(seconds + by + ANNOUNCED, lies=True)

    def reorder_events(self, seconds: float) -> None:
        self.engine.faults.reorder_until = self.schedule.now + seconds
        self._calm_after(seconds + 0.5 + ANNOUNCED, lies=True)

    def cut_streams(self) -> None:
        self.engine.cut_streams()
        self._calm_after(1.0)

    def refuse_streams(self, seconds: float) -> None:
        self.engine.faults.deaf_until = self.schedule.now + seconds
        self.engine.cut_streams()
        self._calm_after(seconds + 1.0)

    def lag_lists(self, seconds: float, by: float) -> None:
        self.engine.faults.lag_until, self.engine.faults.lag_by = self.schedule.now + seconds, by
        self._calm_after(seconds + by + ANNOUNCED + POLL, lies=True)

    def slow_calls(self, call: str, seconds: float, by: float) -> None:
        self.engine.faults.slow_by = by
        self._fail_calls(call, "slow", seconds)
        self._calm_after(seconds + by)

    def fail_calls(self, call: str, seconds: float) -> None:
        self._fail_calls(call, "fail", seconds)

    def truncate_calls(self, call: str, seconds: float) -> None:
        self._fail_calls(call, "truncate", seconds)

    def hang_calls(self, call: str, seconds: float) -> None:
        self._fail_calls(call, "hang", seconds)
        self._calm_after(seconds + GIVEN_UP)

    def _fail_calls(self, call: str, how: str, seconds: float) -> None:
        self.engine.faults.calls[call] = how, self.schedule.now + seconds
        self._calm_after(seconds + 1.0)

    def stop_engine(self, seconds: float) -> None:
        self.engine.faults.down_until = self.schedule.now + seconds
        self.engine.cut_streams()
        self._calm_after(seconds + 1.0)

    # --- faults of Caddy, the machine, and the program

    def crash_caddy(self, keeps: bool, seconds: float) -> None:
        self.caddy.crash(seconds, keeps=keeps)
        self._calm_after(seconds + LOOK)

    def hang_caddy(self, seconds: float) -> None:
        self.caddy.hangs_until = self.schedule.now + seconds
        self._calm_after(seconds + LOOK + PUT_OFF)

    def slow_caddy(self, seconds: float, by: float) -> None:
        self.caddy.slow_until, self.caddy.slow_by = self.schedule.now + seconds, by
        self._calm_after(seconds + 10 * by + LOOK)

    def change_caddy(self, to: str) -> None:
        """Somebody else has it run nothing, something else, or our sites with other containers behind them."""
        mixed = self.caddy.running.replace(b'"172.17.0.', b'"172.17.0.1')
        self.caddy.change({"nothing": EMPTY, "another": b'{"apps":{}}', "mixed": mixed}[to])
        self._calm_after(LOOK)

    def refuse_loads(self, seconds: float) -> None:
        self.caddy.refuses_until = self.schedule.now + seconds
        self._calm_after(2 * seconds + QUARANTINED)

    def fill_disk(self, seconds: float) -> None:
        self.disk.full_until = self.schedule.now + seconds
        self._calm_after(seconds + LOOK)

    def restart(self, state: str, kills: bool, seconds: float) -> None:
        """The program ends: in the middle of anything, or told to; it is there again with what it finds of its state."""
        if self.program is None:
            return
        self._down_until = self.schedule.now + seconds + STARTING
        self._calm_after(seconds + STARTING + 1.0)
        if state != "kept":
            self.invariants.state_lost()
        for path in self.folder.iterdir() if state != "kept" else ():
            path.write_bytes(b"nothing that a database says" * 100) if state == "corrupt" else path.unlink()
        if kills:
            self.program.end()
        raise Killed

    def jump(self, seconds: float) -> None:
        self.schedule.jump(seconds)
        self._calm_after(1.0)

    def set_clock_back(self, seconds: float) -> None:
        """The engine's own clock goes back: what is created now seems older."""
        self.engine.behind += int(seconds)


def run(script: Script, registry: Registry, keeps: int | None = 300) -> World:
    """A world to which the script has happened. Raises Violation, which has the world."""
    with tempfile.TemporaryDirectory(dir=_in_memory()) as folder:
        world = World(script, registry, Path(folder), keeps)
        try:
            world.run()
        except Violation as violation:
            violation.world = world
            raise
        return world


def _in_memory() -> str | None:
    """Where files are written fast, the system's own folder where there is no such place."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None

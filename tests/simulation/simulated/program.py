"""The program, made of its real parts, on the simulated clock: what is simulated is only whom it talks to."""

import sqlite3
from collections.abc import Callable
from errno import ENOSPC
from pathlib import Path

from attrs import define, field
from dockcaddy.errors import OutputError
from dockcaddy.merge.configuration import Configuration
from dockcaddy.narration import LogNarrator
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.delivery import Delivery, Outputs
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.reconcile.mailbox import Mailbox
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.reconcile.reconciler import Reconciler
from dockcaddy.reconcile.watch import EngineWatches
from dockcaddy.run.adapting import FirstAdapter
from dockcaddy_admin import AdminOutput
from quarantining import quarantine_of

from simulated.caddy import SimulatedCaddy, adapted
from simulated.connection import Watching
from simulated.schedule import Schedule, SimulatedCondition, as_condition


class Killed(BaseException):
    """The program is gone in the middle of whatever it was at."""


@define(eq=False)
class Disk:
    """Where the program's state is, and the file that it writes."""

    folder: Path
    full_until: float = 0.0
    written: str | None = None


@define(eq=False)
class Life:
    """Whether this run of the program still goes on: what it does afterwards does not happen."""

    is_over: bool = False

    def check(self) -> None:
        if self.is_over:
            raise Killed


@define(eq=False)
class Connected:
    """The program's connection to Caddy."""

    caddy: SimulatedCaddy
    life: Life

    def adapt(self, caddyfile: str) -> bytes:
        self.life.check()
        return self.caddy.adapt(caddyfile)

    def load(self, config: bytes) -> None:
        self.life.check()
        self.caddy.load(config)

    def config(self) -> bytes:
        self.life.check()
        return self.caddy.config()

    def since(self) -> object:
        self.life.check()
        return self.caddy.since()

    def close(self) -> None:
        pass


@define(eq=False)
class OnDisk:
    """The Caddy program, asked for what the running one does not answer."""

    schedule: Schedule

    def adapt(self, caddyfile: str) -> bytes:
        self.schedule.wait(0.05)
        return adapted(caddyfile)


@define(eq=False)
class FileOutput:
    """Writes the Caddyfile where there is room for it."""

    disk: Disk
    schedule: Schedule
    told: Callable[[str], None]

    def write(self, configuration: Configuration) -> None:
        if self.schedule.now < self.disk.full_until:
            raise OutputError("No space left on device")
        self.disk.written = configuration.text
        self.told("write")

    def holds(self, configuration: Configuration) -> bool:
        return self.disk.written == configuration.text

    def close(self) -> None:
        pass


class SimulatedLastGood(LastGood):
    """The real file, on a disk that may be full."""

    def use(self, disk: Disk, schedule: Schedule, life: Life) -> "SimulatedLastGood":
        self.disk, self.schedule, self.life = disk, schedule, life
        return self

    def _connect(self) -> sqlite3.Connection:
        self.life.check()
        if self.schedule.now < self.disk.full_until:
            raise OSError(ENOSPC, "No space left on device")
        return super()._connect()


@define(eq=False, repr=False)
class Program:
    """One run of the program."""

    reconciler: Reconciler
    watching: Watching
    last_good: LastGood
    life: Life = field(factory=Life)

    def end(self) -> None:
        """It is gone."""
        self.life.is_over = True
        self.watching.end()


def program(
    schedule: Schedule,
    registry: Registry,
    watching: Watching,
    caddy: SimulatedCaddy,
    disk: Disk,
    told: Callable[[str], None],
) -> Program:
    """The parts put together as `dockcaddy run` does it."""
    life = Life()
    connected = Connected(caddy, life)
    last_good = SimulatedLastGood(disk.folder / "last-good.db").use(disk, schedule, life)
    quarantine = quarantine_of(FirstAdapter((connected, OnDisk(schedule))).adapt, schedule)
    remembered = last_good.load()
    quarantine.remember(remembered.fragments, remembered.json)
    admin = Delivery("admin", AdminOutput(connected), schedule, is_live=True)
    reconciler = Reconciler(
        EngineWatches.of([watching.engine], schedule),
        Pipeline(registry),
        quarantine,
        Outputs([admin, Delivery("caddyfile", FileOutput(disk, schedule, told), schedule)]),
        schedule,
        last_good=last_good,
        narrator=LogNarrator([watching.engine]),
        mailbox=Mailbox(schedule, as_condition(SimulatedCondition(schedule))),
    )
    return Program(reconciler, watching, last_good, life)

"""Playing the tour: real backends, the real pipeline, a real Caddy."""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from attrs import define, evolve, field

from dockcaddy.errors import CaddyUnreachable
from dockcaddy.files import TemporaryFolder
from dockcaddy.model import Problem
from dockcaddy.narration import Pass
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.reconcile.reconciler import Reconciler
from dockcaddy.run.daemon import Ended, caddy_for, connections_for, ended_by_signals
from dockcaddy.run.demo.backends import DemoEngine
from dockcaddy.run.demo.screen import Screen
from dockcaddy.run.demo.tour import HELLO, Step, Tour
from dockcaddy.run.demo.visits import REQUESTS, answers
from dockcaddy.run.environment import Environment
from dockcaddy.run.loop import outputs_for, reconciler_for
from dockcaddy.settings.table import Settings

# so long a change may take on a machine that is very busy
PATIENCE = 60.0


def show(environment: Environment, port: int, pause: float, once: bool, screen: Screen) -> int:
    """Play the tour and keep serving until interrupted, or end with it (`once`); gives the exit status.

    Sites listen at `port` of the loopback address. Raises CaddyUnreachable.
    """
    with suppress(Ended), ended_by_signals(), _stage(environment) as (backends, watcher):
        tour = Tour(port)
        screen.say(
            "Containers come and go, Caddy follows. No Docker is needed: these containers are small web servers inside this program."
        )
        screen.say()
        screen.say(f"Open {tour.url(HELLO)} and reload it while things change.")
        _play(tour, backends, watcher, screen, pause)
        _farewell(tour, screen, once)
        while not once:
            time.sleep(1)
    return 0


@define
class _Watcher:
    """Waits for the loop to have taken up what happened, and keeps what is wrong. It is the loop's narrator."""

    engine: DemoEngine
    problems: tuple[Problem, ...] = ()
    last: Pass | None = None
    _seen: int = -1
    _condition: threading.Condition = field(factory=threading.Condition)

    def report(self, problems: Iterable[Problem]) -> None:
        """All that is wrong now."""
        self.problems = tuple(dict.fromkeys(problems))

    def finished(self, done: Pass) -> None:
        """A pass came to its end; where Caddy has not got it there will be another."""
        with self._condition:
            if done.is_delivered:
                self.last, self._seen = done, self.engine.taken
                self._condition.notify_all()

    def caught_up(self) -> Pass:
        """The pass that took up everything that has happened. Raises CaddyUnreachable where none does."""
        wanted = self.engine.changes
        with self._condition:
            if not self._condition.wait_for(lambda: self._seen >= wanted, PATIENCE) or self.last is None:
                why = "; ".join(map(str, self.problems)) or "caddy does not answer"
                raise CaddyUnreachable(f"the change is not live after {PATIENCE:g} s: {why}")
            return self.last


@contextmanager
def _stage(environment: Environment) -> Iterator[tuple[DemoEngine, _Watcher]]:
    """A loop with a Caddy and a folder of its own, around an engine without containers."""
    with TemporaryFolder.made("demo") as folder, _quiet_caddy(), closing(DemoEngine()) as backends:
        private, watcher = evolve(environment, settings=_own_settings(environment.settings, folder)), _Watcher(backends)
        last_good = LastGood(folder / "last-good.db")
        folders = {"XDG_DATA_HOME": f"{folder}/data", "XDG_CONFIG_HOME": f"{folder}/config"}
        connections = connections_for(private.settings, private.registry, folder)
        outputs = outputs_for(private, connections)
        with caddy_for(private.settings, connections, folder, last_good.json, folders) as process:
            reconciler = reconciler_for(private, [backends], connections, outputs, last_good, watcher)
            if process is not None:
                process.on_start = reconciler.mailbox.caddy_started
            with _running(reconciler):
                yield backends, watcher


def _own_settings(settings: Settings, folder: Path) -> Settings:
    """Nothing of the operator's but the Caddy and the log: sites listen on loopback only."""
    base = folder / "Caddyfile"
    base.write_text("{\n\tdefault_bind 127.0.0.1\n}\n")
    return evolve(
        Settings(),
        admin="off",
        caddy=settings.caddy,
        caddyfile_path=str(base),
        log_format=settings.log_format,
        log_level=settings.log_level,
        state_directory=str(folder),
    )


@contextmanager
def _running(reconciler: Reconciler) -> Iterator[None]:
    thread = threading.Thread(target=reconciler.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        reconciler.mailbox.stop()
        thread.join(5)


@contextmanager
def _quiet_caddy() -> Iterator[None]:
    """What Caddy says below an error is not for newcomers, unless everything was asked for."""
    logger = logging.getLogger("dockcaddy.caddy")
    if logger.isEnabledFor(logging.DEBUG):
        yield
        return
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _play(tour: Tour, backends: DemoEngine, watcher: _Watcher, screen: Screen, pause: float) -> None:
    before = watcher.caught_up()
    known: tuple[Problem, ...] = ()
    steps = tour.steps()
    for number, step in enumerate(steps, 1):
        screen.say()
        screen.heading(number, len(steps), step.title)
        step.change(backends)
        if step.container:
            labels = backends.labels(step.container)
            screen.labels({key: labels[key] for key in step.keys or labels})
        after = watcher.caught_up()
        _show_change(step, before, after, screen)
        for problem in watcher.problems:
            if problem not in known:
                screen.problem(problem)
        said = answers(step.visited, tour.port, step.replicas)
        screen.note(f"{REQUESTS} requests to {tour.url(step.visited)}: {said}")
        before, known = after, watcher.problems
        if number < len(steps):
            time.sleep(pause)


def _show_change(step: Step, before: Pass, after: Pass, screen: Screen) -> None:
    old, new = (each.configuration.text.split("\n") for each in (before, after))
    if old == new:
        screen.note(f"the Caddyfile does not change: {step.meant}")
        return
    screen.note(f"the Caddyfile, live after {round((after.ended - after.noticed) * 1000)} ms:")
    screen.difference(old, new)


def _farewell(tour: Tour, screen: Screen, once: bool) -> None:
    screen.say()
    if not once:
        screen.say(f"That was the tour. {tour.url(HELLO)} stays up until you press ctrl-c.")
        screen.say()
    screen.say("Try next, with containers of your own:")
    screen.commands(
        (
            "docker run -d -l caddy=http://whoami.localhost \\",
            "  -l 'caddy.reverse_proxy={{upstreams 80}}' traefik/whoami",
            "dockcaddy run",
        )
    )
    screen.say("Then open http://whoami.localhost. What labels may say: dockcaddy functions")

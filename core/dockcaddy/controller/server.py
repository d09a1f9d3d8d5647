"""Keeps one server configured, in a thread of its own, so that a slow or dead one delays nobody."""

import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define, field, frozen

from dockcaddy.backoff import Backoff
from dockcaddy.controller.discovery import Target
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, own_fault
from dockcaddy.fragment import Fragment
from dockcaddy.logs import report_own_fault
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Problem
from dockcaddy.quarantine import Quarantine
from dockcaddy.settings import limits

if TYPE_CHECKING:
    from dockcaddy.caddy.watched import WatchedCaddy

# a server is asked this often whether it has its configuration, in seconds
CHECK_INTERVAL = 0.5
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
# one that refuses everything is asked again after these
FIRST_PAUSE_OF_REFUSED, LONGEST_PAUSE_OF_REFUSED = 1.0, 15.0
# a server that is away for less is restarting, in seconds
PATIENCE = 2.0

T = TypeVar("T")
Build = Callable[[Sequence[Fragment]], Configuration]


@frozen(eq=False)
class Wanted:
    """A configuration that a server accepted.

    Where another one refuses it, a part of its fragments is made there, with a builder of that server's own.
    """

    configuration: Configuration
    parts: Sequence[Fragment]
    builder: Callable[[], Build]


def is_same(one: Configuration, other: Configuration) -> bool:
    """Whether two configurations are the same for a Caddy."""
    return one is other or (one.says_the_same_as(other) and one.json == other.json)


@frozen(eq=False)
class _Trial:
    work: Callable[[], Any]
    loads: bool = False
    result: "Future[Any]" = field(factory=Future)


@define(eq=False)
class Server:
    """One server. `clock` gives seconds, `quarantine` finds what this Caddy refuses of what another one accepted.

    `changed` is called when its problems change, `leads` says whether servers may be configured now.
    """

    target: Target
    caddy: "WatchedCaddy"
    quarantine: Quarantine
    clock: Callable[[], float]
    leads: Callable[[], bool] = lambda: True
    changed: Callable[[], None] = lambda: None
    failure: str = ""
    refusal: str = ""
    busy_since: float | None = None
    _condition: threading.Condition = field(factory=threading.Condition)
    _wanted: Wanted | None = None
    _given: Wanted | None = None
    # the part of `_given` that this server accepted, if that is not all
    _own: Configuration | None = None
    _build: tuple[Wanted, Build] | None = None
    _trials: list[_Trial] = field(factory=list)
    _backoff: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))
    _refused: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE_OF_REFUSED, LONGEST_PAUSE_OF_REFUSED))
    _refused_since: Hashable = None
    _failing_since: float | None = None
    _check_at: float = float("-inf")
    _is_trying: bool = False
    _is_closed: bool = False
    _reported: tuple[Problem, ...] = ()

    # --- for other threads

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name=str(self.target), daemon=True).start()

    def close(self) -> None:
        """End; what the server has stays."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()

    def want(self, wanted: Wanted) -> None:
        """Have the server run this configuration from now on."""
        with self._condition:
            is_new = self._wanted is None or not is_same(self._wanted.configuration, wanted.configuration)
            if is_new or self._is_trying:
                self._wanted = wanted if is_new else self._wanted
                self._is_trying, self._check_at = False, float("-inf")
                if is_new:
                    self._refused.succeeded()
                self._condition.notify_all()

    def forget(self) -> None:
        """Nothing is wanted any more: another controller says what the server runs."""
        with self._condition:
            self._wanted, self._is_trying = None, False
            self._refused.succeeded()

    def ask(self, work: "Callable[[WatchedCaddy], T]", *, loads: bool = False) -> "Future[T]":
        """Do something with the Caddy, between other work. If it `loads`, that stays until the server is to run another one.

        It stays for a while only, as nobody may decide what comes next.
        """
        trial = _Trial(lambda: work(self.caddy), loads)
        with self._condition:
            self._trials.append(trial)
            self._condition.notify_all()
        return trial.result

    @property
    def seems_up(self) -> bool:
        """Whether it answered when it was asked last, and is not being waited for."""
        since = self.busy_since
        return not self.failure and (since is None or self.clock() < since + 1)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with it: that it does not answer, or what it refuses."""
        since = self._failing_since
        if since is not None and self.failure and self.clock() >= since + PATIENCE:
            return (Problem(str(self.target), "", self.failure),)
        if self.refusal:
            return (Problem(str(self.target), "", f"it refuses everything and keeps what it has: {self.refusal}"),)
        if self._own is None:
            return ()
        return tuple(Problem(str(self.target), "", f"left out there: {each}") for each in self.quarantine.problems)

    # --- its own thread

    def _run(self) -> None:
        while not self._is_closed:
            try:
                due = self.step()
                with self._condition:
                    if not self._trials and not self._is_closed:
                        self._condition.wait(max(due - self.clock(), 0.0))
            except Exception as error:
                report_own_fault(str(self.target), error)
                with self._condition:
                    self._condition.wait(LONGEST_PAUSE)
        self.caddy.close()

    def step(self) -> float:
        """Do what is due. Returns when something is due next, in seconds of the clock."""
        self.busy_since = self.clock()
        try:
            with self._condition:
                trials, self._trials = self._trials, []
            for trial in trials:
                self._answer(trial)
            if (wanted := self._due()) is not None:
                self._keep(wanted)
            elif self.failure and self._backoff.is_due(self.clock()):
                self._answer(_Trial(self.caddy.config))
        finally:
            self.busy_since = None
        problems = self.problems
        if problems != self._reported:
            self._reported = problems
            self.changed()
        return self._next()

    def _due(self) -> Wanted | None:
        """What the server is to run, if that is to be seen to now."""
        now, retry, wanted = self.clock(), self.quarantine.next_retry, self._wanted
        if wanted is None or not self.leads() or not self._backoff.is_due(now):
            return None
        if now < self._check_at and (self._own is None or retry is None or now < retry):
            return None
        return wanted if self._refused.is_due(now) or self._is_another() else None

    def _is_another(self) -> bool:
        """Whether a server that refused everything has restarted since."""
        self._check_at = self.clock() + CHECK_INTERVAL
        try:
            since = self.caddy.since()
        except CaddyUnreachable as error:
            self._failed(error)
            return False
        self._answered()
        return since != self._refused_since

    def _next(self) -> float:
        if self._backoff.retry_at is not None:
            return self._backoff.retry_at
        return self._check_at if self._wanted is not None and self.leads() else self.clock() + CHECK_INTERVAL

    def _answer(self, trial: _Trial) -> None:
        if not trial.result.set_running_or_notify_cancel():
            return
        try:
            result = trial.work()
        except CaddyUnreachable as error:
            self._failed(error)
            trial.result.set_exception(error)
        except Exception as error:
            trial.result.set_exception(error)
        else:
            self._answered()
            if trial.loads:
                self._is_trying, self._check_at = True, self.clock() + limits.SERVER_TRIAL
            trial.result.set_result(result)

    def _keep(self, wanted: Wanted) -> None:
        """Have the server run what is wanted, if it does not."""
        try:
            if not self._has(wanted):
                self._deliver(wanted)
            elif self._given is not wanted:
                # it has all of it
                self._own = None
            self.refusal = ""
        except CaddyUnreachable as error:
            self._failed(error)
            return
        except CaddyRefusal as refusal:
            self._refuses(wanted, refusal)
            return
        self._answered()
        self._refused.succeeded()
        with self._condition:
            self._given = wanted
            # something else may be wanted by now, and is due at once
            if self._wanted is wanted:
                self._check_at = self.clock() + CHECK_INTERVAL

    def _refuses(self, wanted: Wanted, refusal: CaddyRefusal) -> None:
        """It refuses everything: it is asked again after a while, when it has restarted, or when something else is wanted."""
        self.refusal = str(refusal)
        try:
            self._refused_since = self.caddy.since()
        except CaddyUnreachable as error:
            self._failed(error)
        with self._condition:
            if self._wanted is wanted:
                self._refused.failed(self.clock())
                self._check_at = self.clock() + CHECK_INTERVAL

    def _has(self, wanted: Wanted) -> bool:
        given = self._given
        own = self._own if given is wanted else None
        if own is not None and self.quarantine.next_retry is not None and self.clock() >= self.quarantine.next_retry:
            return False
        return self.caddy.holds((own or wanted.configuration).json)

    def _deliver(self, wanted: Wanted) -> None:
        if self._own is None:
            try:
                self._load(wanted.configuration)
                return
            except CaddyRefusal:
                # what another Caddy accepted: something is missing here
                self._own = wanted.configuration
        if self._build is None or self._build[0] is not wanted:
            self._build = wanted, wanted.builder()
        found = self.quarantine.resolve(wanted.parts, self._build[1], self._load, self._serves)
        self._own = found if self.quarantine.problems else None

    def _load(self, configuration: Configuration) -> bool:
        self.caddy.load(configuration.json)
        return True

    def _serves(self, configuration: Configuration) -> bool:
        try:
            return self.caddy.serves(configuration.json)
        except CaddyUnreachable:
            return False

    def _failed(self, error: CaddyUnreachable) -> None:
        now = self.clock()
        self.failure = str(error).removeprefix(f"caddy at {self.target.url} ") or own_fault(error)
        if self._failing_since is None:
            self._failing_since = now
        self._backoff.failed(now)

    def _answered(self) -> None:
        self.failure, self._failing_since = "", None
        self._backoff.succeeded()

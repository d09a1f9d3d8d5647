"""The loop: wait until something may have changed, take the inventory, settle the configuration, deliver it.

Events only wake it. Every cycle compares what is wanted with what the outputs have, so nothing is lost by a missed
event and nothing is sent when nothing changed.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from attrs import define, field

from dockcaddy.backoff import Backoff
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, OutputError
from dockcaddy.fragment import Fragment
from dockcaddy.logs import report_own_fault
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Problem, without_repeats
from dockcaddy.narration import Cycle, Narrator, ProblemLog
from dockcaddy.quarantine import Quarantine
from dockcaddy.reconcile.address_files import AddressesMoved, AddressFiles
from dockcaddy.reconcile.debounce import Debounce
from dockcaddy.reconcile.delivery import Delivery
from dockcaddy.reconcile.flapping import Flapping
from dockcaddy.reconcile.grace import GracePeriod
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.reconcile.own_faults import OwnFault
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from dockcaddy.reconcile.watch import Watch, WatchedEngine

logger = logging.getLogger("dockcaddy")

CHECK_INTERVAL = 2.0
# asking Caddy for everything again costs more than asking an engine
FIRST_REFUSED_PAUSE, LONGEST_REFUSED_PAUSE = 1.0, 5.0


@define(eq=False)
class Reconciler:
    """Keeps the outputs true to the engines. `clock` gives seconds; all pauses and intervals are in seconds."""

    engines: Sequence[WatchedEngine]
    pipeline: Pipeline
    quarantine: Quarantine | None
    judges: Sequence[Delivery]
    deliveries: Sequence[Delivery]
    clock: Callable[[], float]
    base: Callable[[], BaseCaddyfile | None] = lambda: None
    last_good: LastGood | None = None
    addresses: AddressFiles | None = None
    narrator: Narrator = field(factory=ProblemLog)
    polling_interval: float = 30.0
    throttle_interval: float = 0.1
    cycles: int = 0
    configuration: Configuration | None = None
    problems: tuple[Problem, ...] = ()
    _watches: list[Watch] = field(factory=list)
    _debounce: Debounce = field(init=False)
    _flapping: Flapping = field(factory=Flapping)
    _grace: GracePeriod = field(factory=GracePeriod)
    _offered: Configuration | None = None
    _stopping: bool = False
    _lost: bool = False
    _crashes: int = 0
    _is_settling: bool = False
    _condition: threading.Condition = field(factory=threading.Condition)
    _last_poll: float = float("-inf")
    _next_check: float = float("-inf")
    _refused: Backoff = field(factory=lambda: Backoff(FIRST_REFUSED_PAUSE, LONGEST_REFUSED_PAUSE))
    _own_fault: OwnFault = field(factory=OwnFault)

    def __attrs_post_init__(self) -> None:
        self._watches = [Watch(engine, self.clock) for engine in self.engines]
        self._debounce = Debounce(self.throttle_interval)

    def wake(self, *, urgent: bool = False) -> None:
        """Something may have changed: have a cycle soon. May be called from any thread."""
        with self._condition:
            self._debounce.note(self.clock(), urgent=urgent)
            self._condition.notify_all()

    def caddy_started(self, crashes: int = 0) -> None:
        """Caddy may have lost its configuration: deliver where it has. May be called from any thread.

        It crashed so often before: what came last is to blame if it does so again and again.
        """
        with self._condition:
            self._lost = True
            # what it does not survive while it is tried is found out by the trial
            if not self._is_settling:
                self._crashes += crashes
            self._condition.notify_all()

    def stop(self) -> None:
        """End `run` after the present cycle. May be called from any thread."""
        self._stopping = True
        self.wake()

    def run(self) -> None:
        """Watch the engines until `stop`. An engine has a first cycle come when it has subscribed to its events."""
        self._last_poll = self.clock()
        for watch in self._watches:
            self._protected(partial(watch.engine.start, self.wake))
        try:
            while not self._stopping:
                self.step()
                self._protected(self._wait)
        finally:
            self._close()

    def _close(self) -> None:
        """Let go of everything, whatever of it does not let itself be closed."""
        closings: list[Callable[[], None]] = [self._keep_offered]
        closings += [watch.engine.close for watch in self._watches]
        closings += [delivery.close for delivery in self.deliveries]
        for close in closings:
            try:
                close()
            except Exception as error:
                report_own_fault("at the end", error)

    def step(self) -> None:
        """One turn, with whatever is due. An unexpected error costs this turn and a pause, and nothing that is served."""
        if self._own_fault.is_over(self.clock):
            self._protected(self._turn)

    def _protected(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self._own_fault.began(error, self.clock())
            # it may have been left half made
            self.pipeline.forget()

    def _turn(self) -> None:
        """A cycle if something is due, and a look at what the outputs still have."""
        now = self.clock()
        with self._condition:
            due = self._debounce.due
            changed = due is not None and now >= due
            if changed:
                self._debounce.take(now)
            lost, self._lost = self._lost, False
            crashes, self._crashes = self._crashes, 0
        if self.quarantine is not None:
            for _ in range(crashes):
                self.quarantine.caddy_crashed()
        if lost:
            for delivery in self.judges:
                delivery.restarted()
        if self._poll_due(now):
            self._last_poll = now
            for watch in self._watches:
                watch.engine.resync()
            changed = True
        if changed or lost or self._retry_due(now):
            before = self.configuration
            self.cycle()
            if before is not self.configuration:
                self._debounce.sent()
            self._own_fault.ended()
        elif now >= self._next_check:
            for delivery in self.deliveries:
                self._check(delivery)
            if self.addresses is not None and self.addresses.disturbed:
                self.wake()
            self._next_check = self.clock() + CHECK_INTERVAL

    def cycle(self) -> None:
        """One pass: inventory -> configuration -> outputs. A failure leaves everything as it is."""
        self.cycles += 1
        inventory = self._inventory()
        if inventory is None:
            return
        now = self.clock()
        inventory = self._grace.apply(self._flapping.apply(inventory, now), self.pipeline.linger, now)
        fragments = self._grace.needed(self.pipeline.fragments(inventory, self.base()))
        problems = [problem for fragment in fragments for problem in fragment.problems]
        problems += [each for engine in inventory.engines for each in (*engine.problems, *engine.advice)]
        try:
            configuration = self._with_addresses(tuple(fragments))
        except CaddyUnreachable as error:
            self._put_off([*problems, Problem("caddy", "", str(error))])
            return
        except OutputError as error:
            self._put_off([*problems, Problem("upstreams", "", str(error))])
            return
        except CaddyRefusal as error:
            self._put_off([*problems, Problem("caddy", "", f"refuses everything: {error}")])
            return
        if self.configuration is None or self.configuration.text != configuration.text:
            self.configuration = configuration
        self._keep(configuration)
        self._refused.succeeded()
        problems += configuration.assembly.problems
        if self.quarantine is not None:
            problems += self.quarantine.problems
        self.problems = without_repeats(problems)
        for delivery in self.deliveries:
            self._offer(delivery, configuration)
        self.narrator.tell([*self.problems, *self._failures()])
        is_delivered = not any(delivery.failure for delivery in self.judges)
        noticed = self._debounce.noticed if self._debounce.noticed is not None else now
        self.narrator.ended(Cycle(inventory, configuration, noticed, self.clock(), is_delivered))
        if is_delivered:
            self._debounce.noticed = None

    def _keep(self, accepted: Configuration) -> None:
        """Put down what Caddy accepted, for the next run."""
        if self.last_good is not None and self.quarantine is not None and accepted.adapted is not None:
            self.last_good.keep(accepted.adapted, self.quarantine.last_good)
        self._offered = None

    def _keep_offered(self) -> None:
        """Told to end just after Caddy had accepted something: keep that too."""
        if self._offered is not None and all(delivery.still_holds(self._offered) for delivery in self.judges):
            self._keep(self._offered)

    def _put_off(self, problems: Iterable[Problem]) -> None:
        """Everything stays as it is: the cause lies outside every fragment, so that only time can mend it."""
        self._refused.failed(self.clock())
        self.narrator.tell([*without_repeats(problems), *self._failures()])

    def _with_addresses(self, fragments: tuple[Fragment, ...]) -> Configuration:
        """Settled with addresses in files where Caddy can read them, else in the configuration."""
        if self.addresses is None:
            return self._settled(fragments)
        self.pipeline.read_addresses_from(self.addresses.path)
        try:
            return self._settled(fragments)
        except AddressesMoved:
            self.pipeline.read_addresses_from(self.addresses.path)
            return self._settled(fragments)

    def _settled(self, fragments: tuple[Fragment, ...]) -> Configuration:
        if self.quarantine is None:
            configuration = self.pipeline.configuration([each for each in fragments if not each.refused])
        else:
            self._is_settling = True
            try:
                configuration = self.quarantine.settle(fragments, self.pipeline.configuration, self._judge)
            finally:
                self._is_settling = False
        if self.addresses is not None:
            self.addresses.tell(configuration.names)
        return configuration

    def _judge(self, configuration: Configuration) -> None:
        """Have the running Caddy take it; its refusal is the quarantine's business."""
        if self.addresses is not None:
            # those of the configuration that runs are read until this one takes over
            self.addresses.add(configuration.names)
        self._offered = configuration
        for delivery in self.judges:
            delivery.offer(configuration)

    def _offer(self, delivery: Delivery, configuration: Configuration) -> None:
        try:
            delivery.offer(configuration)
        except CaddyRefusal as refusal:
            delivery.failure = str(refusal)

    def _check(self, delivery: Delivery) -> None:
        try:
            delivery.check()
        except CaddyRefusal:
            self.wake()

    def _inventory(self) -> Inventory | None:
        for watch in self._watches:
            watch.ask(self._has_configuration)
        known = tuple(watch.last for watch in self._watches if watch.last is not None)
        return Inventory(known) if known else None

    def _has_configuration(self) -> bool:
        """Whether anything is served, by this run or from an earlier one."""
        return bool(self.configuration or (self.last_good is not None and self.last_good.load().json))

    def _failures(self) -> list[Problem]:
        troubles = [(each.name, each.failure or each.doubt) for each in self.deliveries]
        failures = [Problem(f"output {name}", "", trouble) for name, trouble in troubles if trouble]
        if self.addresses is not None and self.addresses.failure:
            failures.append(Problem("upstreams", "", self.addresses.failure, "warning"))
        return failures

    def _poll_due(self, now: float) -> bool:
        return self.polling_interval > 0 and now >= self._last_poll + self.polling_interval

    def _retry_due(self, now: float) -> bool:
        return any(at is not None and now >= at for at in self._retries())

    def _retries(self) -> list[float | None]:
        quarantined = self.quarantine.next_retry if self.quarantine is not None else None
        return [
            quarantined,
            self._own_fault.resume_at,
            self._refused.retry_at,
            self._flapping.due,
            self._grace.due,
            self.addresses.retry_at if self.addresses is not None else None,
            *(watch.retry_at for watch in self._watches),
            *(delivery.retry_at for delivery in self.deliveries),
        ]

    def _wait(self) -> None:
        """Sleep until something is due, or woken for something that is."""
        with self._condition:
            while not self._stopping and (not self._lost or self._own_fault.resume_at is not None):
                now = self.clock()
                due = self._next_due()
                if now >= due:
                    return
                self._condition.wait(due - now)

    def _next_due(self) -> float:
        if self._own_fault.resume_at is not None:
            return self._own_fault.resume_at
        times = [at for at in self._retries() if at is not None]
        times.append(self._next_check)
        if self._debounce.due is not None:
            times.append(self._debounce.due)
        if self.polling_interval > 0:
            times.append(self._last_poll + self.polling_interval)
        return min(times)

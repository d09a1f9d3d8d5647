"""The loop: wait until something may have changed, take the inventory, make a configuration of it, deliver it.

Events only wake it. Every pass compares what is wanted with what the outputs have, so that a missed event costs time
only, and nothing is sent when nothing changed.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import inf

from attrs import Factory, define, field

from dockcaddy.backoff import Backoff
from dockcaddy.controller import Controller, NoServers
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.fragment import Fragment
from dockcaddy.incremental import Chosen
from dockcaddy.logs import report_own_fault
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Problem
from dockcaddy.narration import Narrator, Pass, ProblemLog
from dockcaddy.quarantine import Quarantine
from dockcaddy.reconcile.delivery import Outputs
from dockcaddy.reconcile.express_sites import ExpressSites
from dockcaddy.reconcile.flapping import Flapping
from dockcaddy.reconcile.grace import GracePeriod
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.reconcile.mailbox import Mailbox
from dockcaddy.reconcile.own_faults import OwnFault
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline, problems_of
from dockcaddy.reconcile.schedule import Schedule
from dockcaddy.reconcile.services import Services, StateChanged
from dockcaddy.reconcile.watch import EngineWatches
from dockcaddy.status.keeper import StatusKeeper
from dockcaddy.status.observation import Failure, Observation, unreachable

logger = logging.getLogger("dockcaddy")

# asking Caddy for everything again costs more than asking an engine
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 5.0
# how often a controller that does not lead looks what there is, in seconds
WATCH_INTERVAL = 2.0

# seconds until no thread works for a pass any more, most of the time
GIVEN_BACK_AFTER = 10.0
# why nothing is written
UNCHECKED = "no caddy to check labels with, install one: pip install 'dockcaddy[caddy]', or set --caddy PATH"


@define(eq=False, repr=False)
class Reconciler:
    """Keeps the outputs true to the engines. `clock` gives seconds that never go back.

    Other threads use the `mailbox` only. `give_back_memory` is called after each pass that changed something or listed
    everything, and once more when that is some time ago. `configuration` is what Caddy accepted last, `problems` are those of the last pass that came to one.
    """

    watches: EngineWatches
    pipeline: Pipeline
    quarantine: Quarantine | None
    outputs: Outputs
    clock: Callable[[], float]
    base: Callable[[], BaseCaddyfile | None] = lambda: None
    last_good: LastGood | None = None
    services: Services = field(factory=Services)
    servers: Controller | NoServers = field(factory=NoServers)
    express: ExpressSites = field(factory=ExpressSites)
    narrator: Narrator = field(factory=ProblemLog)
    schedule: Schedule = field(factory=Schedule)
    mailbox: Mailbox = field(default=Factory(lambda self: Mailbox(self.clock), takes_self=True))
    give_back_memory: Callable[[], None] = lambda: None
    configuration: Configuration | None = None
    problems: tuple[Problem, ...] = ()
    observer: StatusKeeper | None = None
    _flapping: Flapping = field(factory=Flapping)
    _grace: GracePeriod = field(factory=GracePeriod)
    _outage: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))
    _own_fault: OwnFault = field(factory=OwnFault)
    _reported: tuple[Problem, ...] = ()
    _gives_back_at: float = inf
    _troubled: Chosen[Fragment] = field(factory=lambda: Chosen(lambda each: bool(each.problems)))
    # offered to the live outputs, not yet kept for the next run
    _offered: Configuration | None = None

    # --- the loop

    def run(self) -> None:
        """Watch the engines until the mailbox is stopped. Each engine wakes the loop when it has subscribed to events."""
        self.schedule.begin(self.clock())
        self._protected(self.services.start)
        self._protected(self.servers.start)
        for watch in self.watches.watches:
            self._protected(partial(watch.engine.start, self.mailbox.wake))
        try:
            while not self.mailbox.is_stopped:
                self.step()
                self._protected(self._wait)
        finally:
            self._close()

    def step(self) -> None:
        """Do what is due. An unexpected error costs this step and a pause, and nothing that is served."""
        self.schedule.note(self.mailbox.take())
        if self._own_fault.is_over(self.clock()):
            self._protected(self._do_what_is_due)

    def _do_what_is_due(self) -> None:
        if not self.servers.leads:
            self._watch()
            return
        now = self.clock()
        due = self.schedule.take(now, self._retries())
        if self.quarantine is not None:
            for _ in range(due.crashes):
                self.quarantine.caddy_crashed()
        if due.caddy_started:
            if self.observer is not None:
                self.observer.caddy_restarted(due.crashes)
            self.outputs.caddy_started()
        if due.poll:
            self.watches.resync()
        if due.reconcile:
            before = self.configuration
            if self.reconcile():
                self.schedule.debounce.sent()
            else:
                self.schedule.debounce.sent_nothing(now, self.clock())
            self._own_fault.ended()
            if due.poll or self.configuration is not before:
                self.give_back_memory()
                self._gives_back_at = self.clock() + GIVEN_BACK_AFTER
        elif due.check:
            self._check()
            if now >= self._gives_back_at:
                # what other threads used for this pass
                self.give_back_memory()
                self._gives_back_at = inf

    def _watch(self) -> None:
        """Another controller leads: know what there is, to take over at any time."""
        if self.schedule.take(self.clock(), ()).poll:
            self.watches.resync()
        inventory = self.watches.inventory(self._has_configuration)
        if inventory is not None:
            self.servers.found(inventory)

    def _check(self) -> None:
        if not self.outputs.check() or not self.services.hold() or not self.express.hold():
            self.mailbox.wake()
        self.schedule.checked(self.clock())

    def _wait(self) -> None:
        resume_at = self._own_fault.resume_at
        if not self.servers.leads:
            self.mailbox.wait_until(self.clock() + WATCH_INTERVAL)
            return
        self.mailbox.wait_until(self.schedule.next_due(self._retries()) if resume_at is None else resume_at)

    def _retries(self) -> Iterator[float]:
        """When something is tried again or ends by itself, in seconds of the clock."""
        own = (self._own_fault.resume_at, self._outage.retry_at, self._flapping.due, self._grace.due)
        yield from (at for at in own if at is not None)
        yield from self.watches.retries()
        if self._outage.retry_at is not None:
            # the next try of everything is one of these too
            return
        if self.quarantine is not None and self.quarantine.next_retry is not None:
            yield self.quarantine.next_retry
        yield from self.outputs.retries()
        yield from self.services.retries()
        yield from self.express.retries()

    def _protected(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self._own_fault.began(error, self.clock())
            # it may have been left half made
            self.pipeline.forget()

    def _close(self) -> None:
        """Close everything; what cannot be closed keeps nothing else open."""
        closings: list[Callable[[], None]] = [self._keep_offered]
        closings += [watch.engine.close for watch in self.watches.watches]
        closings += [self.servers.close, self.outputs.close, self.services.stop]
        for close in closings:
            try:
                close()
            except Exception as error:
                report_own_fault("at the end", error)

    # --- one pass

    def reconcile(self) -> bool:
        """One pass: inventory -> fragments -> configuration -> outputs. A failure leaves everything as it is.

        Returns whether the configuration of Caddy has changed.
        """
        begun = self.clock()
        inventory = self._inventory(begun)
        if inventory is None or self._may_lose_sites(inventory):
            self.services.begin_pass()
            self._observe()
            return False
        fragments = self._fragments(inventory)
        try:
            configuration = self._accepted(fragments)
        except (CaddyUnreachable, CaddyRefusal) as error:
            self._outage.failed(self.clock())
            self._report(
                problems_of(
                    inventory,
                    self._troubled.of(fragments),
                    self.configuration,
                    [*self._quarantined, _problem_of(error, self.outputs.refusing)],
                )
            )
            self._observe(inventory, fragments, _failure_of(error))
            return False
        self._outage.succeeded()
        if self.outputs.is_accepted:
            self._keep(configuration)
        before = self.configuration
        changed = before is None or not before.says_the_same_as(configuration)
        if before is None or before.assembly is not configuration.assembly:
            # the same text may have other makers: a container was renamed
            self.configuration = configuration
        self.problems = problems_of(inventory, self._troubled.of(fragments), configuration, self._quarantined)
        took = self._deliver(configuration, inventory, begun)
        self._observe(inventory, fragments, self.outputs.failure, took if changed else None)
        return changed and not self.express.is_serving

    @property
    def _quarantined(self) -> Sequence[Problem]:
        return self.quarantine.problems if self.quarantine is not None else ()

    def _inventory(self, now: float) -> Inventory | None:
        """What all engines have, without what flaps, with what is gone for a moment only."""
        inventory = self.watches.inventory(self._has_configuration)
        if inventory is None:
            return None
        self.servers.found(inventory)
        return self._grace.apply(self._flapping.apply(inventory, now), now)

    def _may_lose_sites(self, inventory: Inventory) -> bool:
        """Whether servers may have sites of an engine that has not answered here, which another controller made."""
        unheard = self.watches.unheard
        remembered = self.last_good.json() if unheard and self.last_good is not None else b""
        if not unheard or not self.servers.may_have_more(remembered):
            return False
        message = (
            "has not answered yet, and another controller has configured the servers: they keep what they have until it "
            "answers, or for as long as --engine-retention says"
        )
        engines = [problem for engine in inventory.engines for problem in engine.problems]
        self._report([*engines, *(Problem(f"engine {name}", "", message, "warning") for name in sorted(unheard))])
        return True

    def _has_configuration(self) -> bool:
        """Whether anything is served, by this run or from an earlier one."""
        return bool(self.configuration or (self.last_good is not None and self.last_good.json()))

    def _fragments(self, inventory: Inventory) -> tuple[Fragment, ...]:
        begin = self.quarantine.begin if self.quarantine is not None else None
        return self._grace.needed(self.pipeline.fragments(inventory, self.base(), self._remembered(inventory), begin))

    def _remembered(self, inventory: Inventory) -> Sequence[Fragment]:
        """What an earlier run served of engines that have not answered yet, unless another engine has it."""
        unheard = self.watches.unheard
        if not unheard or self.quarantine is None:
            return ()
        # another manager of a Swarm lists the same services
        ids = {each.id for engine in inventory.engines for each in engine.resources}
        ids |= {each.id for engine in inventory.engines for each in engine.configs}
        parts = ((each.key.rpartition("/"), each) for each in self.quarantine.last_good.values())
        return [each for (engine, _, id), each in parts if engine in unheard and id not in ids]

    def _accepted(self, fragments: Sequence[Fragment]) -> Configuration:
        """The configuration that the live outputs took, made for the states of the services.

        Raises CaddyUnreachable and CaddyRefusal where there is no configuration.
        """
        states = self.services.begin_pass()
        self.express.begin_pass()
        while True:
            self.pipeline.use_states(states)
            try:
                return self._resolved(fragments)
            except StateChanged:
                # the services see to it that this ends
                states = self.services.states()

    def _resolved(self, fragments: Sequence[Fragment]) -> Configuration:
        if self.quarantine is None:
            if self.pipeline.document_rules.look.rules and any(each.resource and each.blocks for each in fragments):
                raise CaddyUnreachable(UNCHECKED)
            configuration = self.pipeline.configuration([each for each in fragments if not each.refused])
        else:
            with self.mailbox.ignoring_crashes():
                configuration = self.quarantine.resolve(
                    fragments, self.pipeline.configuration, self._offer_live, self.outputs.any_still_holds
                )
        self.services.after_accepted(configuration)
        self.express.after_accepted(configuration)
        return configuration

    def _offer_live(self, configuration: Configuration) -> bool:
        """Have the running Caddy serve it; the quarantine resolves its refusal. Returns whether Caddy has taken it."""
        self.services.before_offer(configuration)
        if self.express.serves(configuration, is_running=self.outputs.have(self.express.running)):
            return False
        self._offered = configuration
        try:
            is_accepted = self.outputs.offer_live(configuration)
        except CaddyRefusal:
            self._offered = None
            self.express.was_refused()
            raise
        if is_accepted:
            self.express.has_loaded(configuration)
        return is_accepted

    def _deliver(self, configuration: Configuration, inventory: Inventory, begun: float) -> float | None:
        """Hand the configuration to every output, and report the pass. Returns how many seconds a change took until it was live."""
        is_delivered = self.outputs.offer(configuration, to_live=not self.express.is_serving)
        if self.quarantine is not None and self.outputs.is_accepted:
            self.servers.publish(configuration, self.quarantine.parts, self.pipeline.separate)
        self._report(self.problems)
        noticed = begun if self.schedule.waiting_since is None else self.schedule.waiting_since
        done = Pass(inventory, configuration, noticed, self.clock(), is_delivered)
        self.narrator.finished(done)
        if not is_delivered:
            return None
        self.schedule.served()
        return done.ended - done.noticed

    def _report(self, problems: Sequence[Problem]) -> None:
        """Report these problems and those of the outputs and services."""
        failures = [*self.outputs.problems(), *self.services.problems(), *self.servers.problems, *self.express.problems]
        self._reported = (*problems, *failures)
        self.narrator.report(self._reported)

    def _observe(
        self,
        inventory: Inventory | None = None,
        fragments: tuple[Fragment, ...] = (),
        failure: Failure | None = None,
        took: float | None = None,
    ) -> None:
        """Show the pass to the observer."""
        if self.observer is None:
            return
        quarantine = self.quarantine
        self.observer.observe(
            Observation(
                inventory,
                fragments,
                self.configuration,
                tuple([each for each in fragments if not each.refused]) if quarantine is None else quarantine.parts,
                {} if quarantine is None else quarantine.left_out,
                self._reported,
                self.watches.failures,
                failure,
                self.outputs.take_loads(),
                took,
            )
        )

    # --- for the next run

    def _keep(self, accepted: Configuration) -> None:
        """Save what Caddy accepted, and the fragments of what it serves beyond that."""
        if self.last_good is not None and self.quarantine is not None:
            fragments = self.quarantine.last_good
            if self.express.is_serving and self.express.running is not None:
                accepted, fragments = self.express.running, self.quarantine.served
            if accepted.adapted is not None:
                self.last_good.keep(accepted.json, fragments)
        # only now: a signal may have ended this before
        self._offered = None

    def _keep_offered(self) -> None:
        """Save what Caddy accepted just before the end."""
        if self._offered is not None and self.outputs.still_hold(self._offered):
            self._keep(self._offered)


def _problem_of(error: CaddyUnreachable | CaddyRefusal, refusing: str) -> Problem:
    """Why there is no configuration at all: the cause lies outside every fragment, only time can fix it."""
    if isinstance(error, CaddyRefusal):
        return Problem(refusing or "caddy", "", f"refuses everything: {error}")
    return Problem("caddy", "", str(error))


def _failure_of(error: CaddyUnreachable | CaddyRefusal) -> Failure:
    """The same for the status."""
    is_refusal = isinstance(error, CaddyRefusal)
    return Failure("RefusedByCaddy", f"caddy refuses everything: {error}") if is_refusal else unreachable(str(error))

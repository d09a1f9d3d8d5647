"""Services of plugins beside the loop. A fault of one affects neither the others nor the configuration."""

import logging
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

from attrs import define, field

from dockcaddy.backoff import Backoff
from dockcaddy.errors import DockcaddyError, PluginFault
from dockcaddy.hookspecs import Configuration
from dockcaddy.model import Problem
from dockcaddy.plugins.services import GuardedService
from dockcaddy.settings import limits

logger = logging.getLogger("dockcaddy")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0


class StateChanged(DockcaddyError):
    """The state of a service has changed: the sites have to be made again. It happens a few times in a pass at most."""


@define(eq=False)
class _Running:
    """One service as it was after its last call: after a fault its state is None, and it is left alone for a while."""

    service: GuardedService
    clock: Callable[[], float]
    state: Hashable = None
    reported: tuple[str, ...] = ()
    fault: str = ""
    service_retry_at: float | None = None
    _changes: int = 0
    _has_worked: bool = False
    # a pause that ends within a pass lasts until the next one, which asks the service to prepare first
    _is_left_alone: bool = False
    _backoff: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))
    _unrest: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))

    @property
    def retry_at(self) -> float | None:
        """When it needs another pass."""
        pauses = [each.retry_at for each in (self._backoff, self._unrest) if each.retry_at is not None]
        return max(pauses, default=self.service_retry_at)

    @property
    def _is_due(self) -> bool:
        return all(each.is_due(self.clock()) for each in (self._backoff, self._unrest))

    @property
    def problems(self) -> Iterator[Problem]:
        """What is wrong with it: a fault, or what it reports itself."""
        if self.fault:
            owner = str(self.service.type)
            yield Problem(owner, "", self.fault.removeprefix(f"{owner} ").removeprefix("failed: "), "warning")
        yield from (Problem(f"service {self.service.name}", "", each, "warning") for each in self.reported)

    def begin_pass(self) -> None:
        """A pass begins: it may change its state again."""
        if self._has_worked and self._changes <= limits.MAX_STATE_CHANGES:
            self._unrest.succeeded()
        self._changes, self._has_worked, self._is_left_alone = 0, False, not self._is_due

    def work(self, work: Callable[[GuardedService], object]) -> bool:
        """Call it in a pass. Returns whether its state has changed."""
        before = self.state
        if self._is_left_alone:
            return False
        self._has_worked = True
        self.call(work)
        if self.state is before:
            return False
        self._changes += 1
        if self._changes > limits.MAX_STATE_CHANGES and not self._is_left_alone:
            self._failed("its state changes at every call, so it is left alone for a while", self._unrest)
        return True

    def holds(self) -> bool:
        """Whether what it did is still in force, and its state is the same. A fault has a retry of its own."""
        before = self.state
        is_held = self.call(GuardedService.holds) is not False
        return is_held and (self.state is None or self.state is before)

    def _failed(self, fault: str, backoff: Backoff) -> None:
        self.state, self.reported, self.fault, self._is_left_alone = None, (), fault, True
        backoff.failed(self.clock())

    def call(self, work: Callable[[GuardedService], object]) -> object:
        """What the call gives, None after a fault and until the service is tried again."""
        if not self._is_due:
            return None
        try:
            result = work(self.service)
            self.state, self.service_retry_at = self.service.state(self.state), self.service.retry_at()
            self.reported, self.fault = self.service.problems(), ""
        except PluginFault as fault:
            self._failed(str(fault), self._backoff)
            return None
        self._backoff.succeeded()
        return result


@define(eq=False)
class Services:
    """All services of the daemon. Nothing here raises what a service does wrong."""

    services: Sequence[GuardedService] = ()
    clock: Callable[[], float] = lambda: 0.0
    _running: list[_Running] = field(init=False)
    _next_pass: float = float("-inf")

    def __attrs_post_init__(self) -> None:
        self._running = [_Running(each, self.clock) for each in self.services]

    def begin_pass(self) -> Mapping[str, Hashable]:
        """A pass begins: gives the state of each service, by its name."""
        self._next_pass = self.clock() + FIRST_PAUSE
        for each in self._running:
            each.begin_pass()
        return self.states()

    def states(self) -> Mapping[str, Hashable]:
        """The state of each service, by its name. What is equal to the state before is the very same object."""
        return {each.service.name: each.state for each in self._running}

    def start(self) -> None:
        """Start all of them."""
        for each in self._running:
            each.call(GuardedService.start)

    def before_offer(self, configuration: Configuration) -> None:
        """Have them prepare for what Caddy is about to be given. Raises StateChanged where it has to be made anew."""
        self._call_all(lambda service: service.before_offer(configuration))

    def after_accepted(self, configuration: Configuration) -> None:
        """Have them clean up after Caddy took a configuration. Raises StateChanged where it has to be made anew."""
        self._call_all(lambda service: service.after_accepted(configuration))

    def _call_all(self, work: Callable[[GuardedService], object]) -> None:
        # all of them are called, whatever the first one does
        if changed := [each.service.name for each in self._running if each.work(work)]:
            raise StateChanged(f"service {changed[0]}: its state has changed")

    def hold(self) -> bool:
        """Whether all that they did is still in force, and sites are made for their states."""
        # all of them are asked, whatever the first one says
        held = [each.holds() for each in self._running]
        return all(held)

    def retries(self) -> Iterator[float]:
        """When they need another pass, in seconds of the clock: a while after the last one, whatever they say."""
        return (max(each.retry_at, self._next_pass) for each in self._running if each.retry_at is not None)

    def problems(self) -> list[Problem]:
        """What is wrong with them."""
        return [problem for each in self._running for problem in each.problems]

    def stop(self) -> None:
        """Stop all of them; one that cannot be stopped keeps no other one running."""
        for each in self._running:
            try:
                each.service.stop()
            except PluginFault as fault:
                logger.warning("%s", fault)

"""Services of plugins beside the loop. A fault of one affects neither the others nor the configuration."""

import logging
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

from attrs import define, field

from dockcaddy.backoff import Backoff
from dockcaddy.errors import OutputError, PluginFault
from dockcaddy.hookspecs import Configuration
from dockcaddy.model import Problem
from dockcaddy.plugins.services import GuardedService

logger = logging.getLogger("dockcaddy")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0


class StateChanged(OutputError):
    """The state of a service has changed: the sites have to be made again."""


@define(eq=False)
class _Running:
    """One service as it was after its last call: after a fault its state is None, and it is left alone for a while."""

    service: GuardedService
    clock: Callable[[], float]
    state: Hashable = None
    problems: tuple[str, ...] = ()
    service_retry_at: float | None = None
    _backoff: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))

    @property
    def retry_at(self) -> float | None:
        """When it needs another pass."""
        return self._backoff.retry_at if self._backoff.retry_at is not None else self.service_retry_at

    def call(self, work: Callable[[GuardedService], object]) -> object:
        """What the call gives, None after a fault and until the service is tried again."""
        if not self._backoff.is_due(self.clock()):
            return None
        try:
            result = work(self.service)
            self.state, self.service_retry_at = self.service.state(), self.service.retry_at()
            self.problems = self.service.problems()
        except PluginFault as fault:
            self.state, self.problems = None, (str(fault),)
            self._backoff.failed(self.clock())
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
        return self._states()

    def _states(self) -> Mapping[str, Hashable]:
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
        before = self._states()
        for each in self._running:
            each.call(work)
        if changed := [name for name, state in self._states().items() if state != before[name]]:
            raise StateChanged(f"service {changed[0]}: what sites need to know of it keeps changing")

    def hold(self) -> bool:
        """Whether all that they did is still in force, and sites are made for their states."""
        before = self._states()
        # all of them are asked, whatever the first one says
        held = [each.call(GuardedService.holds) is not False for each in self._running]
        # a fault has a retry of its own
        return all(held) and all(state in (None, before[name]) for name, state in self._states().items())

    def retries(self) -> Iterator[float]:
        """When they need another pass, in seconds of the clock: a while after the last one, whatever they say."""
        return (max(each.retry_at, self._next_pass) for each in self._running if each.retry_at is not None)

    def problems(self) -> list[Problem]:
        """What is wrong with them."""
        return [
            Problem(f"service {each.service.name}", "", message, "warning")
            for each in self._running
            for message in each.problems
        ]

    def stop(self) -> None:
        """Stop all of them; one that cannot be stopped keeps no other one running."""
        for each in self._running:
            try:
                each.service.stop()
            except PluginFault as fault:
                logger.warning("%s", fault)

"""Services of plugins, called through the guard."""

import math
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any, TypeVar

from attrs import define

from dockcaddy.errors import PluginFault, one_line
from dockcaddy.hookspecs import Configuration, Service, ServiceContext, ServiceType
from dockcaddy.plugins.calls import true_or_false
from dockcaddy.plugins.guard import Contribution, Unfit
from dockcaddy.plugins.results import named
from dockcaddy.settings import limits

R = TypeVar("R")
_METHODS = ("start", "before_offer", "after_accepted", "holds", "problems", "stop")


@define(eq=False)
class GuardedService:
    """A service, created and started when it is first called, and again where that failed.

    Every method raises PluginFault for whatever goes wrong in the plugin's code.
    """

    type: Contribution[ServiceType]
    context: ServiceContext
    _started: Service | None = None

    @property
    def name(self) -> str:
        """The service's name."""
        return self.type.name

    def start(self) -> None:
        """Create and start it unless it runs."""
        if self._started is None:
            made = self.type.run(self.type.item.create, self.context, check=_whole_service)
            try:
                self._run(lambda: made.start(), _nothing)  # noqa: PLW0108  also to ask for it is the plugin's code
            except PluginFault:
                # what it has opened so far is closed before another one is created
                with suppress(PluginFault):
                    self._run(lambda: made.stop(), _nothing)  # noqa: PLW0108
                raise
            self._started = made

    def before_offer(self, configuration: Configuration) -> None:
        """As `Service.before_offer`."""
        service = self._service()
        self._run(lambda: service.before_offer(configuration), _nothing)

    def after_accepted(self, configuration: Configuration) -> None:
        """As `Service.after_accepted`."""
        service = self._service()
        self._run(lambda: service.after_accepted(configuration), _nothing)

    def holds(self) -> bool:
        """As `Service.holds`."""
        service = self._service()
        return self._run(lambda: service.holds(), true_or_false)  # noqa: PLW0108

    def state(self, known: Hashable) -> Hashable:
        """As `Service.state`; the very object `known` where it equals that."""
        service = self._service()
        return self._run(lambda: service.state, lambda given: _state(given, known))

    def retry_at(self) -> float | None:
        """As `Service.retry_at`."""
        service = self._service()
        return self._run(lambda: service.retry_at, _time)

    def problems(self) -> tuple[str, ...]:
        """As `Service.problems`."""
        service = self._service()
        return self._run(lambda: service.problems(), _texts)  # noqa: PLW0108

    def stop(self) -> None:
        """Stop it where it runs."""
        service, self._started = self._started, None
        if service is not None:
            self._run(lambda: service.stop(), _nothing)  # noqa: PLW0108

    def _service(self) -> Service:
        self.start()
        assert self._started is not None
        return self._started

    def _run(self, call: Callable[[], object], check: Callable[[Any], R]) -> R:
        return self.type.run(call, check=check)


def _whole_service(given: Any) -> Service:
    for name in _METHODS:
        if not callable(getattr(given, name, None)):
            raise Unfit(f"returns {named(given)} without {name}(): a service has {', '.join(_METHODS)}")
    for name in ("state", "retry_at"):
        if not hasattr(given, name):
            raise Unfit(f"returns {named(given)} without {name}: a service has state and retry_at")
    service: Service = given
    return service


def _nothing(given: object) -> None:
    if given is not None:
        raise Unfit(f"returns {named(given)}, expected nothing")


def _state(given: Any, known: Hashable) -> Hashable:
    """The state, `known` where it is the same. Raises what comparing them raises."""
    if type(given).__hash__ is None:
        raise Unfit(
            f"has {named(given)} as its state, expected a value that does not change, such as a text or a tuple"
        )
    hash(given)
    state: Hashable = known if given is known or given == known else given
    return state


def _time(given: Any) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or math.isnan(given):
        raise Unfit(f"has {named(given)} as its retry_at, expected None or seconds of the clock")
    return float(given)


def _texts(given: Any) -> tuple[str, ...]:
    texts = () if isinstance(given, str) else tuple(given)
    if isinstance(given, str) or not all(isinstance(each, str) for each in texts):
        raise Unfit(f"returns {named(given)} as its problems, expected texts")
    return tuple(map(one_line, texts[: limits.MAX_SERVICE_PROBLEMS]))

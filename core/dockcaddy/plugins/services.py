"""Services of plugins, called through the guard."""

import math
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from attrs import define

from dockcaddy.errors import one_line
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
            self._run(lambda: made.start(), _nothing)  # noqa: PLW0108  also to ask for it is the plugin's code
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

    def state(self) -> Hashable:
        """As `Service.state`."""
        service = self._service()
        return self._run(lambda: service.state, _hashable)

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


def _hashable(given: Any) -> Hashable:
    hash(given)
    state: Hashable = given
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

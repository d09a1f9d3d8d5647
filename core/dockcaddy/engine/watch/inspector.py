"""Inspects each labelled container once in its life, and again where that failed or where only an inspect has its health."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from attrs import define, field

from dockcaddy.engine.api.calls import Calls
from dockcaddy.engine.api.engine_api import EngineApi
from dockcaddy.engine.api.failures import cause_of, is_forbidden
from dockcaddy.engine.api.responses import Responses
from dockcaddy.engine.problems import EngineProblems
from dockcaddy.engine.records.soundness import INSPECT, oddity
from dockcaddy.engine.store import ContainerStore
from dockcaddy.engine.watch.inspects import InspectQueue

# Podman stores the state of a health check some milliseconds after its event
LAG = 0.1


@define(eq=False)
class Inspector:
    """The inspects of one engine. `clock` gives seconds."""

    store: ContainerStore
    api: EngineApi
    calls: Calls
    responses: Responses
    problems: EngineProblems
    clock: Callable[[], float]
    queue: InspectQueue = field(factory=InspectQueue)

    def want_all(self) -> None:
        """Queue every labelled container that was not inspected."""
        self._want(self.store.uninspected())

    def want_checked(self) -> None:
        """Queue those whose health is not in a list."""
        if not self.api.lists_health:
            self._want(filter(self.store.is_checked, self.store.ids))

    def again(self, id: str) -> None:
        """Inspect a container again in a moment, if it has a health check."""
        if self.store.is_checked(id):
            self.queue.again(id, self.clock() + LAG)

    def want(self, ids: Iterable[str]) -> None:
        """Queue those of these containers that need it."""
        self._want(id for id in ids if self.store.needs_inspect(id))

    def _want(self, ids: Iterable[str]) -> None:
        opened = self._open
        self.queue.want([id for id in ids if id not in opened])

    @property
    def _open(self) -> set[str]:
        return {call.about for call in self.calls.of("inspect")}

    def begin(self, take: Callable[[str, Any], None], fail: Callable[[str, Exception], None]) -> None:
        """Begin the inspects that may begin now; `take` gets the response, `fail` the error."""
        inspects = self.calls.of("inspect")
        late = len(inspects) - len(self.calls.awaited("inspect"))
        begun, opened = len(inspects), self._open
        while (id := self.queue.next(begun, late)) is not None:
            if id in opened:
                # its response may be older than what is wanted
                self.queue.again(id, self.clock() + LAG)
                continue
            begun += 1
            opened.add(id)
            ask, begin = partial(self.api.inspect, id), partial(self.api.begin_inspect, id)
            self.calls.begin("inspect", ask, partial(take, id), partial(fail, id), id, begin)

    def succeeded(self, id: str, answer: Any) -> None:
        """Take the response to an inspect. One with an unexpected value is an error."""
        if key := oddity(answer, INSPECT, "Id"):
            self.failed(id, ValueError(f'the engine\'s response has an unexpected value of "{key}"'))
            return
        self.queue.succeeded(id)
        self.problems.report_container(id, "", "")
        self.responses.take_inspect(id, answer)

    def failed(self, id: str, error: Exception) -> None:
        """Take the error of an inspect: try it again later, unless the container is gone."""
        from docker.errors import NotFound  # noqa: PLC0415  docker is slow to import

        name = self.store.name(id)
        if not isinstance(error, NotFound):
            self.problems.report_container(id, name, f"cannot be inspected: {cause_of(error)}")
            self.store.mark_unreadable(id)
            put_off = self.queue.forbidden if is_forbidden(error) else self.queue.failed
            put_off(id, self.clock())
        elif self.responses.take_absence(id):
            self.queue.failed(id, self.clock())
        else:
            self.problems.report_container(id, name, "")
            self.queue.succeeded(id)

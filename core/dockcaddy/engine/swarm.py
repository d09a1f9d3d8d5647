"""Follows the Swarm of a manager: what its responses and errors mean, and when to ask again. No I/O.

Services, configs and nodes have events. Tasks on other nodes have none, so they are listed all the time while there are
labelled services. A task leaves its service's upstreams when the Swarm decides to end it, which is seconds before it ends.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define

from dockcaddy.engine.api.failures import failure_of, is_no_manager
from dockcaddy.engine.builder import InventoryBuilder
from dockcaddy.engine.problems import EngineProblems
from dockcaddy.engine.services import SwarmResponses
from dockcaddy.engine.watch.rechecks import Rechecks

# pause between lists of tasks, in seconds: longer where a list takes long, so that it takes a small part of the time
POLL, LONGEST_POLL = 0.5, 5.0
SHARE = 0.1
# at the start, managers may have to elect a leader before they list services: how long to wait, and between tries
SWARM_PATIENCE = 30.0
SWARM_PAUSE = 2.0

_ASK_A_MANAGER = "connect dockcaddy to a manager, or make this node one (docker node promote)"
_HAVE_A_QUORUM = "more than half of the managers have to be online (docker node ls)"


@define(eq=False)
class Swarm:
    """The Swarm of one engine. `clock` gives seconds. `is_known` if it is known whether there are services."""

    builder: InventoryBuilder
    problems: EngineProblems
    rechecks: Rechecks
    clock: Callable[[], float]
    is_known: bool = False
    _until: float | None = None
    _cause: str = ""
    _began: float = 0.0
    _listed: int = 0

    @property
    def is_polling(self) -> bool:
        """Whether tasks are listed all the time."""
        services = self.builder.services
        needs_tasks = services.options.proxy_service_tasks or services.has_servers
        return services.has_services and needs_tasks and not services.are_old

    def begin(self, kind: str, number: int) -> None:
        """A call of this kind begins, with its number."""
        self._began = self.clock()
        if kind == "swarm":
            self._listed = number

    def take(self, answers: SwarmResponses | None, forbidden: Mapping[str, str]) -> None:
        """Take what a manager listed, None if this node is none."""
        self.is_known = True
        services = self.builder.services
        if answers is None and (services.has_services or services.configs):
            self._stay("this node is no Swarm manager any more", _ASK_A_MANAGER)
            return
        services.replace_all(answers or SwarmResponses())
        self._answered()
        self.problems.report_forbidden(forbidden)
        if "tasks" not in forbidden:
            self._poll_again()

    def take_tasks(self, number: int, tasks: Sequence[Mapping[str, Any]]) -> None:
        """Take a list of the tasks, unless everything was listed since the call with this number began."""
        if number > self._listed:
            self.builder.services.replace_tasks(tasks)
            self._poll_again()

    def leave(self) -> None:
        """The engine is in no Swarm."""
        self.take(SwarmResponses(), {})

    def is_awaited(self) -> bool:
        """Whether passes wait for services that cannot be listed: for a while at the start, so that no site is missing."""
        if self._until is None:
            self._until = self.clock() + SWARM_PATIENCE
        return not self.is_known and self.clock() < self._until

    def fail(self, error: Exception) -> None:
        """A list failed. What is known stays, and everything is listed again after a pause."""
        self.is_known = True
        failure = failure_of(error)
        self._stay(failure.cause, failure.remedy or (_ASK_A_MANAGER if is_no_manager(error) else _HAVE_A_QUORUM))
        self.rechecks.lists.pop("tasks", None)
        self.rechecks.lists["swarm"] = self.clock() + SWARM_PAUSE

    def fail_tasks(self, error: Exception) -> None:
        """The list of tasks failed."""
        failure = failure_of(error)
        if failure.is_forbidden:
            self.problems.report_call("tasks", failure.cause)
        else:
            self.fail(error)

    def _stay(self, cause: str, remedy: str) -> None:
        """What is known stays. Reported once: while a Swarm has no leader, the cause changes with each call."""
        self._cause = self._cause or f"{cause}; the last known services and tasks stay: {remedy}"
        self.builder.services.are_old = True
        self.problems.report("swarm", f"services cannot be listed: {self._cause}")

    def _answered(self) -> None:
        self._cause = ""
        self.builder.services.are_old = False
        self.problems.report("swarm", "")

    def _poll_again(self) -> None:
        self.rechecks.lists.pop("tasks", None)
        if self.is_polling:
            now = self.clock()
            self.rechecks.lists["tasks"] = now + min(max((now - self._began) / SHARE, POLL), LONGEST_POLL)

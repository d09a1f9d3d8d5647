"""Problems with calls to an engine. No I/O."""

from collections.abc import Iterator, Mapping

from attrs import define, field

from dockcaddy.engine.api.failures import cause_of
from dockcaddy.model import Problem

# the consequence of each call that is forbidden
WITHOUT = {
    "info": "it is unknown whether this is a Swarm manager",
    "services": "Swarm services are missing",
    "tasks": "Swarm services have no upstreams, except with --proxy-service-tasks=false",
    "configs": "Caddyfiles in Swarm configs are missing",
}


# calls without which what was known goes on
PARTS = {
    "networks": ("its networks cannot be listed", "the last known ones stay"),
    "own": ("the container that Caddy runs in cannot be inspected", "what was known of it stays"),
}


@define(eq=False)
class EngineProblems:
    """The problems of one engine, by call or by container. `changes` counts changes."""

    engine: str
    changes: int = 0
    _problems: dict[str, Problem] = field(factory=dict)

    def __iter__(self) -> Iterator[Problem]:
        return iter(tuple(self._problems.values()))

    def report(self, call: str, message: str) -> None:
        """Report a problem of the engine, by the call that has it; `""` clears it."""
        self._put(call, Problem(f"engine {self.engine}", "", message, "warning") if message else None)

    def report_forbidden_networks(self, cause: str) -> None:
        """Report that networks cannot be listed."""
        where = "where Caddy has no container on it and --ingress-networks names none, every network counts"
        self.report("networks", f"{cause}; the networks of the engine are unknown: {where}")

    def report_parts(self, failures: Mapping[str, Exception]) -> None:
        """Report the calls that failed though the engine answers others; those of before that are not among them are over."""
        for call, what in PARTS.items():
            error = failures.get(call)
            self.report(f"part {call}", f"{what[0]}: {cause_of(error)}; {what[1]}" if error else "")

    def report_container(self, id: str, name: str, message: str) -> None:
        """Report a problem of one container; `""` clears it."""
        self._put(id, Problem(f"container {name}", "", message, "warning") if message else None)

    def report_forbidden(self, forbidden: Mapping[str, str]) -> None:
        """Report the forbidden calls with their causes; all others are allowed."""
        for call in WITHOUT:
            self.report_call(call, forbidden.get(call, ""))

    def report_call(self, call: str, cause: str) -> None:
        """Report that one call is forbidden; `""` clears it."""
        self.report(call, f"{cause}; {WITHOUT[call]}" if cause else "")

    def _put(self, key: str, problem: Problem | None) -> None:
        if self._problems.get(key) == problem:
            return
        self.changes += 1
        if problem is None:
            del self._problems[key]
        else:
            self._problems[key] = problem

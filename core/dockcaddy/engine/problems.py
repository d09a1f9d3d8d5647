"""What goes wrong with asking an engine, and costs only what needed the answer. No I/O."""

from collections.abc import Iterator, Mapping

from attrs import define, field

from dockcaddy.model import Problem

# what is not there where a call is forbidden
WITHOUT = {
    "info": "whether this is a Swarm manager is not known",
    "services": "Swarm services are not there",
    "tasks": "Swarm services have no upstreams, but with --proxy-service-tasks=false",
    "configs": "Caddyfiles in Swarm configs are not there",
}


@define(eq=False)
class EngineProblems:
    """The problems of one engine, by call or by container. `changes` counts how often something changed."""

    engine: str
    changes: int = 0
    _problems: dict[str, Problem] = field(factory=dict)

    def __iter__(self) -> Iterator[Problem]:
        return iter(tuple(self._problems.values()))

    def report(self, call: str, message: str) -> None:
        """Something about the engine is not as it should be; `""` where it is, again."""
        self._put(call, Problem(f"engine {self.engine}", "", message, "warning") if message else None)

    def report_container(self, id: str, name: str, message: str) -> None:
        """The same about asking for one container."""
        self._put(id, Problem(f"container {name}", "", message, "warning") if message else None)

    def report_forbidden(self, forbidden: Mapping[str, str]) -> None:
        """What somebody forbids, by call, and that the rest is allowed."""
        for call, effect in WITHOUT.items():
            self.report(call, f"{forbidden[call]}; {effect}" if call in forbidden else "")

    def _put(self, key: str, problem: Problem | None) -> None:
        if self._problems.get(key) == problem:
            return
        self.changes += 1
        if problem is None:
            del self._problems[key]
        else:
            self._problems[key] = problem

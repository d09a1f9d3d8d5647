"""What one pass of the loop gives to the status."""

from collections.abc import Iterable, Mapping, Sequence

from attrs import field, frozen

from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Problem
from dockcaddy.quarantine.memory import Rejection
from dockcaddy.status.model import Load


@frozen
class Failure:
    """Why Caddy does not have the configuration: a word for programs, and the reason."""

    reason: str
    message: str


def unreachable(message: str) -> Failure:
    """The failure of a Caddy that does not answer."""
    return Failure("CaddyUnreachable", message)


@frozen(eq=False)
class Observation:
    """One pass. Without an inventory or fragments, those of the pass before still count.

    `configuration` is what Caddy accepted last, made of `parts`; `rejections` say by key what is left out of it.
    `engines` are all engines, those that do not answer with the reason. `failure` says why Caddy does not have the
    configuration. `took` is how many seconds a change took that is live now.
    """

    inventory: Inventory | None = None
    fragments: tuple[Fragment, ...] = ()
    configuration: Configuration | None = None
    parts: tuple[Fragment, ...] = ()
    rejections: Mapping[str, Rejection] = field(factory=dict)
    problems: tuple[Problem, ...] = ()
    engines: Mapping[str, str] = field(factory=dict)
    failure: Failure | None = None
    loads: tuple[Load, ...] = ()
    took: float | None = None

    def is_like(self, other: "Observation") -> bool:
        """Whether nothing has changed since: of very many resources, not even that is looked at one by one."""
        return (
            self.configuration is other.configuration
            and self.failure == other.failure
            and self.engines == other.engines
            and self.problems == other.problems
            and _is_same(_engines(self.inventory), _engines(other.inventory))
            and self.rejections.keys() == other.rejections.keys()
            and _is_same(tuple(self.rejections.values()), tuple(other.rejections.values()))
        )


def _engines(inventory: Inventory | None) -> Sequence[object]:
    return inventory.engines if inventory is not None else ()


def _is_same(one: Sequence[object], other: Sequence[object]) -> bool:
    """Whether they hold the very same objects."""
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def by_resource(problems: Iterable[Problem]) -> dict[str, tuple[Problem, ...]]:
    """The problems by the name of their resource."""
    found: dict[str, list[Problem]] = {}
    for each in problems:
        found.setdefault(each.resource, []).append(each)
    return {name: tuple(each) for name, each in found.items()}

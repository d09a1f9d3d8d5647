"""The containers and services that are not served, and why, as the log says it when an engine answers first. Pure."""

from collections.abc import Iterable, Iterator

from dockcaddy.errors import listed, one_line
from dockcaddy.model import Unserved, WhyUnserved
from dockcaddy.settings import limits

# containers with another prefix are warned of one by one
_REASONS: dict[WhyUnserved, str] = {
    "Stopped": "stopped: its sites are away until it runs (--when-stopped keeps them)",
    "ExcludedByConstraint": "excluded by --constraint",
    "OneOff": "started by docker compose run (--scan-one-off-containers reads it too)",
}


def named(names: Iterable[str]) -> str:
    """`a, b, c and 2 more`."""
    return listed(sorted(map(one_line, names)), limits.MAX_EXAMPLES)


def unlabelled(unserved: Iterable[Unserved]) -> str:
    """` (a, b)`, the containers without labels of ours."""
    names = [each.name for each in unserved if each.why == "NoLabels" and each.kind == "container"]
    return f" ({named(names)})" if names else ""


def skipped(unserved: Iterable[Unserved]) -> Iterator[tuple[str, str]]:
    """Each reason, with the names."""
    found = tuple(unserved)
    for why, text in _REASONS.items():
        names = [each.name for each in found if each.why == why]
        if names:
            yield named(names), text

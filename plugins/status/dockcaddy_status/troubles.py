"""What is wrong, the worst first: each with its reason and the remedy. Pure."""

from collections.abc import Iterator
from typing import Literal

from attrs import frozen
from dockcaddy import Condition, Problem, ResourceStatus, SiteStatus, Status

Severity = Literal["error", "warning"]


@frozen
class Trouble:
    """One thing that is wrong. `site` is the name of the site whose page says more, `""` for none."""

    severity: Severity
    subject: str
    message: str
    reason: str = ""
    label: str = ""
    site: str = ""
    since: float = 0.0


def troubles(status: Status) -> list[Trouble]:
    """Everything that is wrong, errors first."""
    found = [*_parts(status), *_things(status)]
    said = [each.message for each in found]
    others = (each for each in status.problems if not any(each.message in text for text in said))
    found += map(_of_problem, others)
    return sorted(found, key=lambda each: each.severity)


def _parts(status: Status) -> Iterator[Trouble]:
    for part, name in ((status.caddy, "caddy"), *((each, f"engine {each.name}") for each in status.engines)):
        if not part.is_up:
            yield Trouble("error", name, part.message, "DoesNotAnswer", since=part.since)


def _things(status: Status) -> Iterator[Trouble]:
    for site in status.sites.values():
        if not site.conditions.worst.is_true:
            yield _of_condition(site, site.conditions.worst, site.name)
    named = {name for site in status.sites.values() for name in site.resources}
    for resource in status.resources.values():
        worst = resource.conditions.worst
        if str(resource) not in named and resource.is_meant and not worst.is_true:
            yield _of_condition(resource, worst)


def _of_condition(thing: SiteStatus | ResourceStatus, condition: Condition, site: str = "") -> Trouble:
    severity: Severity = "error" if condition.state == "False" else "warning"
    return Trouble(severity, str(thing), condition.message, condition.reason, site=site, since=condition.since)


def _of_problem(problem: Problem) -> Trouble:
    severity: Severity = "error" if problem.severity == "error" else "warning"
    return Trouble(severity, problem.resource, problem.message, label=problem.label)

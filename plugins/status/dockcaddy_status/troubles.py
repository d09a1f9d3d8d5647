"""What is wrong, the worst first: each with its reason and the remedy. Pure."""

from collections.abc import Iterator
from typing import Literal

from attrs import frozen
from dockcaddy import Condition, Problem, ResourceStatus, SiteStatus, Status

Severity = Literal["error", "warning"]


@frozen
class Trouble:
    """One thing that is wrong, with the resources that it is about.

    `site` is the name of the site whose page says more, `""` for none.
    """

    severity: Severity
    subject: str
    message: str
    reason: str = ""
    label: str = ""
    site: str = ""
    since: float = 0.0
    resources: tuple[str, ...] = ()


def troubles(status: Status) -> list[Trouble]:
    """Everything that is wrong, errors first."""
    found = [*_parts(status), *_things(status)]
    # an output that reaches no Caddy says the same
    silent = [each.message for each in _parts(status)]
    said: dict[str, list[str]] = {}
    for each in found:
        for resource in each.resources:
            said.setdefault(resource, []).append(each.message)
    found += (
        _of_problem(each)
        for each in status.problems
        if not any(each.message in text for text in (*said.get(each.resource, ()), *silent))
    )
    return sorted(found, key=lambda each: each.severity)


def _parts(status: Status) -> Iterator[Trouble]:
    for part, name in ((status.caddy, "caddy"), *((each, f"engine {each.name}") for each in status.engines)):
        if not part.is_up:
            is_starting = not part.since
            reason = "Starting" if is_starting else "DoesNotAnswer"
            yield Trouble("warning" if is_starting else "error", name, part.message, reason, since=part.since)


def _things(status: Status) -> Iterator[Trouble]:
    for site in status.sites.values():
        if not site.conditions.worst.is_true:
            yield _of_condition(site, site.conditions.worst, site.name, site.resources)
    named = {name for site in status.sites.values() for name in site.resources}
    for resource in status.resources.values():
        worst = resource.conditions.worst
        # its site is well, because an earlier version is served
        is_old = worst.reason == "LastKnownGood"
        if resource.is_meant and not worst.is_true and (is_old or str(resource) not in named):
            yield _of_condition(resource, worst, next(iter(resource.sites), "") if is_old else "", (str(resource),))


def _of_condition(
    thing: SiteStatus | ResourceStatus, condition: Condition, site: str, resources: tuple[str, ...]
) -> Trouble:
    severity: Severity = "error" if condition.state == "False" else "warning"
    since = condition.since
    return Trouble(
        severity, str(thing), condition.message, condition.reason, site=site, since=since, resources=resources
    )


def _of_problem(problem: Problem) -> Trouble:
    severity: Severity = "error" if problem.severity == "error" else "warning"
    return Trouble(severity, problem.resource, problem.message, label=problem.label)

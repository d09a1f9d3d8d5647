"""The conditions of one resource. Pure."""

from collections.abc import Iterable, Sequence

from attrs import frozen

from dockcaddy.fragment import Fragment
from dockcaddy.model import Problem, Resource, Unserved, WhyUnserved
from dockcaddy.quarantine.memory import Rejection
from dockcaddy.status.model import Condition
from dockcaddy.status.observation import Failure

_UNSERVED: dict[WhyUnserved, str] = {
    "NoLabels": 'no labels of ours: add {prefix}: app.example.org and {prefix}.reverse_proxy: "{{{{upstreams PORT}}}}"',
    "OtherPrefix": 'labels look like ours, but only "{prefix}" and "{prefix}.x" are read: `dockcaddy check` shows which',
    "Stopped": "it does not run: its sites are back once it is started, --when-stopped keeps them meanwhile",
    "ExcludedByConstraint": "excluded by --constraint",
    "OneOff": "one-off container of docker compose run: --scan-one-off-containers reads these too",
}
_TO_BE_CONTINUED = "caddy has not been asked yet: it is tried in the next pass"


@frozen
class Facts:
    """What is known of one resource in a pass.

    `part` is what the configuration has of it, None without any; `failure` says why Caddy does not have the configuration.
    """

    resource: Resource
    fragment: Fragment | None
    part: Fragment | None
    rejection: Rejection | None
    problems: tuple[Problem, ...]
    failure: Failure | None


def unserved_conditions(
    each: Unserved, prefix: str, *, is_caddys: bool = False
) -> tuple[Condition, Condition, Condition]:
    """Those of what is no resource. One that `is_caddys` needs no labels."""
    message = "Caddy runs in it" if is_caddys else _UNSERVED[each.why].format(prefix=prefix)
    return (
        Condition("Accepted", "False", each.why, message),
        Condition("Programmed", "False", "NotAccepted", "no label of it is in the configuration"),
        Condition("Ready", "False", "NotAccepted", "its sites are away" if each.why == "Stopped" else "it has no site"),
    )


def accepted(facts: Facts) -> Condition:
    """Whether its labels were read and admitted."""
    fragment, rejection = facts.fragment, facts.rejection
    if fragment is None:
        return Condition("Accepted", "Unknown", "Pending", _TO_BE_CONTINUED)
    if fragment.refused:
        return Condition("Accepted", "False", "RefusedByRule", _first(fragment.problems))
    if fragment.failed:
        return Condition("Accepted", "False", "InvalidLabels", _first(fragment.problems))
    if rejection is not None and rejection.older:
        return Condition("Accepted", "False", "ConflictsWith", _of(rejection, facts.problems))
    if rejection is not None and rejection.is_by_rule:
        return Condition("Accepted", "False", "RefusedByRule", _of(rejection, facts.problems))
    if not fragment.blocks:
        return Condition("Accepted", "True", "NothingToServe", "its labels give no line of the configuration")
    return Condition("Accepted", "True", "Accepted")


def programmed(facts: Facts, is_accepted: Condition) -> Condition:
    """Whether Caddy runs with what its labels say."""
    fragment, part, rejection = facts.fragment, facts.part, facts.rejection
    why = is_accepted.message if rejection is None or not is_accepted.is_true else _of(rejection, facts.problems)
    if part is not None and fragment is not None and not _is_same(part, fragment):
        message = (
            f"{why}; what caddy accepted of it before is served instead" if why else "an earlier version is served"
        )
        return Condition("Programmed", "False", "LastKnownGood", message)
    if not is_accepted.is_true:
        reason = "Pending" if is_accepted.state == "Unknown" else "NotAccepted"
        return Condition("Programmed", is_accepted.state, reason, is_accepted.message)
    if rejection is not None and rejection.is_untried:
        return Condition("Programmed", "Unknown", "Pending", _of(rejection, facts.problems))
    if rejection is not None:
        # what is too large, or waits for a port, is left out before Caddy is asked
        reason = "RefusedByCaddy" if rejection.problem.message.startswith("caddy ") else "LeftOut"
        return Condition("Programmed", "False", reason, _of(rejection, facts.problems))
    if facts.failure is not None:
        return Condition("Programmed", "Unknown", facts.failure.reason, facts.failure.message)
    if part is None:
        if fragment is not None and not fragment.blocks:
            return Condition("Programmed", "True", "NothingToServe", is_accepted.message)
        return Condition("Programmed", "False", "LeftOut", _first(facts.problems) or "it is not in the configuration")
    return Condition("Programmed", "True", "Programmed")


def ready(is_accepted: Condition, is_programmed: Condition, sites: Sequence[Condition], facts: Facts) -> Condition:
    """Whether requests to its sites are answered. `sites` are the conditions of these."""
    if is_accepted.reason == "NothingToServe":
        return Condition("Ready", "True", "NothingToServe", is_accepted.message)
    if is_programmed.state == "False" and is_programmed.reason != "LastKnownGood":
        return Condition("Ready", "False", "NotProgrammed", is_programmed.message)
    if is_programmed.state == "Unknown":
        return Condition("Ready", "Unknown", is_programmed.reason, is_programmed.message)
    if not sites:
        state = is_programmed.state if is_programmed.reason != "LastKnownGood" else "True"
        return Condition("Ready", state, "NoSites", "it defines no site of its own")
    worst = min(sites, key=lambda each: ("False", "Unknown", "True").index(each.state))
    return Condition("Ready", worst.state, worst.reason, worst.message)


def _is_same(part: Fragment, fragment: Fragment) -> bool:
    return part is fragment or part.content == fragment.content


def _of(rejection: Rejection, problems: tuple[Problem, ...]) -> str:
    """Why it is left out, with the remedy where one is known: a problem of the same beginning."""
    same = (each for each in problems if each.message.startswith(rejection.problem.message))
    explained = next(same, None) or next((each for each in problems if each.severity == "error"), rejection.problem)
    return _spelled(explained)


def _first(problems: Iterable[Problem]) -> str:
    known = list(problems)
    first = next((each for each in known if each.severity == "error"), known[0] if known else None)
    return "" if first is None else _spelled(first)


def _spelled(problem: Problem) -> str:
    return f"label {problem.label}: {problem.message}" if problem.label else problem.message

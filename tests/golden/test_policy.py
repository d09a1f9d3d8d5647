"""Labels that reach for what is the proxy's own are refused with the rule and the way around; others are let through.

`refused_by` names the rule, `caddy` where Caddy refuses them by itself, `""` where no rule does. `allow` and `trust` are the
settings of the policy.
"""

from pathlib import Path

import pytest
from dockcaddy_policy import PolicySettings
from golden import Case, Golden, cases
from judging import Court
from policies import rendered

CASES = cases(Path(__file__).parent / "policy")


@pytest.mark.parametrize("case", CASES)
def test_the_policy_refuses_attacks_and_nothing_else(case: Case, golden: Golden, court: Court) -> None:
    (labels,) = case.containers.values()
    settings = PolicySettings(
        allow=tuple(case.settings.get("allow", ())), trust=case.settings.get("trust", PolicySettings().trust)
    )
    judged = court.labels(labels, settings)
    refused_by = case.settings["refused_by"]
    # a natural case may need a module that this Caddy does not have
    assert judged.rule in ((refused_by,) if refused_by else ("", "caddy"))
    told = "".join(f"{problem.severity}: {problem}\n" for problem in judged.problems if refused_by)
    golden(case.expected, told or rendered(labels, settings).content)


@pytest.mark.parametrize("case", CASES)
def test_full_trust_lets_everything_through(case: Case, court: Court) -> None:
    (labels,) = case.containers.values()
    assert court.labels(labels, PolicySettings(trust="all")).rule in ("", "caddy")

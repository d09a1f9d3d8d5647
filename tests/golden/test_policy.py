"""Labels that reach for what is the proxy's own are refused with the rule and the way around; others are let through.

`refused_by` names the rule, `""` where the labels are let through. `allow` and `trust` are the settings of the policy.
"""

from pathlib import Path

import pytest
from dockcaddy_policy import PolicySettings
from golden import Case, Golden, cases
from policies import refused_by, rendered

CASES = cases(Path(__file__).parent / "policy")


@pytest.mark.parametrize("case", CASES)
def test_the_policy_refuses_attacks_and_nothing_else(case: Case, golden: Golden) -> None:
    (labels,) = case.containers.values()
    settings = PolicySettings(
        allow=tuple(case.settings.get("allow", ())), trust=case.settings.get("trust", PolicySettings().trust)
    )
    assert refused_by(labels, settings) == case.settings["refused_by"]
    fragment = rendered(labels, settings)
    told = "".join(f"{problem.severity}: {problem}\n" for problem in fragment.problems)
    golden(case.expected, told or fragment.content)


@pytest.mark.parametrize("case", CASES)
def test_full_trust_lets_everything_through(case: Case) -> None:
    (labels,) = case.containers.values()
    assert refused_by(labels, PolicySettings(trust="all")) == ""

"""Containers that want the same: who is left out, why, and the Caddyfile of the others.

`left_out` names the containers that are left out. `base` is a base Caddyfile, `takeovers` the setting of this name.
"""

from pathlib import Path

import pytest
from conflicting import Adapt, left_out, warnings_in
from dockcaddy import testing
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from golden import Case, Golden, cases
from policies import loaded


@pytest.mark.parametrize("case", cases(Path(__file__).parent / "conflicts"))
def test_the_older_one_stays(case: Case, golden: Golden, adapt: Adapt) -> None:
    resources = tuple(
        testing.container(name, labels=labels, networks={"front": f"172.18.0.{created + 1}"}, created=created)
        for created, (name, labels) in enumerate(case.containers.items(), 1)
    )
    base = case.settings.get("base", "")
    takeovers = case.settings.get("takeovers", False)
    pipeline = Pipeline(loaded(), allow_shadowing=takeovers)
    inventory = Inventory((EngineInventory("local", resources),))
    fragments = pipeline.fragments(inventory, BaseCaddyfile("Caddyfile", base) if base else None)
    assert not [problem for fragment in fragments for problem in fragment.problems]
    found, kept = left_out(pipeline, fragments, adapt, takeovers=takeovers)
    problems = [conflict.problem for conflict in found]
    assert [problem.resource.removeprefix("container ") for problem in problems] == case.settings["left_out"]
    assembly = pipeline.configuration(kept).assembly
    told = [f"error: {problem}\n" for problem in problems]
    told += [f"warning: {warning}\n" for warning in warnings_in(assembly, adapt)]
    golden(case.expected, f"{''.join(told)}\n{assembly.text}".lstrip("\n"))

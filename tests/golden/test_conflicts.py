"""Containers that want the same: who is left out, why, and the Caddyfile of the others.

`left_out` names the containers that are left out. `base` is a base Caddyfile, `takeovers` the setting of this name.
"""

from pathlib import Path

import pytest
from dockcaddy import testing
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from golden import Case, Golden, cases
from policies import loaded


@pytest.mark.parametrize("case", cases(Path(__file__).parent / "conflicts"))
def test_the_older_one_stays(case: Case, golden: Golden) -> None:
    resources = tuple(
        testing.container(name, labels=labels, networks={"front": f"172.18.0.{created + 1}"}, created=created)
        for created, (name, labels) in enumerate(case.containers.items(), 1)
    )
    base = case.settings.get("base", "")
    pipeline = Pipeline(loaded(), allow_shadowing=case.settings.get("takeovers", False))
    inventory = Inventory((EngineInventory("local", resources),))
    fragments = pipeline.fragments(inventory, BaseCaddyfile("Caddyfile", base) if base else None)
    assert not [problem for fragment in fragments for problem in fragment.problems]
    excluded: frozenset[str] = frozenset()
    found = []
    while conflicts := pipeline.configuration(fragments, excluded).assembly.conflicts:
        found += [conflict.problem for conflict in conflicts]
        excluded |= {conflict.fragment for conflict in conflicts}
    assert [problem.resource.removeprefix("container ") for problem in found] == case.settings["left_out"]
    told = "".join(f"error: {problem}\n" for problem in found)
    golden(case.expected, f"{told}\n{pipeline.configuration(fragments, excluded).text}".lstrip("\n"))

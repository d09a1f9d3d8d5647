"""Label sets that people published for caddy-docker-proxy (names, addresses and tokens are replaced): its bytes are ours.

A case that `may_differ` has a text of caddy-docker-proxy's that Caddy misreads, one that `may_refuse` does something for
every site, or reaches the admin API, from a container that nothing tells to be Caddy's own.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from dockcaddy import plugins
from dockcaddy.engine import from_snapshot
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Problem
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from dockcaddy.run.composition import pipeline_for
from dockcaddy.run.engines import options_for
from dockcaddy.run.environment import Environment
from dockcaddy.settings.table import Settings
from dockcaddy_idioms import IDIOMS, IdiomSettings
from judging import Court

# further.json holds what a later comparison found: keys, nesting and several containers that the first cases lack
CASES = [
    case for name in ("cases.json", "further.json") for case in json.loads((Path(__file__).parent / name).read_text())
]
# people wrote `<port>` where a number belongs: such labels are refused by both
UNFINISHED = 'unexpected "<" in operand'
# read by render alone, see docs/differences-from-cdp.md
WITHHELD = (
    "Caddy's templates can read",
    # a login for the whole site, of a container that is not older than the one that it keeps visitors from
    "forward_auth would take requests",
)


@lru_cache
def loaded() -> Registry:
    return plugins.load()


def prepared(case: dict[str, Any], *off: str, caddy: str = "") -> tuple[Pipeline, Inventory, BaseCaddyfile | None]:
    """The pipeline of a case, without some idioms, and what goes into it; `caddy` names the container that Caddy runs in."""
    options = dict(case["options"])
    base = options.pop("caddyfile", None)
    networks = tuple(options.pop("ingress_networks").split(","))
    path = "/etc/caddy/Caddyfile" if base is not None else ""
    settings = Settings(ingress_networks=networks, caddyfile_path=path, **options)
    inventory = from_snapshot(case["inventory"], options_for(settings))
    if caddy:
        engines = (evolve(each, caddy=next(r for r in each.resources if r.name == caddy)) for each in inventory.engines)
        inventory = Inventory(tuple(engines))
    pipeline = pipeline_for(Environment(settings, loaded(), {IdiomSettings: IdiomSettings(off)}))
    return pipeline, inventory, BaseCaddyfile(path, base) if base is not None else None


def built(case: dict[str, Any], *off: str, caddy: str = "") -> Configuration:
    """The configuration of a case."""
    pipeline, inventory, base = prepared(case, *off, caddy=caddy)
    return pipeline.build(inventory, base)


def served(case: dict[str, Any], court: Court, caddy: str = "") -> list[Problem]:
    """The problems of a case where a real Caddy adapts it."""
    pipeline, inventory, base = prepared(case, caddy=caddy)
    return list(court.resolve(pipeline, inventory, base).problems)


def refusals(configuration: Configuration) -> list[str]:
    conflicts = (conflict.problem for conflict in configuration.assembly.conflicts)
    told = [each.message for each in (*configuration.problems, *conflicts) if each.severity == "error"]
    return [message for message in told if message != UNFINISHED and not any(each in message for each in WITHHELD)]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_what_people_run_gives_the_same_bytes_and_is_not_refused(case: dict[str, Any]) -> None:
    configuration = built(case)
    if not case.get("may_refuse"):
        assert refusals(configuration) == []
    if not case.get("may_refuse") and not case.get("may_differ"):
        assert configuration.text == case["caddyfile"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_no_idiom_touches_what_caddy_takes_as_it_is(case: dict[str, Any]) -> None:
    if not case.get("may_differ"):
        assert built(case).text == built(case, *(idiom.name for idiom in IDIOMS)).text


@pytest.mark.parametrize("case", [case for case in CASES if case.get("may_refuse")], ids=lambda case: case["name"])
def test_what_is_refused_is_the_operators_in_caddys_own_container(case: dict[str, Any], court: Court) -> None:
    problems = served(case, court)
    refused = [each for each in problems if "policy: " in each.message]
    # without the plugins that some need, Caddy refuses them itself
    assert refused or any("caddy refuses it: " in each.message for each in problems)
    for problem in refused:
        owner = problem.resource.split()[-1]
        assert 'allow = ["' in problem.message and f"@container:{owner}" in problem.message
        others = served(case, court, caddy=owner)
        assert not [each for each in others if each.resource == problem.resource and "policy: " in each.message]


@pytest.mark.parametrize("case", [case for case in CASES if not case.get("may_refuse")], ids=lambda case: case["name"])
def test_what_caddy_makes_of_it_is_not_refused(case: dict[str, Any], court: Court) -> None:
    found = [each.message for each in served(case, court) if "policy: " in each.message]
    assert not [message for message in found if not any(each in message for each in WITHHELD)]

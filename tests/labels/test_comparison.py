"""What `check --compare-cdp` takes for caddy-docker-proxy's file is what that makes, byte for byte."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from dockcaddy import plugins, testing
from dockcaddy.engine import from_snapshot
from dockcaddy.merge.assembly import EMPTY
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from dockcaddy.run.comparison import ADDRESSES, FUNCTIONS, Comparison, Way, peers_settings
from dockcaddy.run.engines import options_for
from dockcaddy.run.environment import Environment
from dockcaddy.settings.table import Settings
from snapshots import listed

pytestmark = pytest.mark.process

FOLDER = Path(__file__).parent / "conformance"
CASES = json.loads((FOLDER / "cases.json").read_text())
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
BASE = "/etc/caddy/Caddyfile"


@lru_cache
def loaded() -> Registry:
    return plugins.load()


def comparison(case: dict[str, Any]) -> Comparison:
    options = dict(case["options"])
    base = options.pop("caddyfile", None)
    networks = tuple(options.pop("ingress_networks").split(","))
    settings = Settings(ingress_networks=networks, caddyfile_path=BASE if base is not None else "", **options)
    peers, ours = (from_snapshot(case["inventory"], options_for(each)) for each in (peers_settings(settings), settings))
    return Comparison(
        Environment(settings, loaded(), {}), peers, ours, BaseCaddyfile(BASE, base) if base is not None else None
    )


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_its_file_is_made_byte_for_byte(case: dict[str, Any]) -> None:
    assert ("".join(comparison(case).made(Way()).texts.values()) or EMPTY) == EXPECTED[case["name"]]


@pytest.mark.parametrize("case", CASES[::12], ids=[case["name"] for case in CASES[::12]])
def test_each_difference_has_a_reason(case: dict[str, Any]) -> None:
    differences = comparison(case).differences()
    assert all(each.reasons for each in differences)
    assert len({each.subject for each in differences}) == len(differences)


def test_a_container_on_two_ingress_networks_is_there_twice() -> None:
    item = listed("web", {"caddy": "a.test", "caddy.reverse_proxy": "{{upstreams 80}}"}, 1)
    item["NetworkSettings"]["Networks"]["more"] = {"NetworkID": "n2", "IPAddress": "172.21.0.9"}
    networks = [{"Id": "n1", "Name": "web"}, {"Id": "n2", "Name": "more"}]
    inventory = {"version": 1, "engines": [{"name": "local", "containers": [item], "networks": networks}]}
    (found,) = comparison({"options": {"ingress_networks": "web,more"}, "inventory": inventory}).differences()
    assert found.reasons == (ADDRESSES,)
    assert (found.peer.count(":80"), found.ours.count(":80")) == (2, 1)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_of_caddy_docker_proxy_is_defined(name: str) -> None:
    labels = {"caddy": "a.test", "caddy.respond": f"{{{{{name}}}}}", "caddy.header": f'{{{{"x" | {name}}}}}'}
    container = testing.container(labels=labels)
    problems = Pipeline(loaded()).build(Inventory((EngineInventory("local", (container,)),))).problems
    assert not [each for each in problems if "is not defined" in each.message]


def test_there_are_as_many_functions_as_sprig_and_caddy_docker_proxy_have() -> None:
    own = {"upstreams", "http", "https", "h2c"}
    sprigs = {name for name, entry in loaded().functions.items() if entry.plugin == "sprig"}
    assert sprigs | own | {"env"} == FUNCTIONS

"""At a start with many containers, others begin with the first fragments while the last ones are rendered."""

from collections.abc import Sequence

import pytest
from attrs import evolve
from dockcaddy import plugins, testing
from dockcaddy.caddyfile import ListenPorts
from dockcaddy.fragment import Fragment
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.reconcile import pipeline as module
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline

BASE = BaseCaddyfile("/etc/Caddyfile", "(shared) {\n\trespond x\n}\n")


def inventory(count: int, name: str = "local") -> Inventory:
    labels = {"caddy": "{{containerName}}.test", "caddy.respond": "{{containerName}}"}
    made = (testing.container(f"{name}-{number}", labels=labels) for number in range(count))
    resources = tuple(evolve(each, created=number) for number, each in enumerate(made))
    return Inventory((EngineInventory(name, resources),))


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Fragment]]:
    monkeypatch.setattr(module, "RENDERED_AT_ONCE", 10)
    return []


def test_the_first_fragments_are_given_with_all_that_operators_define(begun: list[Sequence[Fragment]]) -> None:
    made = Pipeline(plugins.load(), listen_ports=ListenPorts(8080, 8443))
    fragments = made.fragments(inventory(25), BASE, begin=begun.append)
    assert [each.key for each in fragments[:2]] == ["settings", "caddyfile"]
    assert [tuple(each) for each in begun] == [fragments[: 2 + 10], fragments[: 2 + 20]]
    alike = Pipeline(plugins.load(), listen_ports=ListenPorts(8080, 8443)).fragments(inventory(25), BASE)
    assert [each.content for each in fragments] == [each.content for each in alike]


def test_nothing_begins_early_for_few_nor_once_there_are_fragments(begun: list[Sequence[Fragment]]) -> None:
    made = Pipeline(plugins.load())
    made.fragments(inventory(10), begin=begun.append)
    made.fragments(inventory(40), begin=begun.append)
    assert begun == []


def test_each_engine_begins_with_what_is_known_of_those_before(begun: list[Sequence[Fragment]]) -> None:
    both = Inventory((*inventory(15, "one").engines, *inventory(15, "two").engines))
    fragments = Pipeline(plugins.load()).fragments(both, begin=begun.append)
    assert [tuple(each) for each in begun] == [fragments[:10], fragments[:25]]

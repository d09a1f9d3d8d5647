"""Replicas of one site of which some are out of order."""

import pytest
from conflicting import Adapt, conflicts_in
from dockcaddy import plugins, testing
from dockcaddy.model import EngineInventory, Inventory, Resource
from dockcaddy.reconcile.pipeline import Pipeline

LABELS = {
    "caddy": "example.org",
    "caddy.reverse_proxy": "{{if isHealthy}}{{upstreams 80}}{{end}}",
    "caddy.respond": "{{if not (isHealthy)}}503 Service Unavailable{{end}}",
}


def text(*health: str, **more: str) -> str:
    resources = [
        Resource(
            "container", str(n), f"c{n}", labels={**LABELS, **more}, running=True, health=each, targets=(f"10.0.0.{n}",)
        )
        for n, each in enumerate(health)
    ]
    return Pipeline(plugins.load()).build(Inventory((EngineInventory("local", tuple(resources)),))).text


def test_healthy_ones_serve_while_others_are_not() -> None:
    assert text("healthy", "unhealthy", "starting") == "example.org {\n\treverse_proxy 10.0.0.0:80\n}\n"


def test_the_answer_is_given_when_none_is_left() -> None:
    assert text("unhealthy", "starting") == 'example.org {\n\trespond "Service Unavailable" 503\n}\n'


def test_an_unconditional_answer_stays() -> None:
    site = text("healthy", **{"caddy.respond": '"closed" 503'})
    assert "respond closed 503" in site and "reverse_proxy" in site


def test_an_answer_of_its_own_resource_stays() -> None:
    assert "respond /x hi" in text("healthy", **{"caddy.respond": "{{if isHealthy}}/x hi{{end}}"})


@pytest.mark.parametrize(
    "labels",
    [
        {"caddy.respond": "{{if true}}/* evil{{end}}"},
        {"caddy.respond": "{{if true}}@all evil{{end}}", "caddy.@all.path": "*"},
        {"caddy.handle": "{{if true}}/*{{end}}", "caddy.handle.respond": "evil"},
        {"caddy.handle": "", "caddy.handle.respond": "{{if true}}evil{{end}}"},
        {"caddy.rewrite": "{{if true}}* /evil{{end}}"},
    ],
)
def test_what_only_looks_like_the_answer_of_one_out_of_order_takes_nothing(
    adapt: Adapt, labels: dict[str, str]
) -> None:
    older = testing.container("a", labels={"caddy": "x.org", "caddy.reverse_proxy": "{{upstreams 80}}"}, created=1)
    newer = testing.container("b", labels={"caddy": "x.org", **labels}, created=2)
    inventory = Inventory((EngineInventory("local", (older, newer)),))
    (conflict,) = conflicts_in(Pipeline(plugins.load()).build(inventory).assembly, adapt)
    assert conflict.problem.resource == "container b"

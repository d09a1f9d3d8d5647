"""`docker compose run` makes a container with the service's labels: it serves nobody."""

from collections.abc import Callable

import pytest
from dockcaddy import plugins
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.snapshot import from_snapshot
from dockcaddy.reconcile.pipeline import Pipeline
from stand_in_container import NETWORK, StandInContainer
from town import Town

LABELS = {"caddy": "app.test", "caddy.reverse_proxy": "{{upstreams 8000}}"}
ONE_OFF = "com.docker.compose.oneoff"


def text(*containers: StandInContainer, **options: bool) -> str:
    """The Caddyfile of a snapshot with these."""
    items = [each.item() | {"Inspect": each.inspected()} for each in containers]
    document = {"version": 1, "engines": [{"containers": items, "networks": [NETWORK]}]}
    return Pipeline(plugins.load()).build(from_snapshot(document, EngineOptions(**options))).text


def container(number: int, labels: dict[str, str]) -> StandInContainer:
    return StandInContainer(f"app-{number}", labels, number, "running", connected=True)


@pytest.mark.parametrize("value", ["True", "true", "TRUE", " True "])
def test_it_is_no_upstream_of_the_service(value: str) -> None:
    served, once = container(1, LABELS | {ONE_OFF: "False"}), container(2, LABELS | {ONE_OFF: value})
    assert text(served, once) == f"app.test {{\n\treverse_proxy {served.address}:8000\n}}\n"


@pytest.mark.parametrize("how", ["{{primaryIP}}:8000", "{{networkIP `bridge`}}:8000", "app-2:8000"])
def test_nor_by_any_other_way_to_name_it(how: str) -> None:
    once = LABELS | {"caddy.reverse_proxy": how, ONE_OFF: "True"}
    assert container(2, once).address not in text(container(1, LABELS), container(2, once))


def test_it_does_not_stand_in_the_way_of_what_the_service_says_later() -> None:
    old, new = LABELS | {"caddy.respond": "/ping old", ONE_OFF: "True"}, LABELS | {"caddy.respond": "/ping new"}
    assert text(container(1, old), container(2, new)) == text(container(2, new))


def test_with_the_option_it_is_one_as_with_caddy_docker_proxy() -> None:
    served, once = container(1, LABELS), container(2, LABELS | {ONE_OFF: "True"})
    made = text(served, once, scan_one_off_containers=True)
    assert f"{served.address}:8000" in made and f"{once.address}:8000" in made


def test_live_it_gets_no_request(town: Town, eventually: Callable[..., None]) -> None:
    engine = town.engine
    labels = {"caddy": f"http://app.test:{town.proxy.port}", "caddy.reverse_proxy": town.upstreams}
    served = engine.add("app", labels)
    eventually(lambda: town.proxy.body("app.test") == served.address)
    engine.add("app-run", labels | {ONE_OFF: "True"})
    # an event later than that one has been taken up
    town.add("later")
    eventually(lambda: town.right("later"))
    assert {town.proxy.body("app.test") for _ in range(12)} == {served.address}

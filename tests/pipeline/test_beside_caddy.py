"""Who is told that `localhost` is the container that Caddy runs in."""

import pytest
from dockcaddy import plugins
from dockcaddy.model import EngineInventory, Inventory, Proxy, Resource
from dockcaddy.reconcile.pipeline import Pipeline

LABELS = {"caddy": "http://:2020", "caddy.reverse_proxy": "localhost:2019"}
OF_A_SERVICE = {"com.docker.swarm.service.id": "service"}


@pytest.mark.parametrize(
    ("resource", "is_told"),
    [
        (Resource("container", "web", "web", labels=LABELS, running=True), True),
        (Resource("container", "caddy", "caddy", labels=LABELS, running=True), False),
        (Resource("service", "service", "caddy", labels=LABELS, running=True), False),
        (Resource("container", "web", "web", labels=LABELS, running=True, shares_network=True), False),
    ],
)
def test_containers_are_told_and_not_caddys_own_or_its_service(resource: Resource, is_told: bool) -> None:
    caddy = Resource("container", "caddy", "caddy", labels=OF_A_SERVICE, running=True)
    inventory = Inventory((EngineInventory("local", (resource,), caddy=caddy),))
    problems = Pipeline(plugins.load()).build(inventory).problems
    assert any('"localhost:2019" is the container that Caddy runs in' in each.message for each in problems) == is_told


@pytest.mark.parametrize(("named", "is_told"), [("", False), ("caddy", True)])
def test_where_another_caddy_serves_nobody_is_told_unless_its_container_is_named(named: str, is_told: bool) -> None:
    """It may be on the host, where `localhost` has the published ports."""
    proxy = Proxy(admin_endpoints=(("host.docker.internal", 2019),), container=named)
    own = Resource("container", "caddy", "caddy", running=True)
    web = Resource(
        "container", "web", "web", labels={"caddy": "a.test", "caddy.reverse_proxy": "localhost:80"}, running=True
    )
    inventory = Inventory((EngineInventory("local", (own, web), caddy=own),))
    problems = Pipeline(plugins.load(), proxy=proxy).build(inventory).problems
    assert any('"localhost:80" is the container that Caddy runs in' in each.message for each in problems) == is_told

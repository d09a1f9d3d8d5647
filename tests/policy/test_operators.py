"""The labels of the container that Caddy runs in are the operator's, however it is found, and nobody else's are."""

from typing import Any

import pytest
from attrs import evolve
from dockcaddy import Proxy, Resource, testing
from dockcaddy.admission.operators import with_operators
from dockcaddy.model import Attachment, EngineInventory, Inventory, Port
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.run.proxy import proxy_of
from dockcaddy.settings.table import Settings
from policies import loaded

METRICS = {"caddy": "http://:2020", "caddy.respond": "{env.TOKEN}"}
OPTIONS = {
    "caddy.admin": ":2019",
    "caddy.order": "header last",
    "caddy.servers.listener_wrappers.layer4.route.proxy": "db:5432",
}


def container(name: str, labels: dict[str, str] = METRICS, **more: Any) -> Resource:
    return testing.container(name, labels=labels, **{"id": (name * 64)[:64], **more})


def refused(resources: tuple[Resource, ...], proxy: Proxy | None = None, caddy: Resource | None = None) -> list[str]:
    """The names of the resources that are refused."""
    pipeline = Pipeline(loaded(), proxy=proxy or Proxy())
    built = pipeline.build(Inventory((EngineInventory("local", resources, caddy=caddy),)))
    return sorted({problem.resource.split()[-1] for problem in built.problems})


@pytest.mark.parametrize("labels", [METRICS, OPTIONS, {"caddy": "a.test", "caddy.respond": "{env.TOKEN}"}])
def test_the_container_that_the_program_runs_in(labels: dict[str, str]) -> None:
    own, other = container("own", labels), container("other", labels)
    assert refused((own, other), caddy=evolve(own)) == ["other"]
    assert refused((own, other)) == ["other", "own"]


def test_the_service_that_the_programs_container_is_a_task_of() -> None:
    own = container("own", {"com.docker.swarm.service.id": "s1"})
    services = [Resource("service", id, id, labels=METRICS) for id in ("s1", "s2")]
    assert refused(tuple(services), caddy=own) == ["s2"]


@pytest.mark.parametrize("named", ["caddy", "caddycaddyca", ("caddy" * 64)[:64]])
def test_the_container_that_the_operator_names(named: str) -> None:
    both = (container("caddy"), container("other"))
    assert refused(both, proxy_of(Settings(caddy_container=named), loaded())) == ["other"]


def test_the_service_that_the_operator_names() -> None:
    services = [Resource("service", id, f"web_{id}", labels=METRICS) for id in ("caddy", "app")]
    assert refused(tuple(services), proxy_of(Settings(caddy_container="web_caddy"), loaded())) == ["web_app"]


def test_a_container_that_is_called_like_the_one_that_is_named_is_nobodys() -> None:
    caddy = container("caddy")
    for named, other in ((caddy.id[:12], container(caddy.id[:12], id="f" * 64)), ("web", container("web", created=9))):
        service = Resource("service", "s", "web", labels=METRICS, created=1)
        both = (other, caddy) if named != "web" else (other, service)
        assert refused(both, proxy_of(Settings(caddy_container=named), loaded())) == [other.name]


@pytest.mark.parametrize("named", ["cad", "caddycadd", "Caddy", ""])
def test_a_piece_of_a_name_names_nobody(named: str) -> None:
    assert refused((container("caddy"),), proxy_of(Settings(caddy_container=named), loaded())) == ["caddy"]


@pytest.mark.parametrize(
    "settings", [{"caddy_admin": ("http://172.18.0.7:2019",)}, {"output": ("admin=http://172.18.0.7:2019",)}]
)
def test_the_container_that_has_the_admin_endpoints_address(settings: dict[str, Any]) -> None:
    both = (container("caddy", networks={"front": "172.18.0.7"}), container("other", networks={"front": "172.18.0.8"}))
    assert refused(both, proxy_of(Settings(**settings), loaded())) == ["other"]
    stopped = evolve(both[0], running=False)
    assert refused((stopped,), proxy_of(Settings(**settings), loaded())) == ["caddy"]


def attached(name: str, network: str, *aliases: str, **more: Any) -> Resource:
    return evolve(container(name, **more), attachments=(Attachment(network, network, "172.18.0.2", aliases=aliases),))


def test_the_container_that_dockers_dns_gives_for_the_admin_endpoint() -> None:
    own, proxy = attached("own", "front", labels={}), proxy_of(Settings(caddy_admin=("http://caddy:2019",)), loaded())
    for caddy in (attached("shop-caddy-1", "front", "caddy"), attached("caddy", "front")):
        assert refused((caddy, attached("other", "front", "app")), proxy, own) == ["other"]
        elsewhere = (attached("x", "other-network", "caddy"), attached("caddy", "other-network"))
        assert refused(elsewhere, proxy, own) == ["caddy", "x"]
        later = attached("later", "front", "caddy", created=caddy.created + 1)
        assert refused((later, caddy), proxy, own) == ["later"]
        assert refused((caddy,), proxy, None) == [caddy.name]


def test_the_container_that_publishes_the_admin_endpoint_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    caddy, other = container("caddy", ports=(Port(2019, "tcp", 2019, "127.0.0.1"),)), container("other")
    for host in ("localhost", "127.0.0.1"):
        proxy = proxy_of(Settings(caddy_admin=(f"http://{host}:2019",)), loaded())
        assert refused((caddy, other), proxy) == ["other"]
        # within a container localhost is the container, on another machine another machine
        assert refused((caddy, other), proxy, attached("own", "front", labels={})) == ["caddy", "other"]
        remote = proxy_of(
            Settings(caddy_admin=(f"http://{host}:2019",), docker_sockets=("tcp://10.0.0.9:2376",)), loaded()
        )
        assert refused((caddy, other), remote) == ["caddy", "other"]
        elsewhere = evolve(caddy, ports=(Port(2019, "tcp", 2019, "172.17.0.1"), Port(2019, "tcp", 8019)))
        assert refused((elsewhere,), proxy) == ["caddy"]


def test_what_was_rendered_is_rendered_anew_when_caddys_container_is_another_one() -> None:
    pipeline = Pipeline(loaded(), proxy=proxy_of(Settings(caddy_admin=("http://172.18.0.7:2019",)), loaded()))
    at, away = {"front": "172.18.0.7"}, {"front": "172.18.0.8"}
    first, second = container("first", networks=at), container("second", networks=away)
    told = pipeline.build(Inventory((EngineInventory("local", (first, second)),))).problems
    assert [problem.resource for problem in told] == ["container second"]
    swapped = (evolve(first, attachments=second.attachments), evolve(second, attachments=first.attachments))
    told = pipeline.build(Inventory((EngineInventory("local", swapped),))).problems
    assert [problem.resource for problem in told] == ["container first"]


def test_the_engine_stays_the_same_where_nobody_is_found() -> None:
    engine = EngineInventory("local", (container("a"),))
    assert with_operators(engine, Proxy()) is engine

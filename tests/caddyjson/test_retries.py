"""Retries and passive health for the proxies of Swarm services, in a real Caddy's JSON."""

from typing import Any

import pytest
from adapting import document
from dockcaddy import plugins
from dockcaddy.caddyjson.retries import Retries
from dockcaddy.merge.service_proxies import ServiceUpstreams
from dockcaddy.model import EngineInventory, Inventory, Resource
from dockcaddy.reconcile.pipeline import Pipeline

RETRIES = Retries(True, 5.0)
SECOND = 1_000_000_000
TASKS = ("10.0.2.5", "10.0.2.6")


def proxies(caddy: str, *resources: Resource, retries: Retries = RETRIES) -> list[dict[str, Any]]:
    """The proxies of the resources' sites, as Caddy gets them."""
    pipeline = Pipeline(plugins.load())
    configuration = pipeline.build(Inventory((EngineInventory("local", resources),)))
    assert not configuration.problems
    upstreams = ServiceUpstreams.of(configuration.assembly)
    config = document(caddy, configuration.text)
    changed = retries.applied(config, upstreams.retried, upstreams.watched)
    found = [dict(each) for route in changed.every_route for each in route.proxies]
    is_changed = any("load_balancing" in each or "health_checks" in each for each in found)
    assert is_changed or changed is config
    return found


def resource(kind: Any, *targets: str, site: str = "http://a.test", **labels: str) -> Resource:
    """A running resource of one site, with a proxy to its targets."""
    given = {"caddy": site, "caddy.reverse_proxy": "{{upstreams 80}}"}
    given |= {f"caddy.{key.replace('__', '.')}": value for key, value in labels.items()}
    return Resource(kind, f"{kind}-{site}", "web", labels=given, running=bool(targets), targets=targets)


def test_a_service_gets_retries_and_passive_health(caddy: str) -> None:
    (proxy,) = proxies(caddy, resource("service", *TASKS))
    assert proxy["load_balancing"] == {"retries": 2}
    assert proxy["health_checks"] == {"passive": {"fail_duration": 5 * SECOND, "max_fails": 2}}


def test_a_container_gets_none(caddy: str) -> None:
    (proxy,) = proxies(caddy, resource("container", "172.18.0.2", "172.18.0.3"))
    assert "load_balancing" not in proxy and "health_checks" not in proxy


@pytest.mark.parametrize("targets", [("10.0.2.5",), ("web",), ("fd00::5",)])
def test_one_upstream_is_never_avoided(caddy: str, targets: tuple[str, ...]) -> None:
    (proxy,) = proxies(caddy, resource("service", *targets))
    assert proxy["load_balancing"] == {"retries": 2} and "health_checks" not in proxy


def test_a_service_without_tasks_answers_at_once(caddy: str) -> None:
    (proxy,) = proxies(caddy, resource("service"))
    assert "load_balancing" not in proxy


@pytest.mark.parametrize("option", ["lb_try_duration", "lb_retries"])
@pytest.mark.parametrize("value", ["0", "3"])
def test_retries_of_its_own_stay(caddy: str, option: str, value: str) -> None:
    value = value + "s" * (option == "lb_try_duration")
    (proxy,) = proxies(caddy, resource("service", *TASKS, **{f"reverse_proxy__{option}": value}))
    own = {"lb_try_duration": {"try_duration": 3 * SECOND}, "lb_retries": {"retries": 3}}[option]
    given = {key: value for key, value in proxy.get("load_balancing", {}).items() if key != "try_interval"}
    assert given == ({} if value.startswith("0") else own)
    assert proxy["health_checks"]["passive"] == {"fail_duration": 5 * SECOND, "max_fails": 2}


@pytest.mark.parametrize(("option", "value"), [("fail_duration", "0"), ("fail_duration", "1m"), ("max_fails", "2")])
def test_passive_health_of_its_own_stays(caddy: str, option: str, value: str) -> None:
    (proxy,) = proxies(caddy, resource("service", *TASKS, **{f"reverse_proxy__{option}": value}))
    assert (proxy.get("health_checks") or {}).get("passive", {}).get("fail_duration") in (None, 60 * SECOND)
    assert proxy["load_balancing"] == {"retries": 2}


def test_other_settings_for_upstreams_stay(caddy: str) -> None:
    own = {"reverse_proxy__lb_policy": "first", "reverse_proxy__health_uri": "/health"}
    (proxy,) = proxies(caddy, resource("service", *TASKS, **own))
    assert proxy["load_balancing"] == {"selection_policy": {"policy": "first"}, "retries": 2}
    assert proxy["health_checks"]["active"]["uri"] == "/health" and proxy["health_checks"]["passive"]


@pytest.mark.parametrize(
    "labels",
    [
        {"reverse_proxy": "/api/* {{upstreams 80}}"},
        {"reverse_proxy": "{{upstreams https 443}}", "reverse_proxy__transport": "http"},
        {"reverse_proxy": "", "reverse_proxy__to": "{{upstreams h2c 80}}"},
        {"route__reverse_proxy": "{{upstreams 80}}", "reverse_proxy": "/x 127.0.0.1:1"},
        {"forward_auth": "{{upstreams 80}}", "forward_auth__uri": "/auth", "reverse_proxy": "/x 127.0.0.1:1"},
    ],
)
def test_every_way_to_name_the_tasks_counts(caddy: str, labels: dict[str, str]) -> None:
    found = proxies(caddy, resource("service", *TASKS, **labels))
    # a service's proxy to something else has retries as well
    assert all("load_balancing" in each for each in found)


def test_other_sites_are_left_alone(caddy: str) -> None:
    one = resource("service", *TASKS)
    other = resource("container", "172.18.0.2", "172.18.0.3", site="http://b.test")
    assert ["load_balancing" in each for each in proxies(caddy, other, one)] == [True, False]


@pytest.mark.parametrize(
    ("retries", "names"),
    [
        (Retries(False, 5), {"health_checks"}),
        (Retries(True, 0), {"load_balancing"}),
        (Retries(False, 0), set()),
    ],
)
def test_each_is_turned_off_with_its_setting(caddy: str, retries: Retries, names: set[str]) -> None:
    (proxy,) = proxies(caddy, resource("service", *TASKS), retries=retries)
    assert proxy.keys() & {"health_checks", "load_balancing"} == names


@pytest.mark.parametrize(("tasks", "retries"), [(1, 2), (2, 2), (3, 4), (5, 8), (6, 10), (50, 10)])
def test_each_other_task_is_met_as_often_as_it_may_fail(caddy: str, tasks: int, retries: int) -> None:
    (proxy,) = proxies(caddy, resource("service", *(f"10.0.2.{number}" for number in range(5, 5 + tasks))))
    assert proxy["load_balancing"] == {"retries": retries}

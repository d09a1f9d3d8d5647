"""What templates say of a Swarm service: its environment, image, mounts, health, networks and ports, from its spec and tasks."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from dockcaddy import plugins
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.snapshot import from_snapshot
from dockcaddy.reconcile.pipeline import Pipeline

NETWORKS = [
    {"Id": "f1", "Name": "front", "Driver": "overlay", "Scope": "swarm"},
    {"Id": "b1", "Name": "back", "Driver": "overlay", "Scope": "swarm"},
    {"Id": "i1", "Name": "ingress", "Driver": "overlay", "Scope": "swarm", "Ingress": True},
]
SERVICE = {
    "ID": "s1",
    "CreatedAt": "2026-01-02T03:04:05Z",
    "Spec": {
        "Name": "shop_web",
        "Labels": {"com.docker.stack.namespace": "shop"},
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": "acme.test:5000/shop/web:1.2@sha256:" + "0" * 64,
                "Env": ["WORD=hello", "EMPTY="],
                "Mounts": [
                    {"Type": "bind", "Source": "/srv/media", "Target": "/media", "ReadOnly": True},
                    {"Type": "volume", "Source": "shop_data", "Target": "/data"},
                ],
                "Healthcheck": {"Test": ["CMD", "true"]},
            },
            "Networks": [{"Target": "f1"}, {"Target": "b1"}],
        },
        "Mode": {"Replicated": {"Replicas": 2}},
    },
    "Endpoint": {
        "Ports": [
            {"Protocol": "tcp", "TargetPort": 8000, "PublishedPort": 80, "PublishMode": "host"},
            {"Protocol": "udp", "TargetPort": 53, "PublishedPort": 5353, "PublishMode": "ingress"},
        ],
        "VirtualIPs": [{"NetworkID": "f1", "Addr": "10.0.1.2/24"}, {"NetworkID": "b1", "Addr": "10.0.2.2/24"}],
    },
}


def task(number: int, state: str = "running", desired: str = "running") -> dict[str, Any]:
    attached = [
        {"Network": {"ID": id, "Spec": {"Name": name}}, "Addresses": [f"10.0.{net}.{number + 4}/24"]}
        for net, id, name in ((1, "f1", "front"), (2, "b1", "back"), (0, "i1", "ingress"))
    ]
    return {
        "ID": f"t{number}",
        "ServiceID": "s1",
        "DesiredState": desired,
        "Status": {"State": state},
        "NetworksAttachments": attached,
    }


def rendered(
    value: str,
    *tasks: dict[str, Any],
    change: Callable[[dict[str, Any]], object] = lambda service: None,
    labels: dict[str, str] | None = None,
    **options: Any,
) -> str:
    """What a label of the service renders to."""
    service: dict[str, Any] = copy.deepcopy(SERVICE)
    service["Spec"]["Labels"] |= {"caddy": "a.test", "caddy.respond": f"`{value}`", **(labels or {})}
    change(service)
    engine = {"networks": NETWORKS, "containers": [], "services": [service], "tasks": list(tasks)}
    given = EngineOptions(**{"ingress_networks": ("front",), **options})
    text = Pipeline(plugins.load()).build(from_snapshot({"version": 1, "engines": [engine]}, given)).text
    line = next((line for line in text.splitlines() if "respond" in line), "respond")
    return line.strip().removeprefix("respond").strip().strip('"`')


TWO = (task(1), task(2))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{{env "WORD"}}', "hello"),
        ('{{hasEnv "EMPTY"}} {{hasEnv "NONE"}}', "true false"),
        ("{{imageName}} {{containerName}}", "acme.test:5000/shop/web shop_web"),
        ("{{imageTag}}", "1.2"),
        ('{{label "com.docker.stack.namespace"}}', "shop"),
        ('{{mountSource "/media/a.png"}}', "/srv/media/a.png"),
        ('{{hasMount "/data/x"}} {{volumeMounts}} {{bindMounts}}', "true [shop_data] [/srv/media]"),
        ("{{healthStatus}} {{isHealthy}} {{isRunning}}", "healthy true true"),
        ("{{networks}}", "[back front ingress]"),
        ('{{networkIP "back"}} {{primaryIP}}', "10.0.2.5 10.0.1.5"),
        ('{{portMapping 8000}} {{portMapping "53/udp"}} {{exposedPorts}}', "80 5353 [80 5353]"),
        ("{{upstreams 8000}}", "10.0.1.5:8000 10.0.1.6:8000"),
        ("{{upstreams http}}", "http://10.0.1.5 http://10.0.1.6"),
        ("{{.Spec.Name}} {{.Spec.Mode.Replicated.Replicas}}", "shop_web 2"),
    ],
)
def test_every_function_knows_services(template: str, text: str) -> None:
    assert rendered(template, *TWO) == text


@pytest.mark.parametrize(
    "other",
    [
        task(2, "starting"),
        task(2, "running", "shutdown"),
        task(2, "running", "remove"),
        task(2, "failed", "shutdown"),
        task(2, "preparing"),
        task(2, "complete", "shutdown"),
    ],
)
def test_only_tasks_that_run_and_go_on_are_upstreams(other: dict[str, Any]) -> None:
    assert rendered("{{upstreams 80}}", task(1), other) == "10.0.1.5:80"


def test_a_label_chooses_the_network() -> None:
    assert rendered("{{upstreams 80}}", *TWO, labels={"caddy_ingress_network": "back"}) == "10.0.2.5:80 10.0.2.6:80"


def test_of_several_networks_a_task_has_one_address() -> None:
    assert rendered("{{upstreams 80}}", *TWO, ingress_networks=("back", "front")) == "10.0.2.5:80 10.0.2.6:80"


@pytest.mark.parametrize("template", ["{{upstreams 80}}", "{{isRunning}} {{isHealthy}}"])
def test_scaled_to_zero_there_is_no_upstream(template: str) -> None:
    assert rendered(template) == ("" if "upstreams" in template else "false false")
    assert rendered("{{networks}} {{healthStatus}}") == "[back front] starting"


def test_a_global_service_is_like_any_other() -> None:
    def everywhere(service: dict[str, Any]) -> None:
        service["Spec"]["Mode"] = {"Global": {}}

    assert rendered("{{upstreams 80}}", *TWO, change=everywhere) == "10.0.1.5:80 10.0.1.6:80"


@pytest.mark.parametrize("tasks", [(), TWO])
@pytest.mark.parametrize("mode", ["vip", "dnsrr"])
def test_the_name_is_the_upstream_where_tasks_are_none(mode: str, tasks: tuple[dict[str, Any], ...]) -> None:
    def round_robin(service: dict[str, Any]) -> None:
        service["Endpoint"] = {"Spec": {}}
        service["Spec"]["EndpointSpec"] = {"Mode": "dnsrr"}

    change = {"vip": lambda service: None, "dnsrr": round_robin}[mode]
    assert rendered("{{upstreams 80}}", *tasks, change=change, proxy_service_tasks=False) == "shop_web:80"
    other = {"caddy_ingress_network": "other"}
    assert rendered("{{upstreams 80}}", *tasks, change=change, labels=other, proxy_service_tasks=False) == ""


def test_a_network_may_be_named_instead_of_its_id() -> None:
    def by_name(service: dict[str, Any]) -> None:
        service["Endpoint"] = {}
        service["Spec"]["TaskTemplate"]["Networks"] = [{"Target": "front"}]

    assert rendered("{{upstreams 80}}", change=by_name, proxy_service_tasks=False) == "shop_web:80"

"""`dockcaddy check` of a site that can only answer 503."""

import json
from collections.abc import Callable

import pytest

PROXY = {"caddy": "http://app.test", "caddy.reverse_proxy": "{{upstreams 8000}}"}
DYNAMIC = ("--set", "upstreams.dynamic=true")


def given(*containers: dict[str, object]) -> str:
    networks = [{"Name": name, "Id": id, "Driver": "bridge"} for name, id in (("web", "n1"), ("other", "n2"))]
    return json.dumps({"version": 1, "engines": [{"containers": list(containers), "networks": networks}]})


def container(name: str, labels: dict[str, str], status: str = "Up") -> dict[str, object]:
    """A container on the network `web`."""
    return {
        "Id": name.encode().hex().ljust(64, "0"),
        "Names": [f"/{name}"],
        "Labels": labels,
        "State": "running",
        "Status": status,
        "NetworkSettings": {"Networks": {"web": {"NetworkID": "n1", "IPAddress": "172.20.0.5"}}},
    }


def apart(name: str, labels: dict[str, str]) -> dict[str, object]:
    """A container that is on no ingress network."""
    made = container(name, labels)
    return made | {"NetworkSettings": {"Networks": {"other": {"NetworkID": "n2", "IPAddress": "172.30.0.9"}}}}


@pytest.fixture
def checked(dockcaddy: Callable[..., object]) -> Callable[..., object]:
    return lambda text, *options: dockcaddy(
        "check", "--inventory", "-", "--ingress-networks", "web", *options, given=text
    )


@pytest.mark.process
@pytest.mark.parametrize("options", [(), DYNAMIC], ids=["static", "dynamic"])
@pytest.mark.parametrize(
    "labels",
    [
        PROXY,
        PROXY | {"caddy.reverse_proxy": "/api/* {{upstreams 8000}}"},
        {"caddy": "http://app.test", "caddy.handle": "/x", "caddy.handle.php_fastcgi": "{{upstreams 9000}}"},
    ],
    ids=["all", "a-path", "nested"],
)
def test_it_fails_and_says_why(checked, labels: dict[str, str], options: tuple[str, ...]) -> None:
    found = checked(given(apart("app", labels)), *options)
    assert found.status == 1
    assert "error: site http://app.test: no upstream is available" in found.err
    assert "it is on other, --ingress-networks allows web" in found.err


@pytest.mark.process
@pytest.mark.parametrize("options", [(), DYNAMIC], ids=["static", "dynamic"])
def test_where_a_replica_answers_it_is_a_warning(checked, options: tuple[str, ...]) -> None:
    found = checked(given(apart("app-1", PROXY), container("app-2", PROXY)), *options)
    assert found.status == 0 and "warning: container app-1" in found.err


@pytest.mark.process
def test_a_container_that_is_not_healthy_is_no_fault_of_its_labels(checked) -> None:
    sick = container("app", PROXY | {"caddy_health_gate": "true"}, "Up 1 second (health: starting)")
    assert checked(given(sick)).status == 0

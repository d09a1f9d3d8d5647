"""A project as the inventory of an engine on which it is up."""

from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy.compose import Project, load_project, snapshot_of
from dockcaddy.compose.docker_compose import compose_program
from dockcaddy.engine import EngineOptions, from_snapshot
from dockcaddy.model import EngineInventory, Resource

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
FILES = sorted([*EXAMPLES.glob("*.yaml"), *EXAMPLES.glob("*/compose.yaml")])
SITE = "labels: {caddy: a.test}"


def engine_of(project: Project, **options: object) -> EngineInventory:
    (engine,) = from_snapshot(snapshot_of(project).document, EngineOptions(**options)).engines
    return engine


def resources(project: Project) -> dict[str, Resource]:
    return {str(each): each for each in engine_of(project).resources}


def test_names_replicas_and_addresses(compose_files: Callable, load: Callable) -> None:
    compose_files(
        compose=f"""
name: shop
services:
  web: {{image: nginx, {SITE}, deploy: {{replicas: 2}}, networks: [front]}}
  db: {{image: db, container_name: db, {SITE}, networks: {{front: {{ipv4_address: 10.1.2.3}}}}}}
  off: {{image: x, {SITE}, scale: 0}}
  plain: {{image: x, {SITE}}}
networks: {{front: {{}}}}
"""
    )
    found = resources(load("compose.yaml"))
    assert {name: each.targets for name, each in found.items()} == {
        "container shop-web-1": ("shop-web-1",),
        "container shop-web-2": ("shop-web-2",),
        "container db": ("10.1.2.3",),
        "container shop-plain-1": ("shop-plain-1",),
    }
    assert [each.network for each in found["container db"].attachments] == ["shop_front"]
    assert [each.network for each in found["container shop-plain-1"].attachments] == ["shop_default"]
    # the first in the file counts as the oldest
    assert found["container shop-web-1"].created < found["container db"].created


def test_what_functions_ask_for(compose_files: Callable, load: Callable, sandbox: Path) -> None:
    compose_files(
        compose=f"""
name: shop
services:
  web:
    image: nginx
    {SITE}
    environment: [A=1, FROM_SHELL, B=x=y]
    healthcheck: {{test: [CMD, x]}}
    ports: ["127.0.0.1:8080:80", "53:53/udp", {{target: 81, published: 8081}}]
    expose: [9000]
    volumes: [data:/data, ./files:/files:ro, /anonymous, {{type: bind, source: ./more, target: /more}}]
  plain: {{image: x, {SITE}, healthcheck: {{disable: true, test: [CMD, x]}}}}
volumes: {{data: {{}}}}
"""
    )
    found = resources(load("compose.yaml", FROM_SHELL="s"))
    web = found["container shop-web-1"]
    assert web.environment == {"A": "1", "FROM_SHELL": "s", "B": "x=y"}
    assert (web.health, found["container shop-plain-1"].health) == ("healthy", "none")
    ports = {(each.container_port, each.protocol, each.host_port) for each in web.ports}
    assert ports == {(80, "tcp", 8080), (53, "udp", 53), (81, "tcp", 8081), (9000, "tcp", 0)}
    assert {each.destination: (each.type, each.source) for each in web.mounts} == {
        "/data": ("volume", "/var/lib/docker/volumes/shop_data/_data"),
        "/files": ("bind", str(sandbox / "files")),
        "/anonymous": ("volume", "/var/lib/docker/volumes/anonymous/_data"),
        "/more": ("bind", str(sandbox / "more")),
    }


def test_labels_under_deploy_are_those_of_a_swarm_service(compose_files: Callable, load: Callable) -> None:
    compose_files(
        compose="""
name: web
services:
  app: {image: x, environment: {A: b}, deploy: {replicas: 2, labels: {caddy: a.test}}}
  each: {image: x, deploy: {mode: global, labels: [caddy=b.test]}}
"""
    )
    found = resources(load("compose.yaml"))
    assert {name: each.targets for name, each in found.items()} == {
        "service web_app": ("web_app.1", "web_app.2"),
        "service web_each": ("web_each.1",),
    }
    assert found["service web_app"].environment == {"A": "b"}


def test_a_service_in_the_network_of_another_one(compose_files: Callable, load: Callable) -> None:
    compose_files(
        compose=f"services: {{vpn: {{image: v}}, app: {{image: x, {SITE}, network_mode: 'service:vpn'}}}}\nname: n"
    )
    assert resources(load("compose.yaml"))["container n-app-1"].targets == ("n-vpn-1",)


@pytest.mark.parametrize(
    "service",
    [
        "proxy: {image: 'example.org/x/dockcaddy:1@sha256:00', networks: [front]}",
        "proxy: {image: lucaslorentz/caddy-docker-proxy, networks: [front]}",
        "caddy: {build: ., volumes: ['/var/run/docker.sock:/var/run/docker.sock'], networks: [front]}",
        "caddy: {build: ., environment: {DOCKER_HOST: tcp://proxy}, networks: [front]}",
    ],
)
def test_caddys_own_service_decides_what_is_reached(compose_files: Callable, load: Callable, service: str) -> None:
    text = (
        f"services:\n  {service}\n  app: {{image: x, {SITE}, networks: [front]}}\n  far: {{image: x, {SITE}}}\nname: n"
    )
    compose_files(compose=f"{text}\nnetworks: {{front: {{}}}}")
    project = load("compose.yaml")
    found = resources(project)
    assert engine_of(project).caddy is not None
    assert found["container n-app-1"].targets and not found["container n-far-1"].targets
    assert "network" in found["container n-far-1"].unreachable


def test_other_proxies_and_other_caddys_are_not_taken_for_it(compose_files: Callable, load: Callable) -> None:
    socket = "volumes: ['/var/run/docker.sock:/var/run/docker.sock']"
    compose_files(compose=f"services: {{traefik: {{image: traefik, {socket}}}, caddy: {{image: caddy}}}}")
    assert engine_of(load("compose.yaml")).caddy is None


def test_a_config_with_the_label_is_a_caddyfile(compose_files: Callable, load: Callable) -> None:
    compose_files(
        compose="services: {a: {image: x}}\nconfigs: {c: {content: 'x.test {}', labels: {caddy: ''}}}\nname: n"
    )
    assert [each.text for each in engine_of(load("compose.yaml")).configs] == ["x.test {}"]


@pytest.mark.compose
@pytest.mark.parametrize("file", FILES, ids=lambda path: path.relative_to(EXAMPLES).as_posix())
def test_with_and_without_docker_compose_it_is_the_same(file: Path) -> None:
    with_it = load_project([str(file)], (), {}, program=compose_program())
    without = load_project([str(file)], (), {}, program=())
    assert with_it.problems == ()
    assert facts(with_it) == facts(without)


def facts(project: Project) -> dict[str, dict[str, object]]:
    """What labels and functions see of each resource."""
    seen = ("labels", "environment", "attachments", "mounts", "ports", "health", "targets", "unreachable", "created")
    return {name: {key: getattr(each, key) for key in seen} for name, each in resources(project).items()}

"""Stopped containers and the constraint, on the real engine."""

from collections.abc import Callable
from typing import Any

import pytest
from real_engine import docker, hostname
from visiting import body

pytestmark = pytest.mark.engine

Start = Callable[..., Any]
Eventually = Callable[..., None]


def test_a_stopped_container_is_removed_kept_or_has_a_page(
    start_dockcaddy: Start, containers: Any, eventually: Eventually
) -> None:
    proxy = start_dockcaddy()
    # without any site Caddy would not listen
    containers.run("stays", caddy=f"http://stays.test:{proxy.port}", caddy__respond="x")
    names = {}
    for choice in ("remove", "keep", "page"):
        labels = {"caddy": f"http://{choice}.test:{proxy.port}", "caddy__reverse_proxy": "{{upstreams 80}}"}
        names[choice] = containers.run(choice, caddy_when_stopped=choice, **labels)
    eventually(lambda: all(hostname(proxy.body(f"{choice}.test")) == choice for choice in names))
    docker("stop", "-t", "1", *names.values())
    eventually(lambda: [proxy.body(f"{choice}.test") for choice in names] == ["", "status 503", "status 503"])

    docker("start", names["page"], names["keep"])
    eventually(lambda: hostname(proxy.body("page.test")) == "page" and hostname(proxy.body("keep.test")) == "keep")
    docker("rm", "-f", *names.values())
    eventually(lambda: [proxy.body(f"{each}.test") for each in names] == ["", "", ""])


def test_at_the_start_a_stopped_container_counts_and_one_that_never_started_does_not(
    start_dockcaddy: Start, containers: Any, eventually: Eventually, free_port: Callable[[], int]
) -> None:
    port = free_port()
    labels = {"caddy__respond": "up", "caddy_when_stopped": "page"}
    stopped = containers.run("stopped", caddy=f"http://stopped.test:{port}", **labels)
    docker("stop", "-t", "1", stopped)
    given = [f"--label={key.replace('__', '.')}={value}" for key, value in labels.items()]
    site = f"--label=caddy=http://created.test:{port}"
    docker(
        "create", f"--name={containers.mark}-created", f"--label=test={containers.mark}", *given, site, "traefik/whoami"
    )
    containers.names.append(f"{containers.mark}-created")
    start_dockcaddy()
    eventually(lambda: body(port, "stopped.test") == "status 503")
    assert body(port, "created.test") == ""


def test_only_what_the_constraint_admits_is_served(
    start_dockcaddy: Start, containers: Any, eventually: Eventually
) -> None:
    proxy = start_dockcaddy("--constraint", "Label(`zone`, `public`) && !NameRegex(`-hidden$`)")
    for name, zone in (("shop", "public"), ("admin", "internal"), ("hidden", "public")):
        containers.run(name, zone=zone, caddy=f"http://{name}.test:{proxy.port}", caddy__respond=name)
    containers.run("last", zone="public", caddy=f"http://last.test:{proxy.port}", caddy__respond="last")
    eventually(lambda: [proxy.body(f"{each}.test") for each in ("shop", "last")] == ["shop", "last"])
    assert [proxy.body(f"{each}.test") for each in ("admin", "hidden")] == ["", ""]

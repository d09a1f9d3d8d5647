"""A real Podman and a real Caddy: nothing is polled, and each change is heard of."""

from collections.abc import Callable

import pytest
from proxy import Proxy
from real_podman import RealPodman, answers

Eventually = Callable[..., None]
Start = Callable[..., Proxy]
pytestmark = [pytest.mark.engine, pytest.mark.podman]
NEVER = "--polling-interval=12h"


@pytest.fixture
def proxy(podman: RealPodman, start_dockcaddy: Start, free_port: Callable[[], int]) -> Proxy:
    return _proxy(podman, start_dockcaddy, free_port, "--set=health.gate=true")


def _proxy(podman: RealPodman, start: Start, free_port: Callable[[], int], *options: str) -> Proxy:
    port = free_port()
    made = start(
        f"--docker-sockets={podman.socket}", f"--http-port={port}", f"--https-port={free_port()}", NEVER, *options
    )
    made.port = port
    return made


def test_a_container_is_served_as_long_as_it_runs(podman: RealPodman, proxy: Proxy, eventually: Eventually) -> None:
    assert proxy.said("watching podman ")
    podman.run("web", site="web.test")
    eventually(lambda: answers(proxy.port, "web.test"))
    for end in (("stop", "--time=1"), ("kill",)):
        podman.podman(*end, "web")
        eventually(lambda: not answers(proxy.port, "web.test"))
        podman.podman("start", "web")
        eventually(lambda: answers(proxy.port, "web.test"))
    podman.podman("restart", "--time=1", "web")
    podman.podman("rename", "web", "other")
    eventually(lambda: proxy.said("other") and answers(proxy.port, "web.test"))
    podman.podman("pause", "other")
    eventually(lambda: not answers(proxy.port, "web.test"))
    podman.podman("unpause", "other")
    eventually(lambda: answers(proxy.port, "web.test"))
    podman.podman("rm", "--force", "--time=1", "other")
    eventually(lambda: not answers(proxy.port, "web.test"))
    assert not proxy.said(" warning: ")


def test_health_and_networks_are_followed(podman: RealPodman, proxy: Proxy, eventually: Eventually) -> None:
    podman.run_checked("checked", "checked.test")
    podman.set_health("checked", healthy=True)
    eventually(lambda: answers(proxy.port, "checked.test"))
    podman.set_health("checked", healthy=False)
    eventually(lambda: not answers(proxy.port, "checked.test"))
    podman.set_health("checked", healthy=True)
    eventually(lambda: answers(proxy.port, "checked.test"))
    # Podman before 5.4 says nothing of a new network
    podman.podman("network", "create", "front")
    podman.run("front", "--network=front", site="front.test")
    eventually(lambda: answers(proxy.port, "front.test"))
    podman.podman("network", "create", "back")
    podman.podman("network", "connect", "back", "front")
    podman.podman("network", "disconnect", "front", "front")
    back = podman.podman("inspect", "--format={{.NetworkSettings.Networks.back.IPAddress}}", "front")
    eventually(lambda: proxy.said(back) and answers(proxy.port, "front.test"))


def test_containers_that_share_a_network(podman: RealPodman, proxy: Proxy, eventually: Eventually) -> None:
    podman.podman("pod", "create", "--infra-image", podman.image, "--infra-command=/whoami --port 9", "--name=pod")
    podman.run("first", "--pod=pod", site="first.test")
    podman.run("second", "--pod=pod", site="second.test", port=81, command=("--port", "81"))
    podman.run("vpn")
    podman.run("behind", "--network=container:vpn", site="behind.test", port=82, command=("--port", "82"))
    for site in ("first.test", "second.test", "behind.test"):
        eventually(lambda site=site: answers(proxy.port, site))
    podman.podman("kill", "second")
    eventually(lambda: not answers(proxy.port, "second.test"))
    assert answers(proxy.port, "first.test")
    podman.podman("pod", "restart", "pod")
    eventually(lambda: answers(proxy.port, "first.test") and answers(proxy.port, "second.test"))


def test_published_ports_are_used_where_addresses_are_not_reached(
    podman: RealPodman, start_dockcaddy: Start, free_port: Callable[[], int], eventually: Eventually
) -> None:
    proxy, port = _proxy(podman, start_dockcaddy, free_port, "--docker-reach=ports"), free_port()
    podman.run("web", f"--publish={port}:80", site="web.test")
    eventually(lambda: answers(proxy.port, "web.test") and proxy.said(f"web 127.0.0.1:{port}"))
    podman.podman("stop", "--time=1", "web")
    eventually(lambda: not answers(proxy.port, "web.test"))


def test_dockcaddy_in_a_container_reaches_what_is_on_its_network(
    podman: RealPodman, caddy: str, free_port: Callable[[], int], eventually: Eventually
) -> None:
    port = free_port()
    podman.podman("network", "create", "web")
    podman.run("near", "--network=web", site="near.test")
    podman.run("far", site="far.test")
    podman.run_dockcaddy("dockcaddy", caddy, "--network=web", f"--publish={port}:80")
    eventually(lambda: answers(port, "near.test"))
    assert not answers(port, "far.test")
    podman.podman("network", "connect", "web", "far")
    eventually(lambda: answers(port, "far.test"))

"""A real engine, and dockcaddy in a container: beside it, and in the network of a side-car."""

from collections.abc import Callable

import pytest
import visiting
from real_engine import Containers, docker, hostname, logs

Eventually = Callable[..., None]
pytestmark = [pytest.mark.engine, pytest.mark.process]
ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"


def visited(address: str, host: str) -> str:
    """The name of the container that answers for this site."""
    try:
        return hostname(visiting.body(80, host, address=address))
    except OSError:
        return ""


def test_containers_with_the_network_of_the_host_and_of_a_side_car(
    containers: Containers, caddy: str, free_port: Callable[[], int], eventually: Eventually
) -> None:
    containers.prefix = containers.mark
    network, port = containers.network("front"), free_port()
    vpn = containers.run("vpn", f"--network={network}", command=("--port", "7000"))
    beside = containers.run_dockcaddy("beside", caddy, f"--network={network}")
    within = containers.run_dockcaddy("within", caddy, f"--network=container:{vpn}")
    upstreams = {"caddy__reverse_proxy": f"{{{{upstreams {port}}}}}"}
    containers.run("far", "--network=host", command=("--port", str(port)), caddy="http://host.test", **upstreams)
    upstreams = {"caddy__reverse_proxy": "{{upstreams 8000}}"}
    containers.run(
        "app", f"--network=container:{vpn}", command=("--port", "8000"), caddy="http://vpn.test", **upstreams
    )
    containers.run("web", f"--network={network}", caddy="http://web.test", caddy__reverse_proxy="{{upstreams}}")
    for own, address_of in ((beside, beside), (within, vpn)):
        # it starts slowly on a busy machine
        eventually(lambda own=own: "live: http://web.test" in logs(own), looks=6000)
        address = docker("inspect", "-f", ADDRESS, address_of)
        for site, name in {"web.test": "web", "vpn.test": "vpn", "host.test": "far"}.items():
            eventually(lambda address=address, site=site, name=name: visited(address, site) == name)

"""A real engine, and dockcaddy in a container: beside it, and in the network of a side-car."""

from collections.abc import Callable
from http.client import HTTPConnection

import pytest
from real_engine import Containers, docker, hostname

Eventually = Callable[..., None]
pytestmark = [pytest.mark.engine, pytest.mark.process]
ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"


def visited(address: str, host: str) -> str:
    """The name of the container that answers for this site."""
    connection = HTTPConnection(address, 80, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": host, "Connection": "close"})
        return hostname(connection.getresponse().read().decode())
    except OSError:
        return ""
    finally:
        connection.close()


@pytest.mark.parametrize("is_in_side_car", [False, True])
def test_containers_with_the_network_of_the_host_and_of_a_side_car(
    is_in_side_car: bool,
    containers: Containers,
    caddy: str,
    free_port: Callable[[], int],
    eventually: Eventually,
) -> None:
    containers.prefix = containers.mark
    network, port = containers.network("front"), free_port()
    vpn = containers.run("vpn", f"--network={network}", command=("--port", "7000"))
    upstreams = {"caddy__reverse_proxy": f"{{{{upstreams {port}}}}}"}
    containers.run("far", "--network=host", command=("--port", str(port)), caddy="http://host.test", **upstreams)
    upstreams = {"caddy__reverse_proxy": "{{upstreams 8000}}"}
    containers.run(
        "app", f"--network=container:{vpn}", command=("--port", "8000"), caddy="http://vpn.test", **upstreams
    )
    containers.run("web", f"--network={network}", caddy="http://web.test", caddy__reverse_proxy="{{upstreams}}")
    own = containers.run_dockcaddy(
        "proxy", caddy, f"--network=container:{vpn}" if is_in_side_car else f"--network={network}"
    )
    # it starts slowly on a busy machine
    eventually(lambda: "web.test" in containers.logs(own), looks=6000)
    address = docker("inspect", "-f", ADDRESS, vpn if is_in_side_car else own)
    sites = {"web.test": "web", "vpn.test": "vpn", "host.test": "far"}
    for site, name in sites.items():
        eventually(lambda site=site, name=name: visited(address, site) == name)

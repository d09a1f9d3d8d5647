"""A real Swarm of three nodes: controllers keep stock Caddys on all of them configured, whatever happens to one."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import define, field
from real_engine import with_dockcaddy
from real_swarm import RealSwarm

Eventually = Callable[..., None]
pytestmark = pytest.mark.swarm
NETWORK = "10.213.0.0/24"
_HOSTS = """
import json, sys, urllib.request
config = json.load(urllib.request.urlopen(f"http://{sys.argv[1]}:2019/config/", timeout=2)) or {}
servers = ((config.get("apps") or {}).get("http") or {}).get("servers") or {}
matches = [m for s in servers.values() for r in s.get("routes") or () for m in r.get("match") or ()]
print(*sorted({host for match in matches for host in match.get("host") or ()}))
"""


@define(eq=False)
class Edges:
    """The service of stock Caddys, and the controllers."""

    swarm: RealSwarm
    caddy: str
    controllers: list[str] = field(factory=list)

    def deploy(self) -> None:
        """Start a Caddy at each node, as an image of Caddy does that listens on the network."""
        mount = f"--mount=type=bind,source={self.caddy},target=/usr/local/bin/caddy,readonly"
        how = ("--replicas=3", "--replicas-max-per-node=2", "--restart-delay=100ms", "--placement-pref=spread=node.id")
        self.swarm.docker(
            *("service", "create", "--detach", "--no-resolve-image", "--name=edge", "--network=control", *how),
            *("--label=caddy_controlled_server=", "--env=CADDY_ADMIN=0.0.0.0:2019", mount),
            *("python:3.11-slim", "caddy", "run"),
        )

    def control(self, name: str) -> None:
        """Start a controller in a container of the manager."""
        options = ("--mode=controller", f"--controller-network={NETWORK}", "--polling-interval=0")
        place = ("--detach", f"--name={name}", "--network=control")
        command = ("python3", "-m", "dockcaddy", "run", *options)
        self.swarm.docker("run", *place, *with_dockcaddy(self.caddy), "python:3.11-slim", *command)
        self.controllers.append(name)

    def log(self, name: str) -> str:
        """What a controller said."""
        return self.swarm.output("logs", name)

    @property
    def tasks(self) -> dict[str, Any]:
        """The tasks that run, by their addresses."""
        ids = self.swarm.docker("service", "ps", "--quiet", "--filter=desired-state=running", "edge").split()
        tasks = json.loads(self.swarm.docker("inspect", *ids)) if ids else []
        return {
            attached["Addresses"][0].partition("/")[0]: task
            for task in tasks
            if task["Status"]["State"] == "running"
            for attached in task.get("NetworksAttachments") or ()
            if attached["Network"]["Spec"]["Name"] == "control"
        }

    def container(self, address: str) -> tuple[str, str]:
        """The node and the container of a task."""
        task = self.tasks[address]
        nodes = json.loads(self.swarm.docker("node", "inspect", task["NodeID"]))
        return nodes[0]["Description"]["Hostname"], task["Status"]["ContainerStatus"]["ContainerID"]

    def hosts(self, address: str) -> set[str]:
        """The hosts of the sites that a Caddy serves."""
        asked = self.swarm.docker("exec", self.controllers[-1], "python3", "-c", _HOSTS, address)
        return set(asked.split())

    def have(self, *sites: str, count: int = 3, but: str = "") -> bool:
        """Whether so many Caddys serve these sites and no others."""
        addresses = [each for each in self.tasks if each != but]
        return len(addresses) == count and all(self.hosts(each) == set(sites) for each in addresses)


@pytest.fixture
def edges(caddy: str) -> Iterator[Edges]:
    swarm = RealSwarm.started()
    try:
        yield Edges(swarm, caddy)
    finally:
        swarm.leave_nothing()


def test_controllers_keep_caddys_on_all_nodes_configured(edges: Edges, eventually: Eventually) -> None:
    swarm = edges.swarm
    swarm.docker("network", "create", "--driver=overlay", "--attachable", f"--subnet={NETWORK}", "control")
    swarm.docker("network", "create", "--driver=overlay", "--attachable", "front")
    edges.deploy()
    swarm.service("web", caddy="http://web.test", caddy__respond="web")
    edges.control("first")
    eventually(lambda: edges.have("web.test"))
    edges.control("second")
    eventually(lambda: "leads, this one watches" in edges.log("second"))
    # one restarts: Swarm replaces it
    address = next(iter(edges.tasks))
    node, container = edges.container(address)
    swarm.docker("kill", container, node=node)
    eventually(lambda: address not in edges.tasks)
    eventually(lambda: edges.have("web.test"))
    # one is added
    swarm.docker("service", "scale", "--detach", "edge=4")
    eventually(lambda: edges.have("web.test", count=4))
    # one hangs
    address = next(iter(edges.tasks))
    node, container = edges.container(address)
    swarm.docker("kill", "--signal=STOP", container, node=node)
    swarm.service("shop", caddy="http://shop.test", caddy__respond="shop")
    eventually(lambda: edges.have("web.test", "shop.test", count=3, but=address))
    eventually(lambda: f"server http://{address}:2019 (service edge, task" in edges.log("first"))
    swarm.docker("kill", "--signal=CONT", container, node=node)
    eventually(lambda: edges.have("web.test", "shop.test", count=4))
    # the leader is killed
    swarm.docker("kill", "first")
    swarm.docker("service", "rm", "shop")
    eventually(lambda: "it leads" in edges.log("second"), looks=1000)
    eventually(lambda: edges.have("web.test", count=4))

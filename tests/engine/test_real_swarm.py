"""A real Swarm of three nodes: a service lives its life under constant requests, and none fails."""

from collections.abc import Callable, Iterator

import pytest
from real_swarm import RealSwarm

Eventually = Callable[..., None]
pytestmark = [pytest.mark.engine, pytest.mark.swarm]
PORT = 8080


@pytest.fixture
def swarm() -> Iterator[RealSwarm]:
    made = RealSwarm.started()
    yield made
    made.leave_nothing()


def test_a_service_is_deployed_scaled_updated_drained_and_removed_without_a_lost_request(
    swarm: RealSwarm, caddy: str, eventually: Eventually
) -> None:
    swarm.docker("network", "create", "--driver=overlay", "--attachable", "front")
    swarm.run_dockcaddy(caddy, PORT)
    swarm.service(
        "web",
        "--replicas=3",
        "--update-order=start-first",
        "--update-monitor=1s",
        caddy="http://web.test",
        caddy__reverse_proxy="{{upstreams 80}}",
    )
    early = swarm.visit(PORT, "web.test")
    eventually(lambda: len(early.latest) == 3)
    visits = swarm.visit(PORT, "web.test")
    for replicas in (5, 2, 3):
        swarm.docker("service", "scale", "--detach", f"web={replicas}")
        eventually(lambda replicas=replicas: len(visits.latest) == replicas)
    assert not visits.failures
    before = set(visits.latest)
    swarm.docker("service", "update", "--detach", "--no-resolve-image", "--env-add=VERSION=2", "web")
    eventually(lambda: len(visits.latest) == 3 and before.isdisjoint(visits.latest))
    assert not visits.failures
    before = set(visits.latest)
    swarm.docker("node", "update", "--availability=drain", "node2")
    eventually(lambda: len(visits.latest) == 3 and before != visits.latest)
    assert not visits.failures
    swarm.docker("service", "scale", "--detach", "web=0")
    eventually(lambda: visits.status == "503")
    assert set(visits.failures) == {"503"}
    swarm.docker("service", "scale", "--detach", "web=1")
    eventually(lambda: visits.status == "200")
    swarm.docker("service", "rm", "web")
    # Caddy has no such site any more
    eventually(lambda: visits.status != "503" and not visits.got[-1][1])

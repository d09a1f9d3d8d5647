"""A real Swarm of three nodes: services live their lives under constant requests, and none fails."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from real_engine import with_dockcaddy
from real_swarm import RealSwarm, Visits

Eventually = Callable[..., None]
pytestmark = pytest.mark.swarm
PORT = 8080
# a Swarm takes its time, and each look asks a manager or waits for a request
PATIENCE = 6_000


@pytest.fixture(scope="module")
def swarm(caddy: str) -> Iterator[RealSwarm]:
    """The Swarm, with a dockcaddy at its manager."""
    made = RealSwarm.started()
    try:
        made.docker("network", "create", "--driver=overlay", "--attachable", "front")
        made.run_dockcaddy(caddy, PORT)
        yield made
    finally:
        made.leave_nothing()


def visited(
    swarm: RealSwarm, eventually: Eventually, host: str, tasks: int, methods: Sequence[str] = ("GET", "POST")
) -> Visits:
    """Requests to a site that has that many tasks, from when all of them answer."""
    early = swarm.visit(PORT, host)
    eventually(lambda: len(early.latest) == tasks, PATIENCE)
    early.end()
    visits = swarm.visit(PORT, host, methods=methods)
    eventually(lambda: len(visits.latest) == tasks)
    return visits


def test_a_service_is_scaled_updated_drained_and_removed_without_a_lost_request(
    swarm: RealSwarm, eventually: Eventually
) -> None:
    swarm.service(
        "web",
        "--replicas=3",
        "--update-order=start-first",
        "--update-monitor=1s",
        "--rollback-order=start-first",
        slow=True,
        caddy="http://web.test",
        caddy__reverse_proxy="{{upstreams 80}}",
    )
    visits = visited(swarm, eventually, "web.test", 3)
    for replicas in (5, 2, 3):
        swarm.docker("service", "scale", "--detach", f"web={replicas}")
        eventually(lambda replicas=replicas: len(visits.latest) == replicas, PATIENCE)
    assert not visits.failures
    for change in (("update", "--no-resolve-image", "--env-add=VERSION=2"), ("rollback",)):
        before = set(visits.latest)
        swarm.docker("service", *change, "--detach", "web")
        eventually(lambda before=before: len(visits.latest) == 3 and before.isdisjoint(visits.latest), PATIENCE)
        assert not visits.failures
    drained = next(iter(swarm.nodes_of("web") - {"node1"}))
    before = set(visits.latest)
    swarm.docker("node", "update", "--availability=drain", drained)
    eventually(lambda: len(visits.latest) == 3 and before != visits.latest, PATIENCE)
    assert drained not in swarm.nodes_of("web") and not visits.failures
    swarm.docker("node", "update", "--availability=active", drained)
    swarm.docker("service", "scale", "--detach", "web=0")
    eventually(lambda: visits.status == "503")
    assert set(visits.failures) == {"503"}
    swarm.docker("service", "scale", "--detach", "web=1")
    eventually(lambda: visits.status == "200", PATIENCE)
    swarm.docker("service", "rm", "web")
    # Caddy has no such site any more
    eventually(lambda: visits.status != "503" and not visits.got[-1][1])


def test_an_update_that_stops_tasks_first_loses_no_request_while_another_task_runs(
    swarm: RealSwarm, eventually: Eventually
) -> None:
    swarm.service(
        "old",
        "--replicas=3",
        "--update-order=stop-first",
        "--update-monitor=1s",
        caddy="http://old.test",
        caddy__reverse_proxy="{{upstreams 80}}",
    )
    visits = visited(swarm, eventually, "old.test", 3)
    before = set(visits.latest)
    swarm.docker("service", "update", "--detach", "--no-resolve-image", "--env-add=VERSION=2", "old")
    eventually(lambda: len(visits.latest) == 3 and before.isdisjoint(visits.latest), PATIENCE)
    assert not visits.failures
    swarm.docker("service", "rm", "old")


def test_a_node_dies_and_comes_back_under_requests_that_take_longer_and_do_not_fail(
    swarm: RealSwarm, eventually: Eventually
) -> None:
    swarm.service("all", "--mode=global", caddy="http://all.test", caddy__reverse_proxy="{{upstreams 80}}")
    visits = visited(swarm, eventually, "all.test", 3, ("GET",))
    posts = swarm.visit(PORT, "all.test", methods=("POST",))
    eventually(lambda: len(posts.latest) == 3)
    lost = visits.latest
    swarm.power("crash", "node3")
    eventually(lambda: swarm.nodes_of("all") == {"node1", "node2"}, PATIENCE)
    eventually(lambda: len(visits.latest) == 2, PATIENCE)
    # a request to the lost task is answered by another one
    assert not visits.failures and visits.latest < lost
    # one that was sent when the node died may have had an effect, so it is not repeated
    assert len(posts.failures) <= 1
    swarm.power("start", "node3")
    eventually(lambda: len(visits.latest) == 3, PATIENCE)
    assert not visits.failures and len(posts.failures) <= 1
    swarm.docker("service", "rm", "all")


def test_the_stack_of_the_examples(
    swarm: RealSwarm, eventually: Eventually, caddy: str, project: Path, tmp_path: Path
) -> None:
    def here(kind: str) -> str:
        """What stands for the image: this very dockcaddy, and addresses that need no certificate."""
        fragment = (project / "examples/swarm/hello.caddyfile").read_text()
        (tmp_path / "hello.caddyfile").write_text(fragment.replace("hello.example.org", "http://hello.test"))
        given = with_dockcaddy(caddy)
        override = {
            "services": {
                "dockcaddy": {
                    "image": "python:3.11-slim",
                    "command": ["python3", "-m", "dockcaddy", "run"],
                    "environment": [each.partition("=")[2] for each in given if each.startswith("--env=")],
                    "volumes": [each.partition("=")[2] for each in given if each.startswith("--volume=")],
                },
                "app": {"deploy": {"labels": {"caddy": "http://app.test"}}},
            },
            "configs": {"hello": {"file": str(tmp_path / "hello.caddyfile"), "labels": {"caddy": ""}}},
        }
        (tmp_path / f"{kind}.yaml").write_text(json.dumps(override))
        return str(tmp_path / f"{kind}.yaml")

    files = ("--compose-file", str(project / "examples/swarm.yaml"), "--compose-file", here("override"))
    swarm.docker("stack", "deploy", "--resolve-image=never", "--detach=true", *files, "web")
    app = swarm.visit(80, "app.test")
    eventually(lambda: len(app.latest) == 3, PATIENCE)
    # a task of each node answers, over the overlay
    assert swarm.nodes_of("web_app") == {"node1", "node2", "node3"}
    eventually(lambda: json.loads(swarm.get(80, "hello.test")) == {"hello": "from a config", "#": "no comment"})
    swarm.docker("stack", "rm", "--detach=true", "web")

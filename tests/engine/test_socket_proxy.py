"""A proxy before the engine's socket that forbids calls: what is said, and what it costs."""

import tempfile
from collections.abc import Callable, Iterator

import pytest
from dockcaddy.engine import Connection, Engine, EngineOptions
from dockcaddy.engine.api.failures import failure_of
from dockcaddy.errors import EngineUnreachable
from docker.errors import APIError
from requests import Request, Response
from stand_in_engine import StandInEngine

Eventually = Callable[..., None]
SITE = {"caddy": "a.test"}


@pytest.fixture
def stand_in() -> Iterator[StandInEngine]:
    with tempfile.TemporaryDirectory() as folder, StandInEngine(f"{folder}/engine.sock") as made:
        made.swarm.role = "manager"
        made.swarm.add("svc", SITE, "10.0.2.5")
        made.add("web", SITE).environment = ("A=b",)
        yield made


def engine(stand_in: StandInEngine) -> Engine:
    return Engine(Connection(f"unix://{stand_in.path}"), EngineOptions())


@pytest.mark.parametrize(
    ("call", "said", "left"),
    [
        ("networks", "GET /networks: 403, allow NETWORKS=1", {"container web", "service svc"}),
        ("inspect", "/json: 403, allow CONTAINERS=1", {"container web", "service svc"}),
        ("info", "GET /info: 403, allow INFO=1", {"container web", "service svc"}),
        ("services", "GET /services: 403, allow SERVICES=1", {"container web"}),
        ("tasks", "GET /tasks: 403, allow TASKS=1", {"container web", "service svc"}),
        ("configs", "GET /configs: 403, allow CONFIGS=1", {"container web", "service svc"}),
    ],
)
def test_a_call_that_is_forbidden_costs_what_needs_it(
    stand_in: StandInEngine, call: str, said: str, left: set[str]
) -> None:
    stand_in.faults[call] = "forbidden"
    watched = engine(stand_in)
    inventory = watched.inventory()
    assert {str(each) for each in inventory.resources} == left
    assert inventory.resources[0].targets == (stand_in.containers["web"].address,)
    (problem,) = inventory.problems
    assert said in str(problem) and problem.severity == "warning" and "<" not in str(problem)
    # nobody asks for it again and again
    refused = stand_in.refused[call]
    for _ in range(3):
        watched.inventory()
    assert stand_in.refused[call] == refused
    stand_in.faults.clear()
    watched.resync()
    if call != "inspect":
        inventory = watched.inventory()
        assert not inventory.problems and len(inventory.resources) == 2


def test_another_call_that_is_forbidden_later_is_reported_beside_the_first(
    stand_in: StandInEngine, eventually: Eventually
) -> None:
    stand_in.faults["configs"] = "forbidden"
    watched = engine(stand_in)
    watched.start(lambda urgent=False: None)
    eventually(lambda: len(watched.inventory().problems) == 1)
    stand_in.faults["tasks"] = "forbidden"
    eventually(lambda: len(watched.inventory().problems) == 2)
    said = " ".join(map(str, watched.inventory().problems))
    assert "allow CONFIGS=1" in said and "allow TASKS=1" in said
    watched.close()


def test_what_everything_needs_is_told_and_not_called_an_engine_that_is_down(stand_in: StandInEngine) -> None:
    stand_in.faults["list"] = "forbidden"
    with pytest.raises(EngineUnreachable) as raised:
        engine(stand_in).inventory()
    assert str(raised.value) == (
        f"unix://{stand_in.path} forbids a required call: GET /containers/json: 403, allow CONTAINERS=1"
    )


def test_without_the_version_the_ping_tells_it(stand_in: StandInEngine) -> None:
    stand_in.faults["version"] = "forbidden"
    assert engine(stand_in).inventory().resources


def test_without_the_ping_too_the_variable_is_named(stand_in: StandInEngine) -> None:
    stand_in.faults |= {"version": "forbidden", "ping": "forbidden"}
    with pytest.raises(EngineUnreachable, match="GET /version: 403, allow VERSION=1"):
        engine(stand_in).inventory()


def test_without_events_changes_are_found_by_listing(stand_in: StandInEngine, eventually: Eventually) -> None:
    stand_in.faults["events"] = "forbidden"
    watched = engine(stand_in)
    heard: list[bool] = []
    watched.start(lambda urgent=False: heard.append(urgent))
    eventually(lambda: heard and "GET /events: 403, allow EVENTS=1" in str(watched.inventory().problems[0]))
    stand_in.add("new", SITE)
    eventually(lambda: "container new" in map(str, watched.inventory().resources))
    stand_in.faults.clear()
    eventually(lambda: not watched.inventory().problems)
    watched.close()


@pytest.mark.parametrize(
    ("status", "kind", "text", "said"),
    [
        (403, "text/html", "<html>403 Forbidden</html>", "GET /services: 403, allow SERVICES=1"),
        (403, "text/plain", "Forbidden", "GET /services: 403, allow SERVICES=1"),
        (403, "application/json", "authorization denied by plugin p", "GET /services: 403, authorization denied by"),
        (502, "text/html", "<html>Bad Gateway</html>", "GET /services: 502 Bad Gateway"),
        (500, "application/json", "rpc error: no leader", "rpc error: no leader"),
    ],
)
def test_an_answer_that_is_an_error_is_told_in_one_line(status: int, kind: str, text: str, said: str) -> None:
    response = Response()
    response.status_code, response.reason = status, {502: "Bad Gateway"}.get(status, "Forbidden")
    response.headers["Content-Type"] = kind
    response.request = Request("GET", "http+docker://localhost/v1.41/services?status=1").prepare()
    assert failure_of(APIError("error", response=response, explanation=text)).cause.startswith(said)

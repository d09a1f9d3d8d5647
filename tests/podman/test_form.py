"""Podman's answers beside Docker's: the same life on both, recorded, gives the same resources and the same events.

`lives` has what Podman 4.3.1 and Docker Engine 20.10.24 answered about it.
"""

import json
import socket
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from dockcaddy.engine import Connection, EngineOptions, from_snapshot
from dockcaddy.engine.api.podman import completed, containers, is_podman, networks
from dockcaddy.engine.records.stopped import KEEP, Stopped
from dockcaddy.engine.watch.events import Event
from dockcaddy.errors import EngineUnreachable
from dockcaddy.model import Resource

LIVES = Path(__file__).parent / "lives"
EVERY = EngineOptions(stopped=Stopped(KEEP, scans_all=True))
# what both engines say of a container's life; Docker has more events, and Podman others
COMMON = {"create", "start", "die", "pause", "unpause", "rename", "destroy"}


def recorded(engine: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((LIVES / f"{engine}.json").read_text())
    for item in document["engines"][0]["containers"]:
        item["Labels"] = {**(item["Labels"] or {}), "caddy": "site.test"}
    return document


def resources(engine: str, options: EngineOptions = EVERY) -> dict[str, Resource]:
    return {each.name: each for each in from_snapshot(recorded(engine), options).engines[0].resources}


def events(engine: str) -> list[Event]:
    messages = map(json.loads, (LIVES / f"{engine}_events.jsonl").read_text().splitlines())
    return [Event.of(message) for message in messages if "step" not in message]


NAMES = ["web", "plain", "host", "none", "created", "exited", "stopped", "paused"]


@pytest.mark.parametrize("name", [f"lab-{name}" for name in NAMES])
def test_a_container_is_the_same_resource_as_in_docker(name: str) -> None:
    podman, docker = resources("podman")[name], resources("docker")[name]
    assert podman.image.removeprefix("localhost/").removesuffix(":latest") == docker.image
    same = [
        (each.state, each.running, each.health, each.stopping, bool(each.targets), len(each.mounts))
        for each in (podman, docker)
    ]
    assert same[0] == same[1]
    ports = [
        {(port.container_port, port.protocol, port.host_port > 0) for port in each.ports} for each in (podman, docker)
    ]
    # where a container has no network of its own, Podman does not show what its image exposes
    assert ports[0] >= ports[1] or name in ("lab-host", "lab-none")
    assert {key: podman.environment.get(key) for key in ("SITE", "PATH")} == {
        key: docker.environment.get(key) for key in ("SITE", "PATH")
    }
    assert _networks(podman) == _networks(docker)


def _networks(resource: Resource) -> set[str]:
    """The networks on which it has an address."""
    return {each.network.replace("podman", "bridge") for each in resource.attachments if each.ipv4}


def test_the_default_network_and_a_containers_own_are_reached_from_the_host() -> None:
    found = resources("podman")
    assert found["lab-plain"].targets == ("10.88.0.6",)
    assert found["lab-web"].targets == ("10.89.1.3",)
    assert found["lab-host"].targets == ("127.0.0.1",)
    assert found["lab-none"].targets == () and "it has network mode none" in found["lab-none"].unreachable


def test_a_container_that_uses_anothers_network_is_reached_there() -> None:
    assert resources("podman")["lab-shared"].targets == resources("podman")["lab-plain"].targets


@pytest.mark.parametrize("network", ["podman", "lab-front"])
def test_ingress_networks_are_named_as_podman_names_them(network: str) -> None:
    found = resources("podman", EngineOptions(ingress_networks=(network,), stopped=Stopped(KEEP, scans_all=True)))
    reached = {"podman": "lab-plain", "lab-front": "lab-web"}
    assert found[reached[network]].targets and not any(
        found[name].targets for key, name in reached.items() if key != network
    )


def test_an_ended_container_of_a_pod_gets_nothing_although_podman_shows_the_pods_address() -> None:
    item = next(each for each in recorded("podman")["engines"][0]["containers"] if each["Names"] == ["/lab-inpod"])
    assert item["NetworkSettings"]["Networks"]["podman"]["IPAddress"]
    found = resources("podman")["lab-inpod"]
    assert found.targets == () and not any(each.ipv4 for each in found.attachments)
    assert "lab-inpod" not in resources("podman", EngineOptions())


def test_health_is_in_the_inspect_response_only() -> None:
    assert [resources("podman")[name].health for name in ("lab-web", "lab-plain")] == ["healthy", "none"]


@pytest.mark.parametrize("name", [f"lab-{name}" for name in ("web", "exited", "stopped", "paused", "created")])
def test_the_same_life_gives_the_same_events(name: str) -> None:
    podman, docker = (
        Counter(e.verb for e in events(engine) if e.kind == "container" and e.verb in COMMON and _name(e) == name)
        for engine in ("podman", "docker")
    )
    assert podman == docker


def _name(event: Event) -> str:
    return event.attributes.get("name", "")


def test_an_event_about_a_network_names_the_container() -> None:
    web = resources("podman")["lab-web"].id
    found = [e for e in events("podman") if e.kind == "network" and e.container]
    assert [(e.action, e.container, e.network) for e in found] == [("connect", web, ""), ("disconnect", web, "")]


def test_a_probe_is_a_health_event_without_a_state_since_an_inspect_has_it() -> None:
    probes = [e for e in events("podman") if e.verb == "health_status"]
    assert probes and not any(e.detail for e in probes)


def _event(kind: str, action: str, id: str = "c1", **attributes: str) -> Event:
    return Event.of({"Type": kind, "Action": action, "Actor": {"ID": id, "Attributes": attributes}})


def test_events_of_podman_5_name_the_network() -> None:
    created = _event("network", "create", "9f", name="", network="front", driver="bridge")
    assert (created.container, created.network) == ("", "front")
    joined = _event("network", "connect", name="web", network="front")
    assert (joined.container, joined.network) == ("c1", "front")


def test_events_of_docker_stay_as_they_are() -> None:
    assert _event("network", "connect", "n1", container="c1", name="front").network == "n1"
    assert _event("network", "create", "n1", name="front", type="bridge").network == "n1"
    assert _event("container", "health_status: healthy").detail == "healthy"
    assert _event("container", "destroy").verb == "destroy"
    assert _event("service", "remove", "s1").action == "remove"


@pytest.mark.parametrize("network_id", ["podman", "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9"])
def test_an_endpoint_is_known_by_its_networks_name_in_podman_4_and_5(network_id: str) -> None:
    item = {"Id": "c", "State": "running", "NetworkSettings": {"Networks": {"podman": {"NetworkID": network_id}}}}
    (made,) = containers([item])
    (listed,) = networks([{"Name": "bridge", "Id": network_id, "Driver": "bridge"}])
    assert made["NetworkSettings"]["Networks"]["podman"]["NetworkID"] == listed["Id"] == listed["Name"] == "podman"


@pytest.mark.parametrize(
    ("state", "docker"),
    [("stopping", "exited"), ("stopped", "exited"), ("configured", "created"), ("initialized", "created")],
)
def test_states_that_only_podman_has(state: str, docker: str) -> None:
    assert [each["State"] for each in containers([{"Id": "c", "State": state}])] == [docker]


@pytest.mark.parametrize(
    ("health", "status"),
    [("healthy", "Up 1 minute (healthy)"), ("starting", "Up 1 minute (health: starting)"), ("none", "Up 1 minute")],
)
def test_health_in_a_list_of_podman_6(health: str, status: str) -> None:
    item = {"Id": "c", "State": "running", "Status": "Up 1 minute", "Health": {"Status": health}}
    assert containers([item])[0]["Status"] == status


def test_the_network_mode_is_the_inspected_one_whatever_a_list_says() -> None:
    item = {
        "Id": "c",
        "State": "running",
        "HostConfig": {"NetworkMode": "host"},
        "Ports": [{"PrivatePort": 80, "Type": "tcp"}],
    }
    inspect = {"HostConfig": {"NetworkMode": "bridge"}, "Config": {"ExposedPorts": {"80/tcp": {}, "53/udp": {}}}}
    made = completed(containers([item])[0], inspect)
    assert made["HostConfig"] == {"NetworkMode": "bridge"}


def test_where_there_is_no_docker_podmans_socket_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = f"unix://{tmp_path}/docker.sock"
    for module in ("connection", "endpoint"):
        monkeypatch.setattr(f"dockcaddy.engine.api.{module}.DEFAULT_SOCKET", missing)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "podman").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "podman/podman.sock"))
        with pytest.raises(EngineUnreachable) as raised:
            Connection().client()
    path = f"{tmp_path}/podman/podman.sock"
    assert raised.value.remedy == f"Podman listens at {path}: --docker-sockets unix://{path}"


def test_podman_is_known_by_its_headers() -> None:
    assert is_podman({"Server": "Libpod/5.4.2 (linux)"}) and is_podman({"Libpod-Api-Version": "4.3.1"})
    assert not is_podman({"Server": "Docker/20.10.24 (linux)"})

"""Several engines whose containers have the same addresses: no site gets the address of another engine's container."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from dockcaddy.engine.reach.neighbours import Neighbours, Reach, facts_of
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.snapshot import from_snapshot
from dockcaddy.run.engines import reach_of
from snapshots import attached

ADDRESS = "172.17.0.2"
OVERLAY = "k2jq0mwkvlpd2r5s1z7yb3e9x"
PORT = {"PrivatePort": 80, "PublicPort": 32768, "Type": "tcp", "IP": "0.0.0.0"}


def network(name: str, id: str, subnet: str = "", **more: Any) -> dict[str, Any]:
    config = [{"Subnet": subnet}] if subnet else []
    return {"Name": name, "Id": id, "Driver": "bridge", "Scope": "local", "IPAM": {"Config": config}, **more}


def overlay(name: str = "front") -> dict[str, Any]:
    return network(name, OVERLAY, "10.0.1.0/24", Driver="overlay", Scope="swarm")


def plain(name: str, *ports: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """An engine with one container at the address that each engine's first container has."""
    bridge = network("bridge", f"{name}-bridge", "172.17.0.0/16")
    items = [attached(f"on-{name}", {"bridge": (bridge["Id"], ADDRESS)}, *ports)]
    return {"name": name, "networks": [bridge], "containers": items, **more}


def remote(host: str = "nas", rule: str = "auto") -> dict[str, Any]:
    return {"rule": rule, "host": host, "local": False}


def found(engines: Sequence[Mapping[str, Any]], *names: str) -> dict[str, tuple[tuple[str, ...], str]]:
    """The addresses of each resource, and the host of its published ports."""
    inventory = from_snapshot({"version": 1, "engines": list(engines)}, EngineOptions(ingress_networks=names))
    return {each.name: (each.targets, each.published_at) for one in inventory.engines for each in one.resources}


def test_two_plain_engines_never_share_an_address() -> None:
    assert found([plain("a"), plain("b")]) == {"on-a": ((ADDRESS,), ""), "on-b": ((), "")}


def test_nor_do_they_without_known_subnets() -> None:
    engines = [plain("a"), plain("b")]
    for each in engines:
        del each["networks"][0]["IPAM"]
    assert found(engines)["on-b"] == ((), "")


def test_another_engine_is_reached_at_its_published_ports() -> None:
    engines = [plain("a"), plain("b", PORT, reach=remote())]
    assert found(engines) == {"on-a": ((ADDRESS,), ""), "on-b": ((), "nas")}
    # in whatever order
    assert found(engines[::-1]) == {"on-a": ((ADDRESS,), ""), "on-b": ((), "nas")}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {},
            "it is on bridge, whose addresses another engine's network has too, so they may be another container's: publish",
        ),
        (
            {"reach": remote("")},
            "caddy is not on its engine, and the address of that engine's host is unknown: publish a",
        ),
    ],
)
def test_a_container_that_is_not_reached_says_why(more: Mapping[str, Any], said: str) -> None:
    document = {"version": 1, "engines": [plain("a"), plain("b", **more)]}
    assert said in from_snapshot(document, EngineOptions()).engines[1].resources[0].unreachable


def test_nor_do_they_if_one_is_a_copy_of_the_other() -> None:
    copy = plain("a") | {"name": "copy"}
    copy["containers"] = [copy["containers"][0] | {"Names": ["/copied"]}]
    assert found([plain("a"), copy]) == {"on-a": ((ADDRESS,), ""), "copied": ((), "")}


def test_a_network_of_its_own_is_reached_on_both_engines_of_this_machine() -> None:
    podman = plain("b")
    podman["networks"] = [network("podman", "b-bridge", "10.88.0.0/16")]
    assert found([plain("a"), podman])["on-b"] == ((ADDRESS,), "")


def test_an_overlay_network_that_caddys_container_is_on_is_reached_on_every_node() -> None:
    caddy = attached("caddy", {"front": (OVERLAY, "10.0.1.2")}) | {"Labels": {}}
    first = {"name": "a", "self": caddy["Id"], "networks": [overlay()], "containers": [caddy]}
    second = {
        "name": "b",
        "networks": [overlay(), network("bridge", "b-bridge", "172.17.0.0/16")],
        "containers": [
            attached("wide", {"bridge": ("b-bridge", ADDRESS), "front": (OVERLAY, "10.0.1.7")}),
            attached("narrow", {"bridge": ("b-bridge", ADDRESS)}, PORT),
        ],
        "reach": remote(),
    }
    assert found([first, second]) == {"wide": (("10.0.1.7",), ""), "narrow": ((), "nas")}
    only = second | {"reach": remote(rule="overlay")}
    assert found([first, only]) == {"wide": (("10.0.1.7",), ""), "narrow": ((), "")}


def test_a_network_of_the_same_name_on_another_host_is_another_network() -> None:
    caddy = attached("caddy", {"caddy": ("a-caddy", "172.20.0.2")}) | {"Labels": {}}
    networks = [network("caddy", "a-caddy", "172.20.0.0/16")]
    first = {"name": "a", "self": caddy["Id"], "networks": networks, "containers": [caddy]}
    second = {
        "name": "b",
        "networks": [network("caddy", "b-caddy", "172.20.0.0/16")],
        "containers": [attached("web", {"caddy": ("b-caddy", "172.20.0.2")})],
        "reach": remote(""),
    }
    assert found([first, second]) == {"web": ((), "")}
    # also where the option names it
    assert found([first, second], "caddy") == {"web": ((), "")}


def test_the_settings_may_say_that_containers_are_reached() -> None:
    assert found([plain("a"), plain("b", reach="containers")])["on-b"] == ((ADDRESS,), "")
    assert found([plain("a", PORT, reach="ports=10.0.0.9")])["on-a"] == ((), "10.0.0.9")


def test_addresses_that_are_not_reached_are_hidden_from_templates() -> None:
    engine = plain("b", PORT, reach=remote())
    engine["containers"][0]["Labels"]["caddy.reverse_proxy"] = "{{primaryIP}}:80"
    inventory = from_snapshot({"version": 1, "engines": [plain("a"), engine]}, EngineOptions())
    assert [each.ipv4 for each in inventory.engines[1].resources[0].attachments] == [""]


@pytest.mark.parametrize(
    ("url", "rule", "expected"),
    [
        ("unix:///var/run/docker.sock", "", Reach("auto", "", True)),
        ("unix:///run/user/1000/docker.sock", "", Reach("auto", "", True, True, True)),
        ("unix:///home/u/.colima/default/docker.sock", "", Reach("auto", "", True, True, True)),
        ("unix:///home/u/.rd/docker.sock", "", Reach("auto", "", True, True, True)),
        (
            "unix:///mnt/wsl/docker-desktop/shared-sockets/host-services/docker.proxy.sock",
            "",
            Reach("auto", "", True, True, True),
        ),
        ("unix:///tmp/podman-run-1000/podman/podman.sock", "", Reach("auto", "", True, True)),
        ("unix:///run/user/1000/podman/podman.sock", "ports", Reach("ports", "", True, True)),
        ("tcp://127.0.0.1:2375", "", Reach("auto", "127.0.0.1", True)),
        ("tcp://192.0.2.7:2376", "", Reach("auto", "192.0.2.7", False)),
        ("tcp://[2001:db8::7]:2376", "ports", Reach("ports", "2001:db8::7", False)),
        ("ssh://root@nas", "", Reach("auto", "nas", False)),
        ("tcp://nas:2376", "ports=10.0.0.9", Reach("ports", "10.0.0.9", False)),
        ("tcp://socket-proxy:2375", "", Reach("auto", "socket-proxy", False, is_proxied=True)),
        ("tcp://nas.example.org:2375", "", Reach("auto", "nas.example.org", False)),
    ],
)
def test_how_an_engine_is_reached_by_its_url(url: str, rule: str, expected: Reach) -> None:
    assert reach_of(url, rule) == expected


def test_a_proxy_speaks_no_tls() -> None:
    assert not reach_of("tcp://docker:2376", has_tls=True).is_proxied


def test_a_rootless_engine_of_this_machine_is_reached_at_its_published_ports() -> None:
    near = Neighbours()
    near.join("rootless", reach_of("unix:///run/user/1000/docker.sock"))
    assert near.rule("rootless").host == "127.0.0.1" and not near.rule("rootless").counts("bridge")


def test_without_a_list_of_networks_the_addresses_of_the_second_engine_do_not_count() -> None:
    near = Neighbours()
    for name in ("first", "second"):
        near.join(name, Reach())
        near.learn(name, facts_of(Reach(), None, None))
    assert near.rule("first").counts("any") and not near.rule("second").counts("any")


def test_caddys_container_reaches_another_engine_of_its_host_at_the_gateway() -> None:
    near = Neighbours(in_container=True)
    for name in ("docker", "podman"):
        near.join(name, Reach())
    own = {"NetworkSettings": {"Networks": {"web": {"NetworkID": "web", "Gateway": "172.20.0.1"}}}}
    near.learn("docker", facts_of(Reach(), [network("web", "web", "172.20.0.0/16")], own))
    near.learn("podman", facts_of(Reach(), [network("podman", "p", "10.88.0.0/16")], None))
    assert near.rule("docker").counts("web")
    assert near.rule("podman").host == "172.20.0.1" and not near.rule("podman").counts("p")

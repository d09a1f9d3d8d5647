"""Which networks of an engine are here: by the addresses of the machine or container that Caddy runs in."""

from typing import Any

import pytest
from dockcaddy.engine.builder import InventoryBuilder
from dockcaddy.engine.reach.neighbours import Neighbours, Place, Reach, written
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.snapshot import from_snapshot
from dockcaddy.model import Resource
from snapshots import attached

GATEWAY = "172.17.0.1"
CADDY = "c" * 64


def network(name: str, subnet: str = "", gateway: str = "", **more: Any) -> dict[str, Any]:
    config = [{"Subnet": subnet, "Gateway": gateway}] if subnet else [None]
    return {"Name": name, "Id": f"id-{name}", "Driver": "bridge", "Scope": "local", "IPAM": {"Config": config}, **more}


BRIDGE = network("bridge", "172.17.0.0/16", GATEWAY)
PODMANS = network("podman", "10.88.0.0/16", "10.88.0.1")
NONE = network("none", Driver="null")
WIDE = network("wide", "10.0.1.0/24", "10.0.1.1", Driver="overlay", Scope="swarm")
NARROW = network("narrow", "10.0.2.0/24", "10.0.2.1", Driver="overlay", Scope="swarm")
LAN = network("lan", "192.0.2.0/24", "192.0.2.1", Driver="macvlan")
PORT = {"PrivatePort": 80, "PublicPort": 32768, "Type": "tcp", "IP": "0.0.0.0"}


def container(name: str, mode: str = "bridge", address: str = "172.17.0.2", *ports: dict[str, Any]) -> dict[str, Any]:
    networks = {mode: (f"id-{mode}", address if mode not in ("host", "none") else "")}
    return attached(name, networks, *ports) | {"HostConfig": {"NetworkMode": mode}}


def engine(*containers: dict[str, Any], networks: Any = (BRIDGE,), name: str = "a", **reach: Any) -> dict[str, Any]:
    known = None if networks is None else list(networks)
    return {"name": name, "networks": known, "containers": list(containers), "reach": reach}


def caddy(*networks: str, gateway: str = "") -> dict[str, Any]:
    endpoints: dict[str, Any] = {name: {"NetworkID": f"id-{name}", "Gateway": gateway} for name in networks}
    return {"Id": CADDY, "Names": ["/caddy"], "State": "running", "NetworkSettings": {"Networks": endpoints or None}}


def found(*engines: dict[str, Any], names: tuple[str, ...] = ()) -> dict[str, Resource]:
    inventory = from_snapshot({"version": 1, "engines": list(engines)}, EngineOptions(ingress_networks=names))
    return {each.name: each for one in inventory.engines for each in one.resources}


HERE: dict[str, Any] = {"addresses": [GATEWAY]}
OTHERS: dict[str, Any] = {"in_container": True, "addresses": ["172.17.0.5"]}


def test_on_the_host_an_engine_whose_networks_it_has_no_address_on_is_in_a_virtual_machine() -> None:
    apps = container("app", "bridge", "172.17.0.2", PORT), container("hidden"), container("hosts", "host")
    assert {name: each.targets for name, each in found(engine(*apps, **HERE)).items()} == {
        "app": ("172.17.0.2",),
        "hidden": ("172.17.0.2",),
        "hosts": ("127.0.0.1",),
    }
    made = found(engine(*apps, addresses=["10.0.0.4"]))
    assert (made["app"].targets, made["app"].published_at) == ((), "127.0.0.1")
    assert (
        "it is on bridge, this machine has no address on it: its engine is rootless or in a virtual machine: publish a port"
        in made["hidden"].unreachable
    )
    assert made["hosts"].targets == () and "which is not that of this machine" in made["hosts"].unreachable


def test_podman_makes_an_interface_with_its_first_container() -> None:
    hosts = container("hosts", "host")
    assert found(engine(hosts, networks=[PODMANS], addresses=["10.0.0.4"]))["hosts"].targets == ("127.0.0.1",)
    app = container("app", "podman", "10.88.0.2")
    assert found(engine(app, networks=[PODMANS], addresses=["10.88.0.1"]))["app"].targets == ("10.88.0.2",)


def test_in_a_container_whose_own_engine_is_unheard_another_ones_addresses_do_not_count() -> None:
    apps = container("app", "bridge", "172.17.0.2", PORT), container("hosts", "host")
    made = found({"name": "own", "reach": OTHERS}, engine(*apps, name="b", **OTHERS))
    assert [(each.targets, each.published_at) for each in made.values()] == [((), "")] * 2
    assert "caddy's container is not on its engine: publish a port, or set" in made["app"].unreachable
    assert "caddy is not on its engine: set the address of that host" in made["hosts"].unreachable
    # nor do they where the networks cannot be listed
    made = found(engine(*apps, networks=None, **OTHERS))
    assert [(each.targets, each.published_at) for each in made.values()] == [((), "")] * 2


def test_in_a_container_with_the_network_of_the_engines_host_they_do() -> None:
    made = found(engine(container("app"), container("hosts", "host"), in_container=True, **HERE))
    assert [each.targets for each in made.values()] == [("172.17.0.2",), ("127.0.0.1",)]


def test_where_a_network_names_no_gateway_its_first_address_is_one() -> None:
    unnamed = network("bridge", "172.17.0.0/16")
    here = found(engine(container("app"), networks=[unnamed], in_container=True, **HERE))
    assert here["app"].targets == ("172.17.0.2",)
    assert found(engine(container("app"), networks=[unnamed], **OTHERS))["app"].targets == ()
    # nothing is known of where it is
    silent = {**unnamed, "IPAM": None}
    assert found(engine(container("app"), networks=[silent], **OTHERS))["app"].targets == ("172.17.0.2",)


def test_of_two_engines_with_one_network_each_only_the_first_ones_counts() -> None:
    first, second = (
        engine(container(f"on-{name}", "podman", "10.88.0.2"), networks=[PODMANS], name=name, addresses=["10.88.0.1"])
        for name in "ab"
    )
    assert {name: each.targets for name, each in found(first, second).items()} == {"on-a": ("10.88.0.2",), "on-b": ()}


def test_networks_that_are_not_here_take_no_addresses_from_those_that_are() -> None:
    machine = network("bridge", "192.168.64.0/18", "192.168.64.1")
    ours = network("web", "192.168.65.0/24", "192.168.65.1")
    addresses = ["192.168.65.1"]
    first = engine(networks=[machine | {"Name": "far"}, PODMANS], addresses=addresses)
    second = engine(container("app", "web", "192.168.65.2"), networks=[ours], name="b", addresses=addresses)
    first["networks"][0]["IPAM"]["Config"][0]["Subnet"] = "172.30.0.0/16"
    assert found(first, second)["app"].targets == ("192.168.65.2",)


@pytest.mark.parametrize(
    ("networks", "expected"),
    [(("lan",), ""), (("wide",), ""), (("bridge",), GATEWAY), (("lan", "bridge"), GATEWAY), ((), "")],
    ids=["macvlan", "overlay", "bridge", "both", "none"],
)
def test_another_engine_is_at_the_gateway_of_a_bridge_that_caddy_is_on(networks: Any, expected: str) -> None:
    own = engine(caddy(*networks), networks=[BRIDGE, LAN, WIDE], **OTHERS) | {"self": CADDY}
    other = engine(container("app", "podman", "10.88.0.2", PORT), networks=[PODMANS], name="b", **OTHERS)
    made = found(own, other)["app"]
    assert (made.targets, made.published_at) == ((), expected)


def test_without_a_list_of_networks_caddy_reaches_the_host_at_its_own_gateway() -> None:
    hosts = container("hosts", "host")
    own = engine(caddy("bridge", gateway=GATEWAY), hosts, networks=None) | {"self": CADDY}
    assert found(own)["hosts"].targets == (GATEWAY,)


REMOTE: dict[str, Any] = {"local": False, "host": "nas"}


class TestRemote:
    def test_a_network_of_the_options_name_is_another_one(self) -> None:
        app = container("app", "bridge", "172.17.0.2", PORT)
        made = found(engine(app, **REMOTE), names=("bridge",))["app"]
        assert (made.targets, made.published_at) == ((), "nas")

    def test_but_for_one_of_a_swarm(self) -> None:
        apps = container("in", "wide", "10.0.1.5"), container("out", "narrow", "10.0.2.5")
        made = found(engine(*apps, networks=[WIDE, NARROW], **REMOTE), names=("wide",))
        assert {name: each.targets for name, each in made.items()} == {"in": ("10.0.1.5",), "out": ()}

    def test_the_engine_of_caddys_container_is_not_remote_behind_a_proxy(self) -> None:
        app = container("app")
        own = engine(caddy("bridge"), app, **REMOTE, **OTHERS) | {"self": CADDY}
        assert found(own)["app"].targets == ("172.17.0.2",)
        assert found(own, names=("bridge",))["app"].targets == ("172.17.0.2",)

    @pytest.mark.parametrize(("is_proxied", "host"), [(False, "nas"), (True, "")])
    def test_a_manager_reaches_caddy_on_the_swarms_networks_that_it_has_an_address_on(
        self, is_proxied: bool, host: str
    ) -> None:
        here = {"in_container": True, "addresses": ["10.0.1.9"], "proxied": is_proxied}
        apps = container("in", "wide", "10.0.1.5"), container("out", "narrow", "10.0.2.5", PORT)
        made = found(engine(*apps, networks=[WIDE, NARROW], **REMOTE, **here))
        assert made["in"].targets == ("10.0.1.5",)
        # the host of a socket proxy's URL is its container
        assert (made["out"].targets, made["out"].published_at) == ((), host)

    def test_an_engine_in_a_container_beside_has_its_ports_there(self) -> None:
        app = container("app", "bridge", "172.17.0.2", PORT)
        made = found(engine(app, local=False, host="docker", proxied=True, **OTHERS))["app"]
        assert (made.targets, made.published_at) == ((), "docker")


@pytest.mark.parametrize(("has_own_host", "expected"), [(True, ()), (False, ("127.0.0.1",))], ids=["docker", "podman"])
def test_the_hosts_network_of_a_rootless_engine(has_own_host: bool, expected: tuple[str, ...]) -> None:
    hosts = container("hosts", "host")
    made = found(engine(hosts, rootless=True, own_host=has_own_host, **HERE))["hosts"]
    assert made.targets == expected
    assert bool(expected) or "publish its port" in made.unreachable


def test_a_container_on_no_network_is_not_told_of_another_engines_addresses() -> None:
    first, second = (engine(container(f"on-{name}", "none"), networks=[BRIDGE, NONE], name=name) for name in "ab")
    for each in found(first, second).values():
        assert each.unreachable.startswith("it has network mode none")


def test_what_an_engine_may_leave_out_is_no_error() -> None:
    app = container("app") | {"NetworkSettings": {"Networks": {"bridge": None}}}
    own = engine(caddy(), app, networks=[NONE, network("odd")]) | {"self": CADDY}
    assert found(own)["app"].targets == ()
    beside = engine(caddy("bridge"), networks=[BRIDGE]) | {"self": CADDY}
    beside["containers"][0]["NetworkSettings"]["Networks"]["bridge"] = None
    assert found(beside) == {}


@pytest.mark.parametrize(
    ("node", "mode", "host_port", "published"),
    [
        ("mine", "ingress", 8080, {80: 8080}),
        ("other", "ingress", 8080, {80: 8080}),
        ("mine", "host", 8080, {80: 8080}),
        ("mine", "host", 0, {80: 8080}),
        ("other", "host", 8080, {}),
    ],
)
def test_a_port_of_the_mode_host_is_published_on_the_nodes_of_its_tasks(
    node: str, mode: str, host_port: int, published: dict[int, int]
) -> None:
    port = {"Protocol": "tcp", "TargetPort": 80, "PublishMode": mode}
    status = {"Ports": [port | {"PublishedPort": 8080}]} if mode == "host" else None
    task = {
        "ServiceID": "s",
        "NodeID": node,
        "DesiredState": "running",
        "Status": {"State": "running", "PortStatus": status},
    }
    labels = {"caddy": "app.test", "caddy.reverse_proxy": "{{upstreams 80}}"}
    service = {
        "ID": "s",
        "Spec": {"Name": "app", "Labels": labels},
        "Endpoint": {"Ports": [port | {"PublishedPort": host_port}]},
    }
    swarm = {"services": [service], "tasks": [task], "info": {"Swarm": {"NodeID": "mine"}}}
    made = found(engine(**REMOTE) | swarm)["app"]
    assert dict(made.published) == published
    del swarm["info"]
    assert bool(found(engine(**REMOTE) | swarm)["app"].published) == (mode == "ingress")


def test_an_address_that_comes_later_counts_from_then_on() -> None:
    here: set[str] = {"10.0.0.4"}
    near = Neighbours(addresses=lambda: frozenset(here))
    near.join("podman", Reach())
    builder = InventoryBuilder("podman", EngineOptions(), near)
    builder.set_networks([PODMANS])
    app = container("app", "podman", "10.88.0.2")
    builder.containers.replace_all([app])
    builder.containers.mark_unreadable(app["Id"])
    assert [each.targets for each in builder.inventory(0.0).resources] == [()]
    here.add("10.88.0.1")
    assert [each.targets for each in builder.inventory(0.0).resources] == [("10.88.0.2",)]


def test_a_live_engine_and_its_snapshot_say_the_same() -> None:
    place = Place(in_container=True, addresses=frozenset(("10.9.9.9", GATEWAY)))
    reach = Reach("auto", "nas", is_local=False, is_proxied=True)
    said = written(reach, place, 0, [BRIDGE])
    # other addresses of the machine are nobody's business
    assert said["addresses"] == [GATEWAY] and said["in_container"] is True
    assert (said["host"], said["local"], said["proxied"]) == ("nas", False, True)

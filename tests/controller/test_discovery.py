"""Which servers there are, by the labels of containers and services, and where their admin endpoints are."""

from typing import Any

import pytest
from dockcaddy.compile.lint import in_labels
from dockcaddy.controller.discovery import Target, endpoints_of, targets_of
from dockcaddy.engine.builder import InventoryBuilder
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.servers import server_of_container, servers_of_service
from dockcaddy.engine.services import SwarmResponses
from dockcaddy.model import ControlledServer, EngineInventory, Inventory


def inventory(*servers: ControlledServer) -> Inventory:
    return Inventory((EngineInventory("local", servers=servers),))


def edge(*addresses: str, value: str = "") -> ControlledServer:
    return ControlledServer("container edge", addresses, value)


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("", "http://10.0.0.5:2019"),
        ("true", "http://10.0.0.5:2019"),
        ("false", "http://10.0.0.5:2019"),
        ("2020", "http://10.0.0.5:2020"),
        (":2020", "http://10.0.0.5:2020"),
        ("99999", "http://10.0.0.5:2019"),
        ("https://:2021", "https://10.0.0.5:2021"),
        ("https://10.0.0.5:2021/", "https://10.0.0.5:2021"),
    ],
)
def test_the_value_of_the_label_may_name_the_port(value: str, url: str) -> None:
    assert targets_of(inventory(edge("10.0.0.5", value=value))) == ((Target(url),), ())


def test_a_label_cannot_have_the_configuration_sent_elsewhere() -> None:
    targets, problems = targets_of(inventory(edge("10.0.0.5", value="http://evil.example:80")))
    assert not targets and "names another host" in str(problems[0])


def test_one_address_in_the_controller_network_counts() -> None:
    found = inventory(
        edge("172.18.0.3", "10.200.0.7", "10.200.0.8"), ControlledServer("container far", ("172.18.0.4",))
    )
    targets, problems = targets_of(found, "10.200.0.0/24", ["http://outside:2019"])
    assert targets == (Target("http://10.200.0.7:2019"), Target("http://outside:2019"))
    assert [str(each) for each in problems] == [
        "container far: it is not configured as a server: no address in the controller network 10.200.0.0/24 "
        "(172.18.0.4), connect it to that network"
    ]


def test_a_server_that_is_told_of_twice_counts_once_and_ipv6_has_brackets() -> None:
    twice = inventory(edge("fd00::5"), ControlledServer("service edge, task 1", ("fd00::5",)))
    assert targets_of(twice)[0] == (Target("http://[fd00::5]:2019"),)


def test_labels_are_kept_from_the_ports_of_servers() -> None:
    assert endpoints_of(inventory(edge("10.0.0.5", value="2020"), edge("10.0.0.6")), 2019) == {("10.0.0.5", 2020)}


def network(name: str, address: str, **more: object) -> dict[str, Any]:
    return {"Network": {"ID": name, "Spec": {"Name": name, **more}}, "Addresses": [f"{address}/24"]}


def test_containers_and_the_tasks_of_services_are_found() -> None:
    builder = InventoryBuilder("local", EngineOptions("web"))
    own = {"NetworkSettings": {"Networks": {"control": {"NetworkID": "control"}}}, "Id": "own", "Names": ["/own"]}
    builder.set_own(own)
    networks = {"a": {"IPAddress": "172.18.0.9"}, "control": {"IPAddress": "10.9.0.4"}}
    container = {
        "Id": "c1",
        "Names": ["/edge-1"],
        "State": "running",
        "Labels": {"web_controlled_server": "2020"},
        "NetworkSettings": {"Networks": networks},
    }
    stopped = {**container, "Id": "c2", "State": "exited"}
    builder.containers.replace_all([container, stopped])
    service = {"ID": "s1", "Spec": {"Name": "edge", "Labels": {"web_controlled_server": ""}}}
    task = {
        "ServiceID": "s1",
        "Slot": 3,
        "DesiredState": "running",
        "Status": {"State": "running"},
        "NetworksAttachments": [network("ingress", "10.0.0.3", Ingress=True), network("control", "10.9.0.7")],
    }
    ending = {**task, "Slot": 4, "DesiredState": "shutdown"}
    builder.services.replace_all(SwarmResponses([service], [task, ending]))
    assert builder.inventory(0.0).servers == (
        ControlledServer("container edge-1", ("10.9.0.4", "172.18.0.9"), "2020"),
        ControlledServer("service edge, task 3", ("10.9.0.7",)),
    )


def test_the_label_is_no_mistake() -> None:
    assert not list(in_labels({"caddy_controlled_server": ""}, "caddy", {}))


def test_the_same_address_on_two_engines_is_one_server_and_reported() -> None:
    two = [EngineInventory(name, servers=(edge("172.18.0.3"),)) for name in ("local", "far")]
    targets, problems = targets_of(Inventory(tuple(two)))
    assert targets == (Target("http://172.18.0.3:2019"),)
    assert [str(each) for each in problems] == [
        "container edge: engine far: it is not configured as a server: a server of engine local has the address "
        "http://172.18.0.3:2019 too, give the engines different networks, or name this server with --caddy-admin"
    ]


def test_addresses_that_are_another_engines_do_not_count() -> None:
    networks = {"a": {"NetworkID": "far", "IPAddress": "172.18.0.9"}, "b": {"NetworkID": "b", "IPAddress": "10.9.0.4"}}
    container = {"Id": "c1", "Names": ["/edge-1"], "NetworkSettings": {"Networks": networks}}
    found = server_of_container(container, "caddy", (), lambda network: network != "far")
    assert found.addresses == ("10.9.0.4",)


def test_labels_are_kept_from_the_names_of_servers() -> None:
    networks = {"control": {"NetworkID": "c", "IPAddress": "10.9.0.4", "Aliases": ["Edge"]}}
    container = {"Id": "c1", "Names": ["/edge-1"], "Labels": {"caddy_controlled_server": "2020"}}
    server = server_of_container({**container, "NetworkSettings": {"Networks": networks}}, "caddy", ())
    service = {
        "Spec": {"Name": "stack_edges", "Labels": {"caddy_controlled_server": "2020"}},
        "Endpoint": {"VirtualIPs": [{"NetworkID": "n", "Addr": "10.9.0.2/24"}]},
    }
    task = {"Slot": 1, "Status": {"State": "running"}, "DesiredState": "running"}
    hosts = {
        host for host, _ in endpoints_of(inventory(server, *servers_of_service(service, [task], "caddy", ())), 2019)
    }
    assert {"edge-1", "edge", "edge-1.control", "10.9.0.4", "stack_edges", "tasks.stack_edges", "10.9.0.2"} <= hosts

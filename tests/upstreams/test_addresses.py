"""Which address of a container or task is used: one, by a fixed rule, or with a setting all; IPv6 in brackets."""

from collections.abc import Mapping
from typing import Any

import pytest
from dockcaddy import plugins
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.snapshot import from_snapshot
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.run.engines import options_for
from dockcaddy.settings.table import Settings

UPSTREAMS = "{{upstreams 80}}"
NETWORKS = [{"Name": name, "Id": f"id-{name}", "Driver": "bridge"} for name in ("back", "bridge", "front")]
WIDE = [{"Name": name, "Id": f"id-{name}", "Driver": "overlay", "Scope": "swarm"} for name in ("east", "west")]


def on(name: str, ipv4: str = "", ipv6: str = "", **more: str) -> dict[str, Any]:
    return {name: {"NetworkID": f"id-{name}", "IPAddress": ipv4, "GlobalIPv6Address": ipv6, **more}}


def written(
    networks: Mapping[str, Any], value: str = UPSTREAMS, options: EngineOptions | None = None, **labels: str
) -> str:
    """The arguments of the proxy of a container on these networks, which has an engine of its own."""
    item = {
        "Id": "a" * 64,
        "Names": ["/app"],
        "Labels": {"caddy": "app.test", "caddy.reverse_proxy": value, **labels},
        "State": "running",
        "NetworkSettings": {"Networks": networks},
    }
    document = {"version": 1, "engines": [{"containers": [item], "networks": NETWORKS}]}
    return proxied(document, options)


def proxied(document: dict[str, Any], options: EngineOptions | None = None) -> str:
    made = Pipeline(plugins.load()).build(from_snapshot(document, options or EngineOptions()))
    assert made.problems == ()
    return " ".join(made.text.splitlines()[1].split()[1:])


BOTH = on("front", "172.20.0.2") | on("back", "172.21.0.2")
ALL = options_for(Settings(upstream_addresses="all"))


class TestSeveralNetworks:
    @pytest.mark.parametrize("networks", [BOTH, dict(reversed(BOTH.items()))])
    def test_the_first_by_name_is_used_whatever_the_engines_order(self, networks: dict[str, Any]) -> None:
        assert written(networks) == "172.21.0.2:80"

    def test_the_default_network_comes_last(self) -> None:
        assert written(on("bridge", "172.17.0.2") | on("front", "172.20.0.2")) == "172.20.0.2:80"

    def test_the_option_gives_the_order(self) -> None:
        assert written(BOTH, options=EngineOptions(ingress_networks=("front", "back"))) == "172.20.0.2:80"

    def test_a_label_chooses(self) -> None:
        assert written(BOTH, caddy_ingress_network="front") == "172.20.0.2:80"
        assert written(BOTH, options=ALL, caddy_ingress_network="front") == "172.20.0.2:80"

    def test_the_setting_gives_all_as_caddy_docker_proxy_does(self) -> None:
        assert written(BOTH, options=ALL) == "172.20.0.2:80 172.21.0.2:80"

    def test_a_network_without_an_address_does_not_count(self) -> None:
        assert written(on("back") | on("front", "172.20.0.2"), options=ALL) == "172.20.0.2:80"

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (EngineOptions(ingress_networks=("west", "east")), "10.2.0.5:80 10.2.0.6:80"),
            (EngineOptions(), "10.1.0.5:80 10.1.0.6:80"),
            (EngineOptions(all_addresses=True), "10.1.0.5:80 10.1.0.6:80 10.2.0.5:80 10.2.0.6:80"),
        ],
    )
    def test_the_same_goes_for_tasks(self, options: EngineOptions, expected: str) -> None:
        assert proxied({"version": 1, "engines": [swarm("10.1.0.{}/24", "10.2.0.{}/24")]}, options) == expected


def swarm(east: str, west: str) -> dict[str, Any]:
    def attachment(name: str, address: str) -> dict[str, Any]:
        return {"Network": {"ID": f"id-{name}", "Spec": {"Name": name}}, "Addresses": [address]}

    tasks = [
        {
            "ServiceID": "s",
            "DesiredState": "running",
            "Status": {"State": "running"},
            "NetworksAttachments": [attachment("east", east.format(n)), attachment("west", west.format(n))],
        }
        for n in (5, 6)
    ]
    labels = {"caddy": "app.test", "caddy.reverse_proxy": UPSTREAMS}
    service = {"ID": "s", "Spec": {"Name": "app", "Labels": labels}}
    return {"services": [service], "tasks": tasks, "networks": WIDE, "containers": []}


class TestIPv6:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (UPSTREAMS, "[fd00::2]:80"),
            ("{{upstreams https 8443}}", "https://[fd00::2]:8443"),
            ("{{upstreams}}", "[fd00::2]"),
            ("{{upstreams}}:8080", "[fd00::2]:8080"),
            ("[{{primaryIP}}]:80", "[fd00::2]:80"),
            ("[{{networkIP `front`}}]:80", "[fd00::2]:80"),
        ],
    )
    def test_a_network_without_ipv4(self, value: str, expected: str) -> None:
        assert written(on("front", ipv6="fd00::2"), value) == expected

    def test_of_two_addresses_of_a_network_ipv4_is_used(self) -> None:
        assert written(on("front", "172.20.0.2", "fd00::2")) == "172.20.0.2:80"
        assert written(on("front", "172.20.0.2", "fd00::2"), options=ALL) == "172.20.0.2:80"

    def test_a_link_local_address_is_none_that_caddy_reaches(self) -> None:
        only = on("back", "172.21.0.2") | on("front", LinkLocalIPv6Address="fe80::2")
        assert written(only, options=ALL) == "172.21.0.2:80"

    def test_tasks(self) -> None:
        document = {"version": 1, "engines": [swarm("fd00:1::{}/64", "10.2.0.{}/24")]}
        assert proxied(document) == "[fd00:1::5]:80 [fd00:1::6]:80"

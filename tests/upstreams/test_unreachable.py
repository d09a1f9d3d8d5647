"""A container that Caddy cannot reach: each cause has its own words, and they say what to change."""

from collections.abc import Mapping
from typing import Any

import pytest
from dockcaddy import plugins
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.snapshot import from_snapshot
from dockcaddy.model import Problem
from dockcaddy.reconcile.pipeline import Pipeline

LABELS = {"caddy": "app.test", "caddy.reverse_proxy": "{{upstreams 8000}}"}
NETWORKS = [
    {"Name": name, "Id": f"id-{name}", "Driver": driver}
    for name, driver in (("shop_front", "bridge"), ("back", "bridge"), ("wide", "overlay"), ("host", "host"))
]
OTHER = "4f1c2d9e" * 8


def endpoints(*names: str, address: str = "172.20.0.5") -> dict[str, Any]:
    return {name: {"NetworkID": f"id-{name}", "IPAddress": address} for name in names}


def item(mode: str = "", networks: Mapping[str, Any] | None = None, **labels: str) -> dict[str, Any]:
    """A running container, as the engine lists it."""
    attached = endpoints("back") if networks is None else networks
    return {
        "Id": "a" * 64,
        "Names": ["/app"],
        "Labels": LABELS | labels,
        "State": "running",
        "HostConfig": {"NetworkMode": mode or next(iter(attached), "default")},
        "NetworkSettings": {"Networks": attached},
    }


def caddy(*networks: str) -> dict[str, Any]:
    return item(networks=endpoints(*networks)) | {"Id": "c" * 64, "Names": ["/caddy"], "Labels": {}}


def told(container: dict[str, Any], own: dict[str, Any] | None = None, option: tuple[str, ...] = ()) -> list[Problem]:
    """What is said of a snapshot with this container, and with the one that Caddy runs in, where there is one."""
    containers = [container, *([own] if own else [])]
    engine = {"containers": containers, "networks": NETWORKS, "self": own["Id"] if own else None}
    inventory = from_snapshot({"version": 1, "engines": [engine]}, EngineOptions(ingress_networks=option))
    return list(Pipeline(plugins.load()).build(inventory).problems)


IN_FRONT = caddy("shop_front")
CAUSES = {
    "host": (item("host", endpoints("host", address="")), IN_FRONT, (),
        "it uses the host's network, Caddy is on shop_front (bridge), over which it does not reach the host: connect Caddy"),
    "host-with-the-option": (item("host", endpoints("host", address="")), None, ("back",),
        "it uses the host's network, --ingress-networks allows back, and the container that Caddy runs in is not found"),
    "of-another-container": (item(f"container:{OTHER}", {}), IN_FRONT, (),
        "it uses the network of container 4f1c2d9e4f1c (network_mode), which does not exist any more: recreate app"),
    "none": (item("none", endpoints("none", address="")), IN_FRONT, (),
        "it has network mode none: leave that out (network_mode: none, --network none)"),
    "rootless-podman": (item("slirp4netns", {}), None, (),
        "it has none on any network (network mode slirp4netns): connect it to a network that gives one"),
    "label-misspelt": (item(caddy_ingress_network="bakc"), IN_FRONT, (),
        "it is on back, label caddy_ingress_network names bakc: did you mean back"),
    "label-unknown": (item(caddy_ingress_network="elsewhere"), IN_FRONT, (),
        "it is on back, label caddy_ingress_network names elsewhere, which no network of this engine is called: name one"),
    "label-short": (item(networks=endpoints("shop_front"), caddy_ingress_network="front"), IN_FRONT, (),
        "label caddy_ingress_network names front, which Compose calls shop_front: write caddy_ingress_network: shop_front"),
    "label-of-a-network-it-is-not-on": (item(caddy_ingress_network="shop_front"), IN_FRONT, (),
        "it is on back, label caddy_ingress_network names shop_front: connect it to that network, or correct the label"),
    "option-unknown": (item(), None, ("nope",),
        "it is on back, --ingress-networks: no network is named nope, there are back, shop_front, wide: correct the name"),
    "option-short": (item(networks=endpoints("shop_front")), None, ("front",),
        "--ingress-networks: no network is named front, did you mean \"shop_front\""),
    "option-another": (item(), None, ("shop_front", "wide"),
        "it is on back, --ingress-networks allows shop_front, wide: connect it to one of these, or add back to --ingress-networks"),
    "another-network": (item(), IN_FRONT, (),
        "it is on back, Caddy is on shop_front: connect one of them to a network of the other's"),
    "overlay-from-a-host": (item(networks=endpoints("wide")), None, (),
        "it is on wide (overlay), which the host does not reach: connect it to a bridge network, publish its port"),
}  # fmt: skip


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_has_its_own_words(cause: str) -> None:
    container, own, option, words = CAUSES[cause]
    (problem,) = [each for each in told(container, own, option) if each.resource == "container app"]
    assert (problem.severity, problem.label) == ("warning", "caddy.reverse_proxy")
    assert problem.message.startswith("it has no address that caddy reaches: ")
    assert words in problem.message and problem.message.isprintable() and len(problem.message) < 500


@pytest.mark.parametrize(
    ("container", "own", "option"),
    [
        (item(), caddy("back"), ()),
        (item(), None, ()),
        (item(), None, ("back",)),
        (item("host", endpoints("host", address="")), None, ()),
        (item(caddy_ingress_network="back"), caddy("back"), ()),
        (item(caddy_ingress_network="back"), None, ()),
    ],
    ids=["caddy-beside", "host", "option", "host-network", "label", "label-on-a-host"],
)
def test_who_is_reached_is_not_spoken_of(container: dict[str, Any], own: dict[str, Any] | None, option: Any) -> None:
    assert told(container, own, option) == []


def test_a_label_that_names_a_network_without_caddy_is_a_warning() -> None:
    (problem,) = told(item(caddy_ingress_network="back"), IN_FRONT)
    assert (problem.resource, problem.label, problem.severity) == ("container app", "caddy_ingress_network", "warning")
    assert problem.message.startswith("caddy is not on back, it is on shop_front: connect caddy to it ")


def test_a_stopped_one_is_not_spoken_of() -> None:
    assert told(item("none", {}) | {"State": "paused"}, IN_FRONT) == []


def test_an_unknown_network_of_the_option_is_told_once_though_all_are_reached() -> None:
    assert [str(each) for each in told(item(), None, ("back", "nope", "front"))] == [
        "engine local: --ingress-networks: no network is named nope, there are back, shop_front, wide: "
        "correct the name, or leave the option out",
        'engine local: --ingress-networks: no network is named front, did you mean "shop_front": '
        "correct the name, or leave the option out",
    ]


def test_the_order_of_the_engine_changes_no_message() -> None:
    def said(networks: list[dict[str, Any]]) -> list[str]:
        document = {"version": 1, "engines": [{"containers": [item()], "networks": networks}]}
        inventory = from_snapshot(document, EngineOptions(ingress_networks=("nope", "back")))
        return [str(each) for each in Pipeline(plugins.load()).build(inventory).problems]

    assert said(NETWORKS) == said(NETWORKS[::-1]) != []


def test_of_an_engine_whose_networks_are_unknown_no_name_is_called_wrong() -> None:
    document = {"version": 1, "engines": [{"containers": [item()]}]}
    inventory = from_snapshot(document, EngineOptions(ingress_networks=("back", "nope")))
    assert Pipeline(plugins.load()).build(inventory).problems == ()


def test_the_words_of_a_label_stay_one_line() -> None:
    (problem,) = told(item(caddy_ingress_network="a\nerror: container b: \x1b[31m" + "x" * 900), IN_FRONT)
    assert problem.message.isprintable() and len(problem.message) <= 500


def test_a_service_whose_tasks_are_elsewhere_is_told() -> None:
    attachment = {"Network": {"ID": "id-back", "Spec": {"Name": "back"}}, "Addresses": ["10.0.0.5/24"]}
    task = {
        "ServiceID": "s",
        "DesiredState": "running",
        "Status": {"State": "running"},
        "NetworksAttachments": [attachment],
    }
    service = {"ID": "s", "Spec": {"Name": "app", "Labels": LABELS}}
    engine = {"services": [service], "tasks": [task], "networks": NETWORKS, "containers": []}
    inventory = from_snapshot({"version": 1, "engines": [engine]}, EngineOptions(ingress_networks=("wide",)))
    (problem,) = Pipeline(plugins.load()).build(inventory).problems
    assert "it is on back, --ingress-networks allows wide: connect it to one of these" in problem.message


def test_network_ip_names_what_there_is() -> None:
    asked = item() | {"Labels": LABELS | {"caddy.reverse_proxy": "{{networkIP `bakc`}}:8000"}}
    (problem,) = told(asked, caddy("back"))
    assert problem.message == 'networkIP: it is not on a network "bakc", it is on back: name one of these'


def test_all_labels_of_a_container_are_warned_of_once() -> None:
    several = {
        f"caddy_{n}{key}": value
        for n in range(3)
        for key, value in (("", f"{n}.test"), (".reverse_proxy", "{{upstreams 8000}}"))
    }
    container = item() | {"Labels": several | {"caddy_0.handle.reverse_proxy": "/a* {{upstreams 80}} {{upstreams 81}}"}}
    (problem,) = [each for each in told(container, IN_FRONT) if each.resource == "container app"]
    assert problem.message.startswith("it has no address that caddy reaches: it is on back, Caddy is on shop_front")

"""A container that uses another one's network (a VPN side-car), or the host's: it is reached where that one is."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import pytest
from dockcaddy import plugins
from dockcaddy.engine.reach.ingress import ingress_networks
from dockcaddy.engine.reach.neighbours import Rule
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.snapshot import from_snapshot
from dockcaddy.engine.store import ContainerStore
from dockcaddy.engine.watch.events import Event
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Resource
from dockcaddy.reconcile.pipeline import Pipeline
from judging import Court

LABELS = {"caddy": "app.test", "caddy.reverse_proxy": "{{upstreams 8000}}"}
EARLY, LATE, LATER = (f"2026-01-01T0{hour}:00:00.5Z" for hour in (1, 2, 3))
VPN, APP, OTHER, CADDY = ("1" * 64, "a" * 64, "b" * 64, "c" * 64)
ON_FRONT = {"front": {"NetworkID": "id-front", "IPAddress": "172.20.0.5"}}
ON_BACK = {"back": {"NetworkID": "id-back", "IPAddress": "172.21.0.5"}}
NETWORKS = [
    {"Name": "front", "Id": "id-front", "Driver": "bridge", "IPAM": {"Config": [{"Gateway": "172.20.0.1"}]}},
    {"Name": "back", "Id": "id-back", "Driver": "bridge", "IPAM": {"Config": [{"Gateway": "172.21.0.1"}]}},
    {"Name": "lan", "Id": "id-lan", "Driver": "macvlan", "IPAM": {"Config": [{"Gateway": "192.0.2.1"}]}},
    {"Name": "wide", "Id": "id-wide", "Driver": "overlay", "IPAM": {"Config": [{"Gateway": "10.0.9.1"}]}},
    {"Name": "host", "Id": "id-host", "Driver": "host", "IPAM": {"Config": []}},
]  # fmt: skip


def item(
    id: str, name: str, mode: str = "front", networks: Mapping[str, Any] = {}, *, state: str = "running",
    started: str = EARLY, exposed: Iterable[str] = (), ports: Iterable[Mapping[str, Any]] = (), **labels: str,
) -> dict[str, Any]:  # fmt: skip
    """A container as the engine lists it, with its inspect response."""
    inspect = {
        "Config": {"ExposedPorts": {each: {} for each in exposed}},
        "State": {"StartedAt": started},
        "NetworkSettings": {"Networks": networks},
    }
    return {
        "Id": id,
        "Names": [f"/{name}"],
        "Labels": labels,
        "State": state,
        "Ports": list(ports),
        "HostConfig": {"NetworkMode": mode},
        "NetworkSettings": {"Networks": networks},
        "Inspect": inspect,
    }


def app(mode: str = f"container:{VPN}", **more: Any) -> dict[str, Any]:
    return item(APP, "app", mode, **{"started": LATE, **LABELS, **more})


def vpn(**more: Any) -> dict[str, Any]:
    return item(VPN, "vpn", **{"networks": ON_FRONT, **more})


def caddy(*networks: str, mode: str = "") -> dict[str, Any]:
    ends = {name: {"NetworkID": f"id-{name}", "IPAddress": "172.20.0.9"} for name in networks}
    return item(CADDY, "caddy", mode or (networks or ("none",))[0], ends)


def built(
    *containers: dict[str, Any],
    own: dict[str, Any] | None = None,
    option: tuple[str, ...] = (),
    networks: list[dict[str, Any]] = NETWORKS,
) -> Configuration:
    """The configuration of a snapshot with these, and with the container that Caddy runs in, where there is one."""
    return Pipeline(plugins.load()).build(inventory(*containers, own=own, option=option, networks=networks))


def inventory(
    *containers: dict[str, Any],
    own: dict[str, Any] | None = None,
    option: tuple[str, ...] = (),
    networks: list[dict[str, Any]] = NETWORKS,
) -> Inventory:
    every = [*containers, *([own] if own else [])]
    document = {"version": 1, "engines": [{"containers": every, "networks": networks, "self": own and own["Id"]}]}
    return from_snapshot(document, EngineOptions(ingress_networks=option))


def upstream(configuration: Configuration) -> str:
    (line,) = [line.split() for line in configuration.text.splitlines() if "reverse_proxy" in line]
    return " ".join(line[1:])


def why(configuration: Configuration) -> str:
    """The one warning about `app`, which then has no upstream."""
    (problem,) = [each for each in configuration.problems if each.resource == "container app"]
    assert (problem.severity, problem.label, upstream(configuration)) == ("warning", "caddy.reverse_proxy", "")
    assert problem.message.isprintable() and len(problem.message) < 500
    return problem.message.removeprefix("it has no address that caddy reaches: ")


class TestSidecar:
    @pytest.mark.parametrize("mode", [f"container:{VPN}", "container:vpn"], ids=["id", "name"])
    @pytest.mark.parametrize("order", [1, -1])
    def test_it_is_reached_at_the_address_of_the_other(self, mode: str, order: int) -> None:
        made = built(*[app(mode), vpn()][::order])
        assert upstream(made) == "172.20.0.5:8000" and made.problems == ()

    def test_each_of_several_is(self) -> None:
        second = item(
            OTHER,
            "second",
            f"container:{VPN}",
            started=LATE,
            caddy="b.test",
            **{"caddy.reverse_proxy": "{{upstreams 9000}}"},
        )
        text = built(app(), second, vpn()).text
        assert "reverse_proxy 172.20.0.5:8000" in text and "reverse_proxy 172.20.0.5:9000" in text

    def test_a_chain_is_followed_to_its_end(self) -> None:
        middle = item(OTHER, "middle", f"container:{VPN}", started=LATE)
        assert upstream(built(app(f"container:{OTHER}", started=LATER), middle, vpn())) == "172.20.0.5:8000"

    def test_a_circle_ends(self) -> None:
        assert "does not exist any more" in why(built(app(), vpn(mode=f"container:{APP}", networks={}, started=LATE)))

    def test_the_network_is_chosen_by_the_label_of_the_app_then_of_the_other(self) -> None:
        both = ON_BACK | ON_FRONT
        own = caddy("back", "front")
        assert upstream(built(app(), vpn(networks=both), own=own)) == "172.21.0.5:8000"
        assert upstream(built(app(), vpn(networks=both, caddy_ingress_network="front"), own=own)) == "172.20.0.5:8000"
        chosen = app(caddy_ingress_network="back")
        assert upstream(built(chosen, vpn(networks=both, caddy_ingress_network="front"), own=own)) == "172.21.0.5:8000"

    def test_on_the_network_of_the_host_through_the_other(self) -> None:
        made = vpn(mode="host", networks={"host": {"NetworkID": "id-host"}})
        assert upstream(built(app(), made)) == "127.0.0.1:8000"
        assert upstream(built(app(), made, own=caddy("front"))) == "172.20.0.1:8000"

    @pytest.mark.parametrize("state", ["exited", "created", "restarting", "dead"])
    def test_a_stopped_one_gives_no_address(self, state: str) -> None:
        stopped = vpn(state=state, networks={"front": {"NetworkID": "id-front", "IPAddress": ""}})
        assert why(built(app(), stopped)) == (
            "it uses the network of container vpn (network_mode), which does not run: start vpn, then restart app"
        )

    def test_one_that_was_made_anew_is_another_container(self) -> None:
        anew = item(OTHER, "vpn", networks=ON_FRONT)
        assert why(built(app(), anew)) == (
            "it uses the network of container 111111111111 (network_mode), which does not exist any more: recreate app "
            "(docker compose up --force-recreate, or docker run anew)"
        )

    def test_one_that_restarted_later_has_another_network(self) -> None:
        assert why(built(app(), vpn(started=LATER))) == (
            "it uses the network of container vpn (network_mode), which restarted after it, and so has no network any "
            "more: restart app (docker restart app)"
        )
        middle = item(OTHER, "middle", f"container:{VPN}", started=LATE)
        assert "restart middle" in why(built(app(f"container:{OTHER}", started=LATER), middle, vpn(started=LATER)))

    def test_a_paused_one_keeps_its_network(self) -> None:
        assert upstream(built(app(), vpn(state="paused"))) == "172.20.0.5:8000"

    def test_one_that_caddy_does_not_reach_is_named(self) -> None:
        assert why(built(app(), vpn(networks=ON_BACK), own=caddy("front"))) == (
            "it uses the network of container vpn (network_mode), and vpn is on back, Caddy is on front: connect one of "
            "them to a network of the other's (docker network connect front CONTAINER, or networks: in Compose)"
        )

    def test_one_that_has_labels_too_is_served_beside_it(self) -> None:
        text = built(app(), vpn(caddy="vpn.test", **{"caddy.respond": "hi"})).text
        assert "vpn.test {" in text and "reverse_proxy 172.20.0.5:8000" in text

    def test_caddy_itself_may_use_it(self) -> None:
        web = item(OTHER, "web", networks=ON_FRONT, caddy="web.test", **{"caddy.reverse_proxy": "{{upstreams 80}}"})
        far = item(APP, "far", networks=ON_BACK, caddy="far.test", **{"caddy.reverse_proxy": "{{upstreams 80}}"})
        text = built(web, far, vpn(), own=caddy(mode=f"container:{VPN}")).text
        assert "reverse_proxy 172.20.0.5:80\n" in text and "172.21.0.5" not in text

    def test_it_gives_no_right_to_ports_that_only_the_owner_of_an_address_has(self, court: Court) -> None:
        """What shares Caddy's network must not reach its admin API."""
        given = inventory(app(**{"caddy.reverse_proxy": "{{upstreams 2019}}"}), vpn())
        made = court.resolve(Pipeline(plugins.load()), given)
        assert [each.severity for each in made.problems] == ["error"] and made.owners == set()
        assert made.rule == "upstreams"


class TestHost:
    MADE: ClassVar = {"mode": "host", "networks": {"host": {"NetworkID": "id-host", "IPAddress": ""}}}

    @pytest.mark.parametrize(
        ("own", "option", "address"),
        [
            (None, (), "127.0.0.1"),
            (caddy(mode="host"), (), "127.0.0.1"),
            (caddy(mode="host"), ("front",), "127.0.0.1"),
            (caddy("front"), (), "172.20.0.1"),
            (caddy("lan", "front"), (), "172.20.0.1"),
            (caddy("back", "front"), ("front",), "172.21.0.1"),
        ],
    )  # fmt: skip
    def test_it_is_reached_at_the_gateway_or_where_caddy_is_on_the_host_at_localhost(
        self, own: dict[str, Any] | None, option: tuple[str, ...], address: str
    ) -> None:
        made = built(app(**self.MADE), own=own, option=option)
        assert upstream(made) == f"{address}:8000" and not [each for each in made.problems if "app" in each.resource]

    @pytest.mark.parametrize(
        ("endpoint", "subnets", "address"),
        [
            ({"Gateway": "172.20.0.254"}, [{"Gateway": "172.20.0.1"}], "172.20.0.254"),
            ({"Gateway": ""}, [{"Subnet": "172.20.0.0/16", "Gateway": "172.20.0.1/16"}], "172.20.0.1"),
            ({"IPv6Gateway": "fd00::1"}, [{"Gateway": "172.20.0.1"}], "172.20.0.1"),
            ({"IPv6Gateway": "fd00::1"}, [], "[fd00::1]"),
        ],
    )
    def test_which_gateway(self, endpoint: dict[str, str], subnets: list[dict[str, str]], address: str) -> None:
        own = caddy("front")
        own["NetworkSettings"]["Networks"]["front"] |= endpoint
        networks = [{"Name": "front", "Id": "id-front", "Driver": "bridge", "IPAM": {"Config": subnets}}]
        assert upstream(built(app(**self.MADE), own=own, networks=networks)) == f"{address}:8000"

    def test_on_an_overlay_the_nodes_own_bridge_is_the_way(self) -> None:
        gwbridge = {
            "Name": "docker_gwbridge",
            "Id": "gw",
            "Driver": "bridge",
            "IPAM": {"Config": [{"Gateway": "172.18.0.1"}]},
        }
        made = built(app(**self.MADE), own=caddy("wide"), networks=[*NETWORKS, gwbridge])
        assert upstream(made) == "172.18.0.1:8000"

    def test_a_router_is_not_the_host(self) -> None:
        assert why(built(app(**self.MADE), own=caddy("lan"))) == (
            "it uses the host's network, Caddy is on lan (macvlan), over which it does not reach the host: connect Caddy "
            "to a bridge network too (docker network create, docker network connect)"
        )

    def test_it_gives_no_right_to_the_ports_of_the_engine_and_of_caddy(self, court: Court) -> None:
        own = caddy("front")
        given = inventory(app(**self.MADE, **{"caddy.reverse_proxy": "{{upstreams 2019}}"}), own=own)
        made = court.resolve(Pipeline(plugins.load()), given)
        assert [each.severity for each in made.problems] == ["error"] and made.owners == set()
        assert made.rule == "upstreams"


class TestEvents:
    """What is followed live: the store hears of containers without labels whose network one with labels uses."""

    @staticmethod
    def store(*items: dict[str, Any]) -> ContainerStore:
        made = ContainerStore("local", EngineOptions())
        made.set_ingress(from_networks())
        made.replace_all(items)
        for each in items:
            made.put_inspect(each["Id"], each["Inspect"])
        return made

    @staticmethod
    def of_app(store: ContainerStore) -> Resource:
        (resource,) = store.resources(0.0)
        return resource

    def test_the_other_ends_and_its_address_is_given_to_nobody(self) -> None:
        store = self.store(app(), vpn())
        assert self.of_app(store).targets == ("172.20.0.5",)
        before = store.changes
        store.set_state(VPN, "exited")
        assert self.of_app(store).targets == () and store.changes > before

    def test_it_is_stopping_with_the_other(self) -> None:
        store = self.store(app(), vpn())
        store.set_stopping(VPN, 9.0)
        assert store.resources(1.0)[0].stopping
        assert not store.resources(10.0)[0].stopping

    def test_after_a_restart_of_the_other_it_needs_one_too(self) -> None:
        store = self.store(app(), vpn())
        store.set_state(VPN, "exited")
        store.set_started(VPN, 1.8e9)
        store.put(vpn(networks={"front": {"NetworkID": "id-front", "IPAddress": "172.20.0.77"}}))
        assert self.of_app(store).targets == () and "restart app" in self.of_app(store).unreachable
        store.set_started(APP, 1.8e9 + 1)
        assert self.of_app(store).targets == ("172.20.0.77",)

    def test_an_inspect_that_began_before_a_start_does_not_undo_it(self) -> None:
        store = self.store(app(), vpn())
        store.set_started(VPN, 1.8e9)
        store.set_started(APP, 1.8e9 + 1)
        store.put_inspect(APP, app()["Inspect"])
        assert self.of_app(store).targets == ("172.20.0.5",)

    def test_starts_that_no_event_tells_are_inspected(self) -> None:
        store = self.store(app(), vpn(), item(OTHER, "plain", networks=ON_BACK, caddy="b.test"))
        assert store.uninspected() == []
        store.ask_for_starts()
        assert set(store.uninspected()) == {APP, VPN}
        store.put_inspect(VPN, vpn(started=LATER)["Inspect"])
        assert "restart app" in store.resource(APP, 0.0).unreachable
        store.put_inspect(APP, app(started="2026-01-01T04:00:00Z")["Inspect"])
        assert store.resource(APP, 0.0).unreachable == "" and store.uninspected() == []

    def test_an_event_without_a_time_leads_to_an_inspect(self) -> None:
        store = self.store(app(), vpn())
        store.set_started(VPN, 0.0)
        assert store.uninspected() == [VPN] and self.of_app(store).targets == ("172.20.0.5",)

    def test_a_list_of_what_runs_leaves_out_a_stopped_one_whose_name_is_still_known(self) -> None:
        store = self.store(app(), vpn())
        store.replace_all([app()])
        assert "container vpn (network_mode), which does not run" in self.of_app(store).unreachable
        store.drop(VPN)
        assert "does not exist any more" in self.of_app(store).unreachable

    def test_what_nobody_uses_any_more_is_forgotten(self) -> None:
        store = self.store(app(), vpn())
        store.drop(APP)
        store.replace_all([vpn()])
        assert store.ids == () and not store.knows(VPN)

    def test_an_event_says_when(self) -> None:
        message = {"Type": "container", "Action": "start", "Actor": {"ID": VPN}, "timeNano": 1_800_000_000_500_000_000}
        assert Event.of(message).time == 1_800_000_000.5
        assert Event.of({**message, "timeNano": None}).time == 0.0


def from_networks() -> Any:
    return ingress_networks(NETWORKS, (), None, Rule())


def test_podman_says_whose_network_it_is_in_the_inspect_response_only() -> None:
    pod = app(networks={"podman": {"NetworkID": "podman", "IPAddress": "10.88.0.12"}})
    infra = vpn(networks={"podman": {"NetworkID": "podman", "IPAddress": "10.88.0.12"}})
    for each in (pod, infra):
        each["Inspect"]["HostConfig"] = each.pop("HostConfig")
    podman = [{"Name": "podman", "Id": "podman", "Driver": "bridge"}]
    assert upstream(built(pod, infra, networks=podman)) == "10.88.0.12:8000"
    infra["Inspect"]["State"]["StartedAt"] = LATER
    assert "restart app" in why(built(pod, infra, networks=podman))


class TestAnotherEngine:
    """Where Caddy reaches published ports at the host of an engine."""

    @staticmethod
    def built(*containers: dict[str, Any], reach: str = "ports=192.0.2.7") -> Configuration:
        engine = {"name": "far", "containers": list(containers), "networks": NETWORKS, "reach": reach}
        return Pipeline(plugins.load()).build(from_snapshot({"version": 1, "engines": [engine]}, EngineOptions()))

    def test_what_uses_the_network_of_that_host_is_at_its_address(self) -> None:
        assert upstream(self.built(app(**TestHost.MADE))) == "192.0.2.7:8000"

    def test_an_unknown_host_is_asked_for(self) -> None:
        text = why(self.built(app(**TestHost.MADE), reach="overlay"))
        assert text.startswith("it uses the network of its host, and caddy is not on its engine: set the address")

    def test_ports_are_published_by_the_side_car(self) -> None:
        ports = [
            {"PrivatePort": 8000, "PublicPort": 18000, "Type": "tcp", "IP": "0.0.0.0"},
            {"PrivatePort": 9000, "Type": "tcp"},
        ]
        assert upstream(self.built(app(exposed=["8000/tcp"]), vpn(ports=ports))) == "192.0.2.7:18000"
        assert upstream(self.built(app(), vpn(ports=ports))) == "192.0.2.7:18000"

    def test_a_side_car_that_does_not_run_publishes_nothing(self) -> None:
        ports = [{"PrivatePort": 8000, "PublicPort": 18000, "Type": "tcp", "IP": "0.0.0.0"}]
        stopped = vpn(state="exited", networks={}, ports=ports)
        assert "which does not run" in why(self.built(app(exposed=["8000/tcp"]), stopped))
        assert "restart app" in why(self.built(app(), vpn(started=LATER, ports=ports)))

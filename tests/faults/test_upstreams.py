"""Requests go to the right containers, to each as often as to the others, and to nobody else's."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import visiting
from proxy import Proxy
from real_engine import Containers, docker, hostname
from town import Town
from world_fixtures import Newcomers, site

Eventually = Callable[..., None]
Start = Callable[..., Any]


def answering(port: int, body: str) -> dict[str, str]:
    """The labels of a server at a port of its own, whoever is asked for."""
    return {"caddy": f"http://:{port}", "caddy.respond": body}


# --- B12: the port as a text


@pytest.mark.parametrize("port", ['"%UPSTREAM%"', '(env "PORT")', "%UPSTREAM%"])
def test_b12_a_port_in_quotes_is_a_port(newcomers: Newcomers, port: str) -> None:
    environment = {"PORT": newcomers.world.places["UPSTREAM"]}
    newcomers.put(site("x", {"reverse_proxy": f"{{{{upstreams {port}}}}}"}), environment=environment)
    assert newcomers.body("x") == "from upstream"
    assert newcomers.world.problems() == []


# --- B13: IPv6


def test_b13_ipv6_addresses_are_dialled_whole(
    engine, start_proxy: Start, free_port: Callable[[], int], eventually: Eventually
) -> None:
    """That of a container, and that of Caddy's own admin endpoint."""
    town = Town(engine, start_proxy("--set", f"admin=[::1]:{free_port()}"))
    town.create("six").ipv6 = "::1"
    engine.start("six")
    eventually(lambda: town.proxy.body("six.test") == "::1")


# --- B17: several networks


@pytest.mark.engine
def test_b17_a_container_on_two_networks_gets_no_more_requests_than_one_on_one(
    running: Proxy, containers: Containers, eventually: Eventually
) -> None:
    site = {
        "caddy": f"http://shared.test:{running.port}",
        "caddy__reverse_proxy": "{{upstreams 80}}",
        "caddy__reverse_proxy__lb_policy": "round_robin",
    }
    one, two = (containers.network(name) for name in ("one", "two"))
    docker("network", "connect", two, containers.run("twice", f"--network={one}", **site))
    containers.run("once", f"--network={one}", **site)

    def asked() -> Counter[str]:
        return Counter(hostname(running.body("shared.test")) for _ in range(20))

    eventually(lambda: asked() == {"once": 10, "twice": 10})


# --- B18: one address, twice


def test_b18_an_address_that_two_containers_name_is_asked_as_often_as_others(
    newcomers: Newcomers, free_port: Callable[[], int]
) -> None:
    first, second = free_port(), free_port()
    servers = answering(first, "first"), answering(second, "second")
    both = site(
        "x", {"reverse_proxy": f"127.0.0.1:{first} 127.0.0.1:{second}", "reverse_proxy.lb_policy": "round_robin"}
    )
    newcomers.put(*servers, both, both | {"caddy.reverse_proxy": f"{{{{upstreams {first}}}}}"})
    assert Counter(newcomers.body("x") for _ in range(20)) == {"first": 10, "second": 10}
    assert newcomers.world.problems() == []


# --- B19: replicas that say different things


def test_b19_a_changed_option_of_a_replica_costs_no_request_while_the_old_one_runs(
    newcomers: Newcomers, free_port: Callable[[], int]
) -> None:
    ports = {name: free_port() for name in ("old", "new")}
    servers = [answering(port, name) for name, port in ports.items()]
    old, new = (
        site("x", {"reverse_proxy": f"127.0.0.1:{ports[name]}", "reverse_proxy.lb_policy": policy})
        for name, policy in (("old", "first"), ("new", "round_robin"))
    )
    newcomers.put(*servers, old)
    newcomers.put(*servers, old, new)
    assert [newcomers.body("x") for _ in range(4)] == ["old"] * 4
    assert newcomers.told(
        "container fourth", "lb_policy differs from that of container third", "the older resource wins"
    )
    newcomers.put(*servers, {}, new)
    assert [newcomers.body("x") for _ in range(4)] == ["new"] * 4
    assert newcomers.world.problems() == []


# --- B20: one site in several spellings

SPELLINGS = {
    "order": ("http://x.test:%PORT%, http://y.test:%PORT%", "http://y.test:%PORT%, http://x.test:%PORT%"),
    "commas": ("http://x.test:%PORT%, http://y.test:%PORT%", "http://x.test:%PORT% http://y.test:%PORT%"),
    "case": ("http://x.test:%PORT%", "HTTP://X.Test:%PORT%"),
    "scheme": ("x.test:%HTTPS_PORT%", "https://x.test:%HTTPS_PORT%"),
}


@pytest.mark.parametrize("addresses", SPELLINGS.values(), ids=SPELLINGS)
def test_b20_two_containers_serve_one_site_however_they_spell_it(
    newcomers: Newcomers, eventually: Eventually, addresses: tuple[str, str]
) -> None:
    scheme = "https" if "HTTPS" in addresses[0] else "http"
    tls = {"caddy.tls": "internal"} if scheme == "https" else {}
    newcomers.put(
        {"caddy": addresses[0], "caddy.respond": "/one one", **tls},
        {"caddy": addresses[1], "caddy.respond": "/two two", **tls},
    )

    def served(name: str) -> list[str]:
        return [newcomers.body(name, path, scheme=scheme) for path in ("/one", "/two")]

    # a certificate is made while its site is served already
    for name in [name for name in "xy" if f"{name}.test" in addresses[0]]:
        eventually(lambda name=name: served(name) == ["one", "two"])
    assert newcomers.world.problems() == []


# --- B30: dockcaddy in a container


@pytest.mark.engine
def test_b30_a_container_with_a_name_of_its_own_knows_its_networks_also_later_ones(
    containers: Containers, caddy: str, free_port: Callable[[], int], eventually: Eventually
) -> None:
    """On a network that is not its own nobody is reached."""
    port = free_port()
    front, back, late = (containers.network(name) for name in ("front", "back", "late"))
    options = (f"--network={front}", f"--publish=127.0.0.1:{port}:80")
    gateway = containers.run_dockcaddy("gateway", caddy, *options)
    proxied = {"caddy__reverse_proxy": "{{upstreams 80}}"}
    app = containers.run("app", f"--network={back}", caddy="http://app.test", **proxied)
    docker("network", "connect", front, app)
    containers.run("later", f"--network={late}", caddy="http://later.test", **proxied)
    eventually(lambda: hostname(visiting.body(port, "app.test")) == "app")
    eventually(lambda: visiting.body(port, "later.test") == "status 503")
    docker("network", "connect", late, gateway)
    eventually(lambda: hostname(visiting.body(port, "later.test")) == "later")


@pytest.mark.engine
def test_b30_a_container_on_the_hosts_network_reaches_what_the_host_reaches(
    containers: Containers, caddy: str, free_port: Callable[[], int], eventually: Eventually
) -> None:
    port = free_port()
    containers.run_dockcaddy("gateway", caddy, "--network=host", f"--env=CADDY_ADMIN=localhost:{free_port()}")
    site = {"caddy": f"http://app.test:{port}", "caddy__reverse_proxy": "{{upstreams 80}}"}
    containers.run("app", f"--network={containers.network('own')}", **site)
    eventually(lambda: hostname(visiting.body(port, "app.test")) == "app")


# --- B31: nobody to send requests to


def test_b31_a_replica_without_an_address_costs_the_others_nothing(newcomers: Newcomers) -> None:
    replica = site("x", {"reverse_proxy": "{{upstreams %UPSTREAM%}}"})
    unreachable = replica | {"caddy_ingress_network": "another"}
    newcomers.put(unreachable)
    assert newcomers.visit("x").status == 503
    newcomers.put(unreachable, replica)
    assert [newcomers.body("x") for _ in range(4)] == ["from upstream"] * 4


@pytest.mark.engine
def test_b31_a_container_that_nobody_can_reach_is_told(
    running: Proxy, containers: Containers, eventually: Eventually
) -> None:
    site = {"caddy": f"http://alone.test:{running.port}", "caddy__reverse_proxy": "{{upstreams 80}}"}
    name = containers.run("alone", "--network=none", **site)
    told = f"container {name}: label {containers.prefix}.reverse_proxy: it has no address"
    eventually(lambda: running.said(f"warning: {told}") == 1)
    docker("network", "disconnect", "none", name)
    docker("network", "connect", containers.network("reached"), name)
    eventually(lambda: running.said(f"no longer: {told}") == 1 and hostname(running.body("alone.test")) == "alone")


def test_b31_a_container_that_starts_and_ends_all_the_time_flips_nothing(
    newcomers: Newcomers, monkeypatch: pytest.MonkeyPatch
) -> None:
    reconciler = newcomers.world.reconciler
    now = reconciler.clock()
    monkeypatch.setattr(reconciler, "clock", lambda: now)
    loop = site("loop", {"respond": "loop"})
    loads = newcomers.world.counts.loads
    for _ in range(20):
        newcomers.put(loop)
        now += 1
        newcomers.put()
        now += 0.1
    # three lives, as nobody knew
    assert newcomers.world.counts.loads <= loads + 6
    newcomers.put(loop)
    now += 2
    reconciler.step()
    assert newcomers.body("loop") == "loop"

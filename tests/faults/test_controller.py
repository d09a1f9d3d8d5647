"""The faults of caddy-docker-proxy's modes controller and server, as tests that pass here."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import dockcaddy
from dockcaddy.controller.discovery import targets_of
from dockcaddy.model import ControlledServer, EngineInventory, Inventory
from dockcaddy.settings.sources import load
from proxy import Proxy
from servers import StockCaddy, admin_options, servers, site
from stand_in_engine import StandInEngine
from town_fixtures import engine, start_proxy

__all__ = ["dockcaddy", "engine", "servers", "start_proxy"]

Eventually = Callable[..., None]
Servers = Callable[..., list[StockCaddy]]
Start = Callable[..., Proxy]


def test_b5_b42_b43_servers_are_configured_and_put_right_whatever_happens_to_one(
    engine: StandInEngine, start_proxy: Start, servers: Servers, tmp_path: Path, eventually: Eventually
) -> None:
    one, two, three = all_three = servers(3)
    engine.add("a", site("a"))
    # what the operator says about the admin endpoint is not about those of the servers
    base = tmp_path / "Caddyfile"
    base.write_text("{\n\tadmin localhost:1\n}\n")
    controller = start_proxy(
        "--mode", "controller", "--caddyfile-path", str(base), *admin_options([each.url for each in all_three])
    )
    eventually(lambda: all(each.has("a.test") for each in all_three))
    assert controller.said("configures the servers")
    # one hangs, one is away: the third is not delayed
    two.signal(signal.SIGSTOP)
    three.kill()
    engine.add("b", site("b"))
    eventually(lambda: one.has("a.test", "b.test"), looks=100)
    down = [f"error: server {each.url}: does not answer" for each in (two, three)]
    # one that was stopped before it answered a load has 30 s for it
    eventually(lambda: all(map(controller.said, down)), looks=6_000)
    # back, without a change of any label
    two.signal(signal.SIGCONT)
    three.start()
    eventually(lambda: two.has("a.test", "b.test") and three.has("a.test", "b.test"), looks=400)
    one.lose()
    eventually(lambda: one.has("a.test", "b.test"))
    eventually(lambda: controller.said("no longer: server") == 2)
    assert [controller.said(each) for each in down] == [1, 1]
    assert controller.end() == 0
    assert all(each.has("a.test", "b.test") for each in all_three)


def test_b41_a_label_cannot_have_the_configuration_sent_elsewhere() -> None:
    server = ControlledServer("container edge", ("10.9.0.5",), "https://10.9.0.6:2021")
    targets, problems = targets_of(Inventory((EngineInventory("local", servers=(server,)),)))
    assert not targets and "names another host" in problems[0].message


def test_b41_only_servers_in_the_controller_network_are_configured() -> None:
    server = ControlledServer("container edge", ("172.18.0.5", "10.9.0.5"))
    inventory = Inventory((EngineInventory("local", servers=(server,)),))
    assert [each.url for each in targets_of(inventory, "10.9.0.0/24")[0]] == ["http://10.9.0.5:2019"]
    assert not targets_of(inventory, "10.8.0.0/24")[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--mode", "controler"), 'did you mean "controller"'),
        (("--controller-network", "10.9.0.0/99"), "expected a network"),
        (("--mode", "server", "--controller-network", "203.0.113.0/24"), "this server has no address there"),
        (("--mode", "controller", "--caddy-admin", "ftp://x:1"), "expected an address"),
        (("--mode", "controller", "--caddy-admin-cert", "/nowhere.pem"), "--caddy-admin-cert /nowhere.pem: "),
    ],
)
def test_b44_what_makes_no_sense_is_an_error(
    dockcaddy: Callable[..., Any], sandbox: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = dockcaddy("run", *arguments, "--state-directory", "state")
    assert result.status == 2 and words in result.err and result.err.count("\n") == 1


def test_b45_urls_of_servers_are_trimmed() -> None:
    given = load({}, {"DOCKCADDY_CADDY_ADMIN": "http://a:2019, unix//run/caddy.sock ,https://b:2021"})
    assert given.caddy_admin == ("http://a:2019", "unix//run/caddy.sock", "https://b:2021") and given.has_servers

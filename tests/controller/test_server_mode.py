"""`dockcaddy run --mode server`: a Caddy that a controller configures."""

from collections.abc import Callable
from pathlib import Path

import proxy
import pytest
from dockcaddy.errors import SettingsError
from dockcaddy.run import server
from dockcaddy.run.server import Kept, admin_address, report_without_effect
from dockcaddy.settings.table import Settings
from proxy import Proxy
from servers import StockCaddy, site
from stand_in_engine import StandInEngine

Eventually = Callable[..., None]


def test_the_admin_endpoint_is_at_the_address_in_the_controller_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        server, "own_addresses", lambda: iter(["127.0.0.1", "172.18.0.3", "10.200.0.7", "10.200.0.9", "fd00::5"])
    )
    assert admin_address(Settings(controller_network="10.200.0.0/24")) == "tcp/10.200.0.7:2019"
    assert admin_address(Settings(controller_network="fd00::/64")) == "tcp/[fd00::5]:2019"
    assert admin_address(Settings(controller_network="10.200.0.0/24", admin="0.0.0.0:2020")) == "0.0.0.0:2020"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Settings(), "set --controller-network"),
        (Settings(controller_network="10.1.0.0/24"), "no address there, it has 127.0.0.1, 172.18.0.3"),
        (Settings(controller_network="127.0.0.0/8", admin="off"), "leaves no way"),
    ],
)
def test_a_server_that_no_controller_reaches_is_an_error(
    monkeypatch: pytest.MonkeyPatch, given: Settings, words: str
) -> None:
    monkeypatch.setattr(server, "own_addresses", lambda: iter(["127.0.0.1", "172.18.0.3"]))
    with pytest.raises(SettingsError, match=words):
        admin_address(given)


@pytest.mark.process
def test_this_machine_has_addresses() -> None:
    assert "127.0.0.1" in server.own_addresses()


def test_a_server_keeps_its_configuration_over_a_restart(
    engine: StandInEngine,
    start_proxy: Callable[..., Proxy],
    tmp_path: Path,
    caddy: str,
    free_port,
    eventually: Eventually,
) -> None:
    address = f"127.0.0.1:{free_port()}"
    seen = StockCaddy(caddy, tmp_path, address)
    options = ("--mode", "server", "--set", f"admin={address}", "--docker-sockets", "unix:///nowhere.sock")
    (tmp_path / "one").mkdir()
    first = proxy.start(tmp_path / "one", 0, *options)
    engine.add("a", site("a"))
    try:
        controller = start_proxy("--mode", "controller", "--caddy-admin", f"http://{address}")
        eventually(lambda: seen.has("a.test"))
        controller.end()
    finally:
        first.leave_nothing()
    assert seen.config is None
    second = proxy.start(tmp_path / "one", 0, *options)
    try:
        eventually(lambda: seen.has("a.test"))
    finally:
        second.leave_nothing()


def test_options_without_effect_are_named_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    report_without_effect(Settings(mode="server", controller_network="10.1.0.0/24", log_level="debug"))
    assert not caplog.messages
    report_without_effect(
        Settings(mode="server", leader_lock="swarm", caddyfile_path="/nonexistent", admin="127.0.0.1:2020")
    )
    assert caplog.messages == [
        "options without effect in mode server: --caddyfile-path, --leader-lock; they are for the controller",
        "--admin 127.0.0.1:2020 (CADDY_ADMIN): only controllers on this machine reach this server",
    ]


def test_another_caddys_configuration_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "shared"))
    (tmp_path / "shared/caddy").mkdir(parents=True)
    (tmp_path / "shared/caddy/autosave.json").write_text('{"apps":{"another":{}}}')
    kept = Kept(tmp_path / "state")
    assert kept.load() == b"{}"
    own = Path(kept.environment["XDG_CONFIG_HOME"], "caddy")
    own.mkdir(parents=True)
    (own / "autosave.json").write_text('{"apps":{"own":{}}}')
    assert b"own" in kept.load()
    # a start with nothing
    (own / "autosave.json").write_text("{}")
    assert b"own" in kept.load()

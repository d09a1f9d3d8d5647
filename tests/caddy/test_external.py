"""A Caddy that was there before us, with any configuration and with none: it gets ours, and can be reached afterwards."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.loaders import CaddyLoader, ExternalCaddy
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, OutputError
from dockcaddy.merge.configuration import Configuration
from dockcaddy_admin import AdminOutput
from forwarding import forward

Start = Callable[..., "subprocess.Popen[bytes]"]
SERVED = {"http": {"servers": {}}}


@pytest.fixture
def start(caddy: str, tmp_path: Path, eventually: Callable[..., None]) -> Iterator[Start]:
    """Starts `caddy run` that answers at an address."""
    started: list[subprocess.Popen[bytes]] = []

    def run(address: str, config: object = None, reached: str = "") -> "subprocess.Popen[bytes]":
        environment = {key: value for key, value in os.environ.items() if not key.startswith("CADDY_")}
        environment |= {"XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "HOME": str(tmp_path)}
        # without a configuration Caddy goes back to where this says, by default to localhost:2019
        environment["CADDY_ADMIN"] = address
        command = [caddy, "run"]
        if config is not None:
            (tmp_path / "start.json").write_text(json.dumps(config))
            command += ["--config", str(tmp_path / "start.json")]
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        started.append(subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL))
        client = AdminClient(reached or address, connect_timeout=1)

        def answers() -> bool:
            try:
                return bool(client.config())
            except CaddyUnreachable:
                return False

        eventually(answers)
        client.close()
        return started[-1]

    yield run
    for process in started:
        process.terminate()
        process.wait(10)


@pytest.fixture(params=["localhost", "127.0.0.1", "0.0.0.0", "", "unix"])
def address(request: pytest.FixtureRequest, tmp_path: Path, free_port: Callable[[], int]) -> str:
    """Where a Caddy may listen, as `CADDY_ADMIN` says it."""
    return f"unix/{tmp_path}/admin.sock" if request.param == "unix" else f"{request.param}:{free_port()}"


def external(url: str) -> CaddyLoader:
    client = AdminClient(url)
    return CaddyLoader(client, ExternalCaddy(client).load)


def loaded(url: str, loader: CaddyLoader | None = None) -> object:
    """What Caddy serves after our configuration was loaded, asked by a new connection."""
    config = json.dumps({"apps": SERVED}, separators=(",", ":")).encode()
    patiently(lambda: (loader or external(url)).load(config))
    return json.loads(patiently(lambda: AdminClient(url).config()))["apps"]


def patiently(call: Callable[[], Any]) -> Any:
    """The call's result; the admin endpoint is away for a moment whenever another configuration takes over."""
    for _ in range(500):
        try:
            return call()
        except (CaddyUnreachable, OutputError):
            time.sleep(0.02)
    return call()


@pytest.mark.parametrize("loads", [1, 2])
def test_a_caddy_that_never_had_a_configuration_is_configured(start: Start, address: str, loads: int) -> None:
    start(address)
    for _ in range(loads):
        assert loaded(address) == SERVED


def test_a_caddy_whose_configuration_was_deleted_before_is_configured_where_it_listens(
    start: Start, address: str
) -> None:
    start(address, {"admin": {"listen": address}, "apps": {}})
    AdminClient(address).request("DELETE", "/config/")
    assert loaded(address) == SERVED


def test_a_caddy_that_loses_its_configuration_is_configured_again(start: Start, address: str) -> None:
    start(address, {"admin": {"listen": address}})
    loader = external(address)
    for _ in range(2):
        assert loaded(address, loader) == SERVED
        AdminClient(address).request("DELETE", "/config/")
    assert loaded(address, loader) == SERVED


@pytest.mark.parametrize("partial", ["null", "{}", '{"apps":null}', '{"apps":{}}', '{"logging":{}}', '{"admin":null}'])
def test_a_caddy_with_half_a_configuration_is_configured(
    start: Start, partial: str, free_port: Callable[[], int]
) -> None:
    address = f"localhost:{free_port()}"
    start(address)
    AdminClient(address).request("POST", "/load", partial.encode(), "application/json")
    assert loaded(address) == SERVED


def test_other_settings_of_the_admin_endpoint_stay(start: Start, free_port: Callable[[], int]) -> None:
    address = f"localhost:{free_port()}"
    admin = {"listen": address, "config": {"persist": False}}
    start(address, {"admin": admin})
    loader = external(address)
    loaded(address, loader)
    assert json.loads(patiently(AdminClient(address).config))["admin"] == admin
    AdminClient(address).request("DELETE", "/config/")
    loaded(address, loader)
    assert json.loads(patiently(AdminClient(address).config))["admin"] == admin


def test_a_caddy_without_a_configuration_behind_a_published_port_is_configured(
    start: Start, free_port: Callable[[], int]
) -> None:
    address = f"0.0.0.0:{free_port()}"
    start(address)
    with socket.create_server(("127.0.0.1", 0)) as listener, forward(listener, address):
        assert loaded(f"127.0.0.1:{listener.getsockname()[1]}") == SERVED
    assert json.loads(patiently(AdminClient(address).config))["apps"] == SERVED


def test_a_caddy_without_a_configuration_whose_socket_has_another_path_here_is_configured(
    start: Start, tmp_path: Path
) -> None:
    """As in a volume that is mounted elsewhere in Caddy's container."""
    address = f"unix/{tmp_path}/admin.sock"
    start(address)
    folder = os.open(tmp_path, os.O_PATH)
    try:
        # a path that is another one in every process
        assert loaded(f"unix//proc/self/fd/{folder}/admin.sock") == SERVED
    finally:
        os.close(folder)
    assert json.loads(patiently(AdminClient(address).config))["apps"] == SERVED


def test_what_the_configuration_lacks_is_still_refused_in_caddys_words(
    start: Start, free_port: Callable[[], int]
) -> None:
    address = f"localhost:{free_port()}"
    start(address)
    with pytest.raises(CaddyRefusal, match="unknown module: nonsense"):
        external(address).load(b'{"apps":{"nonsense":{}}}')


def test_the_output_notices_that_the_configuration_is_gone_and_writes_it_again(
    start: Start, free_port: Callable[[], int]
) -> None:
    address = f"localhost:{free_port()}"
    start(address)
    output = AdminOutput(external(address))
    wanted = Configuration("x", (), json.dumps({"apps": SERVED}, separators=(",", ":")).encode())
    patiently(lambda: output.write(wanted))
    assert patiently(lambda: output.holds(wanted))
    AdminClient(address).request("DELETE", "/config/")
    assert not patiently(lambda: output.holds(wanted))
    patiently(lambda: output.write(wanted))
    assert patiently(lambda: output.holds(wanted))


def test_it_is_known_whether_caddy_has_taken_anything_else_than_ours(start: Start, tmp_path: Path) -> None:
    address = f"unix/{tmp_path}/admin.sock"
    start(address)
    loader, other = external(address), AdminClient(address)

    def config(name: str) -> bytes:
        return json.dumps({"apps": {"http": {"servers": {name: {"listen": []}}}}}, separators=(",", ":")).encode()

    def somebody_changes() -> None:
        patiently(lambda: other.request("PATCH", "/config/apps/http", b'{"http_port":8123}', "application/json"))

    patiently(lambda: loader.load(config("first")))
    known = patiently(lambda: loader.load(config("a")))
    assert known and known == patiently(loader.since)
    # what changes nothing does not count
    patiently(lambda: other.adapt("http://a.test {\n}\n"))
    with pytest.raises(CaddyRefusal):
        patiently(lambda: loader.load(b'{"apps":{"nonsense":{}}}'))
    assert patiently(lambda: loader.load(config("b")))
    somebody_changes()
    assert patiently(lambda: loader.load(config("c"))) is None
    assert patiently(lambda: loader.load(config("d")))
    somebody_changes()
    # it was asked in between
    assert patiently(loader.since) and patiently(lambda: loader.load(config("e")))

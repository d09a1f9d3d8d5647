"""Caddy dies, hangs, or a file cannot be written: the rest goes on, and soon after the fault everything is true again."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dockcaddy.caddy.admin import AdminClient
from forwarding import forward
from hanging import hang, hanging
from proxy import Proxy
from stand_in_engine import StandInEngine
from town import Town

Calm = Callable[[Callable[[], object]], None]
Eventually = Callable[..., None]


@pytest.fixture
def forwarded(tmp_path: Path, caddy: str, eventually: Eventually) -> Iterator[tuple[Path, Path]]:
    """A Caddy that runs by itself: the admin socket that it listens at, and another one that leads there."""
    admin, front = tmp_path / "caddy.sock", tmp_path / "front.sock"
    config = tmp_path / "caddy.json"
    config.write_text(json.dumps({"admin": {"listen": f"unix/{admin}"}}))
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    command = [caddy, "run", "--config", str(config)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(front))
        listener.listen(64)
        eventually(admin.exists)
        with forward(listener, str(admin)):
            yield admin, front
    finally:
        process.terminate()
        process.wait(10)


def test_caddy_is_killed_again_and_again(town, eventually: Eventually, calm: Calm) -> None:
    lists = town.engine.counts["list"]
    for round in range(1, 4):
        killed, before = town.proxy.caddy, town.proxy.loads
        os.kill(killed, signal.SIGKILL)
        town.add(f"during-{round}")
        eventually(lambda killed=killed: town.proxy.caddy not in (0, killed))
        calm(lambda round=round: town.right("a", "b", "c", f"during-{round}"))
        # what it had it was started with; the newcomer comes before it is connected, or all at once
        assert town.proxy.loads <= before + 2
    assert town.engine.counts["inspect"] <= town.lives
    assert town.engine.counts["list"] == lists


def test_a_hanging_caddy_does_not_hold_the_file(
    engine, start_proxy, tmp_path: Path, eventually: Eventually, calm: Calm
) -> None:
    file = tmp_path / "Caddyfile"
    town = Town(engine, start_proxy("--output", "admin", "--output", f"caddyfile={file}"))
    town.add("a")
    eventually(lambda: town.right("a") and "a.test" in file.read_text())
    with hanging(town.proxy.caddy):
        town.add("b")
        calm(lambda: "b.test" in file.read_text())
    calm(lambda: town.right("a", "b"))


def test_an_admin_endpoint_that_is_reached_at_another_address(
    engine, start_proxy, forwarded: tuple[Path, Path], eventually: Eventually
) -> None:
    """As through a published port: where Caddy listens is its own business, and the next change must arrive too."""
    admin, front = forwarded
    town = Town(engine, start_proxy("--caddy-admin", f"unix/{front}"))
    for name in "ab":
        town.add(name)
        eventually(lambda name=name: town.right(name), looks=1_000)
    assert json.loads(AdminClient(f"unix/{admin}").config())["admin"]["listen"] == f"unix/{admin}"


def test_an_external_caddy_without_a_configuration_is_configured_and_again_when_it_loses_it(
    engine, start_proxy, tmp_path: Path, caddy: str, free_port, eventually: Eventually
) -> None:
    address = f"localhost:{free_port()}"
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    process = subprocess.Popen(
        [caddy, "run"], env={**environment, "CADDY_ADMIN": address}, cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    try:
        town = Town(engine, start_proxy("--caddy-admin", f"http://{address}"))
        town.add("a")
        eventually(lambda: town.right("a"))
        for lost in ("DELETE", "null"):
            client = AdminClient(address)
            if lost == "DELETE":
                client.request("DELETE", "/config/")
            else:
                client.request("POST", "/load", b"null", "application/json")
            eventually(lambda: town.right("a"))
        town.add("b")
        eventually(lambda: town.right("a", "b"))
        assert not town.proxy.said("error:")
    finally:
        process.terminate()
        process.wait(10)


def test_a_full_disk_keeps_the_old_file_and_holds_nothing_else(
    engine, start_proxy, tmp_path: Path, eventually: Eventually, calm: Calm
) -> None:
    folder = tmp_path / "written"
    folder.mkdir()
    text, adapted = folder / "Caddyfile", folder / "caddy.json"
    options = ("--output", "admin", "--output", f"caddyfile={text}", "--output", f"json={adapted}")
    town = Town(engine, start_proxy(*options))
    town.add("a")
    eventually(lambda: town.right("a") and "a.test" in text.read_text() and "a.test" in adapted.read_text())
    old = text.read_bytes(), adapted.read_bytes()
    town.proxy.limit_files(16)
    for name in "bc":
        town.add(name)
        calm(lambda name=name: town.right("a", name))
        eventually(lambda: town.proxy.said("the old file stays") == 2)
        assert (text.read_bytes(), adapted.read_bytes()) == old
    # each try has a temporary file for a moment
    eventually(lambda: {each.name for each in folder.iterdir()} == {text.name, adapted.name})
    loads = town.proxy.loads
    town.proxy.limit_files(-1)
    calm(lambda: all("c.test" in each.read_text() for each in (text, adapted)))
    assert town.proxy.loads == loads
    assert engine.counts["inspect"] <= town.lives


def test_a_label_that_ends_caddy_costs_only_its_container(engine, start_proxy, eventually: Eventually) -> None:
    town = Town(engine, start_proxy("--set", "policy.trust=all"))
    town.add("a")
    eventually(lambda: town.right("a"))
    town.add("deadly", caddy__log__core="mock")
    eventually(lambda: town.proxy.said("container deadly: caddy refuses it: caddy crashes when it loads it"))
    town.add("b")
    eventually(lambda: town.right("a", "b"), looks=1_000)
    assert town.gone("deadly")


def test_a_caddy_that_crashes_again_and_again_goes_on_without_what_came_last(
    engine: StandInEngine, start_proxy: Callable[..., Proxy], eventually: Eventually, calm: Calm
) -> None:
    """SIGQUIT ends Caddy with a status of its own, as a crash does."""
    town = Town(engine, start_proxy("--polling-interval", "1"))
    for name in ("a", "b", "c", "deadly"):
        town.add(name)
        eventually(lambda name=name: town.right(name))
    for crashes in range(1, 4):
        # a crash during a pass is blamed on what that pass loads: wait until another one has begun
        eventually(town.polled(2))
        os.kill(town.proxy.caddy, signal.SIGQUIT)
        eventually(lambda crashes=crashes: town.proxy.said("caddy answers again") == crashes)
        eventually(lambda: town.right("a", "b", "c"))
    eventually(lambda: town.proxy.said("container deadly: caddy crashes repeatedly since it was added"))
    calm(lambda: town.gone("deadly") and town.right("a", "b", "c"))


def test_a_caddy_that_is_killed_comes_back_with_what_it_had(town, eventually: Eventually, calm: Calm) -> None:
    killed, before = town.proxy.caddy, town.proxy.loads
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: town.proxy.caddy not in (0, killed))
    calm(lambda: town.right("a", "b", "c"))
    assert town.proxy.loads == before


@pytest.mark.parametrize("call", ["networks", "list", "inspect", "events"])
def test_it_ends_when_told_to_while_the_engine_hangs(town, eventually: Eventually, call: str) -> None:
    caddy = town.proxy.caddy
    town.engine.faults[call] = "hang"
    town.add("late")
    town.engine.cut_streams()
    eventually(lambda: call in town.engine.held)
    assert town.proxy.end() == 0
    assert not Path(f"/proc/{caddy}").exists()


def test_it_leaves_no_caddy_when_told_to_end_while_it_starts(start_proxy, eventually: Eventually) -> None:
    proxy = start_proxy(wait=False)
    eventually(lambda: proxy.caddy)
    caddy = proxy.caddy
    # one that does not end by itself
    hang(caddy)
    assert proxy.end() == 0
    assert not Path(f"/proc/{caddy}").exists()

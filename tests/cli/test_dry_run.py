"""`dockcaddy run --dry-run` logs what it would send, and sends nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from dockcaddy import caddyfile, testing
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.run.dry_run import DryRun
from stand_in_engine import StandInEngine

pytestmark = pytest.mark.process


def test_changes_are_logged_and_nothing_is_started_or_written(
    sandbox: Path, eventually: Callable, tmp_path: Path
) -> None:
    (sandbox / "dockcaddy.toml").touch()
    labels = {"caddy": "web.test", "caddy.respond": "hello"}
    log = tmp_path / "log"
    folder = tmp_path / "engine"
    folder.mkdir()
    with StandInEngine(f"{folder}/e.sock") as engine, log.open("wb") as written:
        engine.add("web", labels)
        command = [sys.executable, "-m", "dockcaddy", "run", "--dry-run", "--docker-sockets", f"unix://{engine.path}"]
        more = ["--state-directory", str(sandbox / "state"), "--output", f"caddyfile={sandbox / 'Caddyfile'}"]
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        process = subprocess.Popen([*command, *more], stderr=written, env=environment)
        try:
            eventually(lambda: "would send: added web.test (container web)" in log.read_text())
            engine.add("late", {"caddy": "late.test", "caddy.respond": "x"})
            eventually(lambda: "would send: added late.test (container late)" in log.read_text())
            engine.remove("web")
            eventually(lambda: "would send: removed web.test (container web)" in log.read_text())
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
    told = log.read_text()
    assert (
        "sends nothing (--dry-run)" in told and "    +     respond hello" in told and "ending: nothing was sent" in told
    )
    assert sorted(path.name for path in sandbox.iterdir()) == ["dockcaddy.toml", "engine", "log"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("dockcaddy-dry-run")] == []


def test_what_runs_is_no_difference(caplog: pytest.LogCaptureFixture) -> None:
    pipeline = Pipeline(Registry())
    labels = {"caddy": "web.test", "caddy.encode": "gzip", "caddy.log": "", "caddy.respond": "x"}
    web = testing.container("web", labels=labels)
    more = testing.container("more", labels={"caddy": "web.test", "caddy.tls": "internal"})
    fragments = pipeline.fragments(Inventory((EngineInventory("local", (web, more)),)))
    saved = [evolve(each, blocks=caddyfile.parse(each.content, each.owner)) for each in reversed(fragments)]
    dry_run = DryRun(saved, Pipeline(Registry()).configuration)
    with caplog.at_level("INFO"):
        dry_run.write(pipeline.configuration(fragments))
    assert caplog.messages == ["would send nothing: no difference"]


def test_an_engine_that_hangs_at_the_start_is_named_soon(sandbox: Path, eventually: Callable, tmp_path: Path) -> None:
    log, folder = tmp_path / "log", tmp_path / "engine"
    folder.mkdir()
    with StandInEngine(f"{folder}/e.sock") as engine, log.open("wb") as written:
        engine.faults["all"] = "hang"
        command = [sys.executable, "-m", "dockcaddy", "run", "--dry-run", "--docker-sockets", f"unix://{engine.path}"]
        process = subprocess.Popen([*command, "--state-directory", str(sandbox / "state")], stderr=written)
        try:
            told = (
                f"info: engine local: docker at unix://{engine.path} has not answered yet, it is asked again and again"
            )
            eventually(lambda: told in log.read_text())
            assert "does not answer" not in log.read_text()
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            engine.faults.clear()


def test_a_server_has_nothing_to_send(dockcaddy: Callable) -> None:
    result = dockcaddy("run", "--dry-run", "--mode", "server")
    assert result.status == 2 and "--dry-run: a server is given its configuration" in result.err


def test_a_private_admin_socket_has_a_whole_path_whatever_the_state_directory(
    sandbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dockcaddy.errors import SettingsError
    from dockcaddy.run.own_admin import own_address
    from dockcaddy.settings.table import Settings

    monkeypatch.chdir(sandbox)
    assert own_address(Settings(admin="off"), Path("state")) == f"unix/{sandbox}/state/admin.sock"
    with pytest.raises(SettingsError, match="too long for a socket, choose a shorter --state-directory"):
        own_address(Settings(admin="off"), Path("/" + "x" * 97))

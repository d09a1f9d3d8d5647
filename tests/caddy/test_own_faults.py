"""Whatever goes wrong in the threads around Caddy, it is told, and Caddy goes on."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.log import CaddyLog
from dockcaddy.caddy.process import CaddyProcess
from dockcaddy.engine.watch.events import EventStream
from dockcaddy.errors import CaddyUnreachable


@pytest.fixture
def process(caddy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CaddyProcess]:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    made = CaddyProcess(Path(caddy), f"unix/{tmp_path}/admin.sock", tmp_path)
    yield made
    made.stop(0)


def fails(*_: object) -> bytes:
    raise RuntimeError("nobody foresaw this")


def still_there(process: CaddyProcess) -> bool:
    try:
        AdminClient(process.admin).config()
    except CaddyUnreachable:
        return False
    return process.pid is not None


def test_a_callback_that_fails_does_not_end_caddy(process: CaddyProcess, eventually: Callable) -> None:
    process.on_start = fails
    process.start()
    before = process.pid
    assert before and still_there(process)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: process.pid not in (None, before) and still_there(process))


def test_a_first_configuration_that_cannot_be_had_does_not_keep_caddy_from_starting(process: CaddyProcess) -> None:
    process.initial = fails
    process.start()
    assert still_there(process)


def test_a_line_of_its_log_that_is_stumbled_over_does_not_leave_the_log_unread(
    process: CaddyProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CaddyLog, "record_of", fails)
    process.start()
    # more than a pipe holds
    client = AdminClient(process.admin, timeout=10)
    for _ in range(1000):
        client.config()
    assert still_there(process)


def test_a_child_that_cannot_be_made_is_tried_again(
    process: CaddyProcess, monkeypatch: pytest.MonkeyPatch, eventually: Callable
) -> None:
    process.start()
    before, spawn, failed = process.pid, CaddyProcess._spawn, []

    def once(self: CaddyProcess) -> object:
        if failed:
            return spawn(self)
        failed.append(True)
        return fails()

    monkeypatch.setattr(CaddyProcess, "_spawn", once)
    assert before
    os.kill(before, signal.SIGKILL)
    eventually(lambda: failed and process.pid not in (None, before) and still_there(process))


def test_events_are_listened_to_whatever_their_listeners_do(eventually: Callable) -> None:
    subscribed: list[None] = []

    def subscribe() -> object:
        subscribed.append(None)
        raise OSError("not there")

    stream = EventStream("local", subscribe, fails, fails)
    stream.start()
    eventually(lambda: len(subscribed) > 2)
    stream.close()

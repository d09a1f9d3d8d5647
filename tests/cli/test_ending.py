"""Signals that come at an awkward moment."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from dockcaddy.run import daemon
from dockcaddy.settings.table import Settings


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The handlers of the tests' own process are there again afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.process
def test_a_signal_while_a_process_is_being_started_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "caddy"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            started.append(self)
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with suppress(daemon.Ended), daemon.ended_by_signals() as ending:
        with daemon._version(Settings(caddy=str(program)), ending):
            pass
        pytest.fail("the signal did not end it")
    (process,) = started
    ended = process.returncode
    process.kill()
    process.wait()
    assert ended == -signal.SIGKILL

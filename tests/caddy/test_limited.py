"""A Caddy of our own adapts within limits: a text that breaks them costs that text only."""

import gc
import os
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from dockcaddy.caddy import limited_process
from dockcaddy.caddy.limited import LimitedAdapter
from dockcaddy.caddy.limited_process import LimitedProcess
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, TooLargeError
from dockcaddy.run.adapting import FragmentAdapter, fragment_adapter
from dockcaddy.settings import limits
from hanging import hang

pytestmark = pytest.mark.process

SITE = "http://a.test {\n\trespond a\n}\n"


def exploding(levels: int) -> str:
    """Each snippet imports the next one twice."""
    snippets = "".join(f"(s{n}) {{\nimport s{n + 1}\nimport s{n + 1}\n}}\n" for n in range(levels))
    return f"{snippets}(s{levels}) {{\nheader X y\n}}\nhttp://b.test {{\nimport s0\n}}\n"


@pytest.fixture
def limited(caddy: str) -> Iterator[LimitedAdapter]:
    adapter = LimitedAdapter(Path(caddy))
    yield adapter
    adapter.close()


def test_it_adapts_and_refuses_as_caddy_does(limited: LimitedAdapter) -> None:
    assert b'"a.test"' in limited.adapt(SITE)
    with pytest.raises(CaddyRefusal, match=r"Caddyfile:2: unrecognized directive: no_such_directive"):
        limited.adapt("http://a.test {\nno_such_directive\n}\n")


def test_a_text_that_explodes_is_too_large_and_the_next_one_is_adapted(limited: LimitedAdapter) -> None:
    with pytest.raises(TooLargeError, match=r"too large to adapt: it takes more than \d+ MiB of memory or \d+ s"):
        limited.adapt(exploding(40))
    assert b'"a.test"' in limited.adapt(SITE)


def test_a_text_that_takes_long_is_too_large_and_the_next_one_is_adapted(caddy: str) -> None:
    impatient = LimitedAdapter(Path(caddy), memory=1 << 34, patience=0.2)
    try:
        with pytest.raises(TooLargeError):
            impatient.adapt(exploding(40))
        impatient.patience = 10.0
        assert b'"a.test"' in impatient.adapt(SITE)
    finally:
        impatient.close()


def test_what_is_adapted_beside_an_exploding_text_is_adapted(limited: LimitedAdapter) -> None:
    limited.adapt(SITE)
    failures: list[Exception] = []

    def adapt() -> None:
        try:
            for _ in range(200):
                limited.adapt(SITE)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=adapt) for _ in range(2)]
    for each in threads:
        each.start()
    with pytest.raises(TooLargeError):
        limited.adapt(exploding(40))
    for each in threads:
        each.join()
    assert not failures


def test_it_is_started_again_after_somebody_ended_it(limited: LimitedAdapter) -> None:
    limited.adapt(SITE)
    assert limited._process is not None
    os.kill(limited._process.popen.pid, signal.SIGKILL)
    assert b'"a.test"' in limited.adapt(SITE)


def test_it_has_no_variables_of_ours(limited: LimitedAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    assert b"secret" not in limited.adapt("http://a.test {\n\trespond {$TOKEN:none}\n}\n")


def test_only_we_reach_it_and_nothing_is_left_of_it(caddy: str) -> None:
    adapter = LimitedAdapter(Path(caddy))
    adapter.adapt(SITE)
    process = adapter.running()
    pid = process.popen.pid
    empty = Path(f"/proc/{pid}/cwd").resolve()
    assert list(empty.iterdir()) == []
    assert stat.S_IMODE(empty.parent.stat().st_mode) == 0o700
    del adapter, process
    gc.collect()
    assert not empty.parent.exists() and not Path(f"/proc/{pid}").exists()


def test_a_program_that_is_no_caddy_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(CaddyUnreachable, match="is not caddy: when started, it does not answer, correct --caddy"):
        LimitedAdapter(Path("/bin/true")).adapt(SITE)
    with pytest.raises(CaddyUnreachable, match="cannot be run"):
        LimitedAdapter(tmp_path / "none").adapt(SITE)


@define
class Noted:
    """A Caddy that accepts everything."""

    texts: list[str] = field(factory=list)

    def adapt(self, caddyfile: str) -> bytes:
        self.texts.append(caddyfile)
        return b"{}"


def test_what_serves_adapts_only_what_it_alone_can(caddy: str) -> None:
    serving = Noted()
    adapter = fragment_adapter([serving], Path(caddy), is_same=True, asks_all=False)
    assert b'"a.test"' in adapter.adapt(SITE) and not serving.texts
    with pytest.raises(CaddyRefusal):
        adapter.adapt("http://a.test {\nno_such_directive\n}\n")
    assert not serving.texts
    variable = "http://a.test {\nrespond {$TOKEN}\n}\n"
    assert adapter.adapt(variable) == b"{}" and serving.texts == [variable]


def test_another_caddy_adapts_what_a_limited_one_has_measured(caddy: str) -> None:
    serving = Noted()
    adapter = fragment_adapter([serving], Path(caddy), is_same=False, asks_all=False)
    unknown = "http://a.test {\nof_a_plugin\n}\n"
    for text in (SITE, unknown):
        adapter.adapt(text)
    with pytest.raises(TooLargeError):
        adapter.adapt(exploding(40))
    assert serving.texts == [SITE, unknown]


def test_servers_adapt_what_the_controllers_program_refuses_but_not_what_is_too_large(caddy: str) -> None:
    server = Noted()
    adapter = fragment_adapter([server], Path(caddy), is_same=False, asks_all=True)
    unknown = "http://a.test {\nof_a_plugin\n}\n"
    for text in (SITE, unknown):
        adapter.adapt(text)
    with pytest.raises(TooLargeError):
        adapter.adapt(exploding(40))
    assert server.texts == [unknown]


def test_without_a_program_what_serves_adapts() -> None:
    serving = Noted()
    assert fragment_adapter([serving], None, is_same=False, asks_all=False).adapt(SITE) == b"{}"
    # and where it cannot be started
    missing = LimitedAdapter(Path("/nonexistent/caddy"))
    for counts in (True, False):
        assert FragmentAdapter(missing, serving, counts).adapt(SITE) == b"{}"
    assert len(serving.texts) == 3


def test_waiting_for_a_processor_is_no_fault_of_a_text(caddy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ADAPTER_WAITS", 10_000)
    impatient = LimitedAdapter(Path(caddy), patience=0.02)
    try:
        pid = impatient.running().popen.pid
        hang(pid)
        threading.Timer(0.2, os.kill, (pid, signal.SIGCONT)).start()
        assert b'"a.test"' in impatient.adapt(SITE)
        assert impatient.running().popen.pid == pid
    finally:
        impatient.close()


def test_a_connection_that_caddy_drops_is_no_fault_of_a_text(
    limited: LimitedAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = limited.running().popen.pid
    ask, dropped = LimitedProcess._asked, [ConnectionResetError()]

    def dropping(process: LimitedProcess, *given: Any) -> tuple[int, bytes]:
        if dropped:
            raise dropped.pop()
        return ask(process, *given)

    monkeypatch.setattr(LimitedProcess, "_asked", dropping)
    assert b'"a.test"' in limited.adapt(SITE)
    assert not dropped and limited.running().popen.pid == pid


def test_one_that_hangs_at_its_start_is_waited_for_no_longer_than_a_start_takes(
    caddy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, longest = LimitedProcess._asked, []

    def asking(
        process: LimitedProcess, path: str, body: bytes, content_type: str, patience: float
    ) -> tuple[int, bytes]:
        longest.append(patience * limits.ADAPTER_WAITS)
        return ask(process, path, body, content_type, patience)

    monkeypatch.setattr(LimitedProcess, "_asked", asking)
    LimitedProcess.started(Path(caddy), limits.ADAPTER_MEMORY).end()
    assert longest and max(longest) <= limited_process._START

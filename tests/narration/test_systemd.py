"""systemd hears when dockcaddy is ready, what it serves, and that it ends (`Type=notify`)."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dockcaddy.narration import Systemd
from ports import free_port
from proxy import Proxy
from stand_in_engine import StandInEngine

Start = Callable[..., Proxy]
Eventually = Callable[..., None]


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Listens where systemd would."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(f"{tmp_path}/notify")
        made.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", f"{tmp_path}/notify")
        yield made


def heard(listener: socket.socket) -> str:
    return listener.recv(4096).decode()


@pytest.mark.process
def test_ready_when_the_first_configuration_is_live(
    engine: StandInEngine, start_proxy: Start, eventually: Eventually, listener: socket.socket
) -> None:
    engine.add("web", {"caddy": f"http://web.test:{free_port()}", "caddy.respond": "hi"})
    proxy = start_proxy()
    assert heard(listener) == "READY=1\nSTATUS=1 site, 0 problems"
    eventually(lambda: proxy.said("live: http://web.test"))
    engine.add("other", {"caddy": f"http://other.test:{free_port()}", "caddy.respond": "{{nothing}}"})
    assert heard(listener).endswith("STATUS=1 site, 1 problem")
    assert proxy.end() == 0
    assert heard(listener) == "STOPPING=1\nSTATUS=ending"


@pytest.mark.process
def test_ready_without_any_site(start_proxy: Start, engine: StandInEngine, listener: socket.socket) -> None:
    proxy = start_proxy()
    assert heard(listener) == "READY=1\nSTATUS=0 sites, 0 problems"
    assert proxy.end() == 0


@pytest.mark.process
def test_ready_with_the_last_configuration_while_the_engine_is_away(
    start_proxy: Start, engine: StandInEngine, listener: socket.socket
) -> None:
    engine.add("web", {"caddy": f"http://web.test:{free_port()}", "caddy.respond": "hi"})
    first = start_proxy()
    assert heard(listener).startswith("READY=1")
    assert first.end() == 0
    assert heard(listener).startswith("STOPPING=1")
    engine.faults["list"] = "forbidden"
    second = start_proxy()
    assert heard(listener) == "READY=1\nSTATUS=the last configuration is live"
    assert second.end() == 0


def test_an_abstract_socket() -> None:
    name = f"dockcaddy-tests-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        Systemd.of({"NOTIFY_SOCKET": f"@{name}"}).tell("READY=1", "STATUS=x")
        assert heard(listener) == "READY=1\nSTATUS=x"


def test_the_variable_is_taken_out_of_the_environment_so_that_caddy_does_not_report_in_our_place() -> None:
    environment = {"NOTIFY_SOCKET": "/run/x", "A": "b"}
    assert Systemd.of(environment) == Systemd("/run/x")
    assert environment == {"A": "b"}
    Systemd.of(environment).tell("READY=1")


def test_a_socket_that_nobody_listens_at_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Systemd(f"{tmp_path}/gone").tell("READY=1")
    assert [record.getMessage() for record in caplog.records] == [
        f"systemd at {tmp_path}/gone: No such file or directory"
    ]

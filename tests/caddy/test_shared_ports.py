"""Two Caddys at one port, which the system would let share the requests in silence."""

import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy.caddy.ports import holder_of
from dockcaddy.run import shared_ports
from dockcaddy.run.shared_ports import warn_of_shared_ports
from dockcaddy.settings.table import Settings


def listener(port: int, *, shared: bool) -> socket.socket:
    made = socket.socket(socket.AF_INET6)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
    made.bind(("::", port))
    made.listen()
    return made


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[Settings], list[str]]:
    """What is said with these settings."""
    monkeypatch.setattr(shared_ports, "PATIENCE", 0.0)

    def call(settings: Settings) -> list[str]:
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            warn_of_shared_ports(settings, Path("caddy"))
        return caplog.messages

    return call


def test_one_that_shares_its_port_is_a_warning(warned: Callable, free_port: Callable[[], int], tmp_path: Path) -> None:
    http, https = free_port(), free_port()
    settings = Settings(http_port=http, https_port=https)
    assert warned(settings) == []
    with listener(http, shared=True):
        (said,) = warned(settings)
        assert said.startswith(f"port {http}: ") and f"(pid {os.getpid()})" in said
        assert f"each gets a part of the requests: stop that, or use another port with --http-port {http + 1}" in said
        # the operator's own file says otherwise
        (tmp_path / "Caddyfile").write_text(f"{{\n\thttp_port {free_port()}\n}}\n")
        assert warned(Settings(http_port=http, https_port=https, caddyfile_path=f"{tmp_path}/Caddyfile")) == []
    # what nobody may share is told when Caddy cannot listen
    with listener(http, shared=False):
        assert warned(settings) == []


def test_connections_that_wait_for_their_end_are_none(warned: Callable, free_port: Callable[[], int]) -> None:
    port = free_port()
    with listener(port, shared=True) as before, socket.create_connection(("::1", port)) as client:
        accepted, _ = before.accept()
        # still open on both sides while the listener is gone, then in TIME_WAIT on the side of the server
        before.close()
        assert warned(Settings(http_port=port, https_port=free_port())) == []
        accepted.close()
        client.recv(1)
    assert warned(Settings(http_port=port, https_port=free_port())) == []


def test_a_process_that_closes_other_files_meanwhile_is_named(
    monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]
) -> None:
    read = Path.readlink

    def sockets_only(link: Path) -> Path:
        target = read(link)
        if not str(target).startswith("socket:"):
            raise FileNotFoundError(link)
        return target

    port = free_port()
    with listener(port, shared=False):
        monkeypatch.setattr(Path, "readlink", sockets_only)
        assert f"(pid {os.getpid()})" in str(holder_of(port))

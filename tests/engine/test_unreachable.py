"""An engine that cannot be reached: what is said of it, and what to do."""

import errno
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy.engine import Connection, Engine
from dockcaddy.engine.api.failures import failure_of
from dockcaddy.errors import EngineUnreachable
from requests.exceptions import ConnectionError, SSLError
from urllib3.exceptions import MaxRetryError, ProtocolError


def advice(url: str) -> str:
    with pytest.raises(EngineUnreachable) as raised:
        Engine(Connection(url)).inventory()
    return raised.value.advice


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    said = advice(f"unix://{tmp_path}/docker.sock")
    assert "does not answer: No such file or directory: start Docker (systemctl start docker)" in said
    assert "--docker-sockets unix:///PATH" in said


def test_a_socket_that_nobody_listens_at(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"{tmp_path}/docker.sock")
    assert advice(f"unix://{tmp_path}/docker.sock").endswith(
        "Connection refused: start Docker (systemctl start docker)"
    )


def test_a_path_that_cannot_be_looked_at() -> None:
    # as in a folder that is closed to us, which root cannot have
    assert "File name too long" in advice(f"unix:///tmp/{'x' * 300}/docker.sock")


def test_a_port_that_nobody_listens_at(free_port: Callable[[], int]) -> None:
    said = advice(f"tcp://127.0.0.1:{free_port()}")
    assert said.endswith("Connection refused: start the engine, or correct the port in its URL")


@pytest.mark.parametrize(
    ("cause", "by_socket", "remedy"),
    [
        (OSError(errno.EACCES, "Permission denied"), True, "join the docker group (usermod -aG docker $USER)"),
        (OSError(errno.EACCES, "Permission denied"), False, ""),
        (socket.gaierror(-2, "Name or service not known"), False, "no such host"),
        (TimeoutError("no answer within 10 s"), True, ""),
        (ConnectionAbortedError(errno.ECONNABORTED, "ssh: connect: Connection refused"), False, "start an ssh server"),
    ],
)
def test_each_cause_has_its_remedy(cause: Exception, by_socket: bool, remedy: str) -> None:
    failure = failure_of(ConnectionError(ProtocolError("Connection aborted.", cause)), by_socket=by_socket)
    assert failure.remedy.startswith(remedy) and bool(failure.remedy) is bool(remedy)


@pytest.mark.parametrize(
    ("url", "remedy"),
    [("unix:///run/x.sock", "restart it if it hangs"), ("tcp://127.0.0.1:2375", "correct its URL, or")],
)
def test_an_engine_that_does_not_answer_in_time(url: str, remedy: str) -> None:
    assert Connection(url).unreachable(TimeoutError("no answer within 10 s")).remedy.startswith(remedy)


def test_certificates_that_do_not_fit() -> None:
    error = SSLError(MaxRetryError(None, "/version", ssl.SSLCertVerificationError("certificate verify failed")))  # type: ignore[arg-type]
    assert "--docker-certs-path FOLDER" in failure_of(error, by_socket=False).remedy


def test_the_environments_engine_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/other.sock")
    assert advice("").startswith(f"DOCKER_HOST=unix://{tmp_path}/other.sock does not answer")
    monkeypatch.delenv("DOCKER_HOST")
    assert Connection().place == "the default docker socket unix:///var/run/docker.sock"
    assert "DOCKER_HOST" not in os.environ

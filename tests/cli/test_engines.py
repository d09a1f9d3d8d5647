"""Engines as people name them: what cannot be meant ends the program at once, what is down is waited for."""

from collections.abc import Callable
from pathlib import Path

import pytest

WRONG = [
    ("/var/run/docker.sock", "write unix:///var/run/docker.sock"),
    ("unix:/var/run/docker.sock", "write unix:///var/run/docker.sock"),
    ("unix://var/run/docker.sock", "write unix:///var/run/docker.sock"),
    ("docker.sock", "write unix:// and the socket's absolute path"),
    ("unxi:///var/run/docker.sock", 'did you mean "unix"'),
    ("ftp://host:21", "write unix:///var/run/docker.sock or tcp://HOST:2375"),
    ("localhost:2375", "write tcp://localhost:2375"),
    ("tcp://localhost", "a port is missing, write tcp://localhost:2375"),
    ("tcp://localhost:99999", "the port is not a number from 1 to 65535"),
    ("tcp://localhost:docker", "the port is not a number from 1 to 65535"),
    ("tcp://:2375", "a host is missing"),
    ("localhost", "write unix:///var/run/docker.sock or tcp://HOST:2375"),
]


@pytest.mark.parametrize(("url", "remedy"), WRONG)
@pytest.mark.parametrize("command", ["run", "render", "check", "snapshot"])
def test_a_url_that_is_no_engines_is_a_settings_error(dockcaddy: Callable, url: str, remedy: str, command: str) -> None:
    result = dockcaddy(command, "--docker-sockets", url)
    assert (result.status, result.out) == (2, "")
    assert f"--docker-sockets {url}: " in result.err and remedy in result.err
    assert result.err.count("\n") == 1


def test_so_is_a_wrong_docker_host(dockcaddy: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "/var/run/docker.sock")
    result = dockcaddy("render")
    assert result.status == 2
    assert "environment variable DOCKER_HOST=/var/run/docker.sock: not a URL, write unix:///" in result.err


def test_a_folder_without_certificates_is_a_settings_error(dockcaddy: Callable, tmp_path: Path) -> None:
    result = dockcaddy("run", "--docker-sockets", "tcp://127.0.0.1:9", "--docker-certs-path", str(tmp_path))
    assert result.status == 2 and "ca.pem, cert.pem, key.pem not found there" in result.err


@pytest.mark.parametrize("command", ["run", "render", "check"])
def test_a_base_caddyfile_that_is_not_there_is_a_settings_error(
    dockcaddy: Callable, tmp_path: Path, command: str
) -> None:
    path = tmp_path / "Caddyfile"
    result = dockcaddy(command, "--docker-sockets", "unix:///nowhere", "--caddyfile-path", str(path))
    assert result.status == 2 and f"--caddyfile-path {path}: " in result.err


@pytest.mark.parametrize("command", ["render", "check", "snapshot"])
def test_an_engine_that_is_down_is_told_with_what_to_do(dockcaddy: Callable, command: str) -> None:
    result = dockcaddy(command, "--docker-sockets", "unix:///nowhere/docker.sock")
    assert (result.status, result.out) == (3, "")
    assert "unix:///nowhere/docker.sock does not answer: No such file or directory: start Docker" in result.err

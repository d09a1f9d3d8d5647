"""The real engine over ssh: a real ssh server on this machine, the user's configuration and key, lists and events."""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import frozen
from dockcaddy.engine import Connection, Engine, EngineOptions
from dockcaddy.engine.api.ssh import command
from dockcaddy.errors import EngineUnreachable
from real_engine import Containers, docker

Eventually = Callable[..., None]
SERVER = "/usr/sbin/sshd"


@frozen
class Server:
    """An ssh server. `configuration` is the user's, which knows the host `nas`."""

    configuration: Path
    process: "subprocess.Popen[bytes]"


@pytest.fixture
def server(
    tmp_path: Path, free_port: Callable[[], int], eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    Path("/run/sshd").mkdir(exist_ok=True)
    port = free_port()
    (tmp_path / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {tmp_path}/host\nPidFile none\nStrictModes no\nUsePAM no\n"
        f"AuthorizedKeysFile {tmp_path}/user.pub\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
        f"SetEnv PATH={os.environ['PATH']}\n"
    )
    known = (tmp_path / "host.pub").read_text().split()[:2]
    (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{port} {' '.join(known)}\n")
    user = tmp_path / "config"
    user.write_text(
        f"Host nas\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {tmp_path}/user\n"
        f"  UserKnownHostsFile {tmp_path}/known_hosts\n"
    )
    # the ssh program asks the system for the home directory, not the environment, so the configuration is given to it
    (tmp_path / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {user} "$@"\n')
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    process = subprocess.Popen([SERVER, "-D", "-e", "-f", tmp_path / "sshd_config"], stderr=subprocess.DEVNULL)

    def listens() -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", port)) == 0

    try:
        eventually(lambda: process.poll() is not None or listens())
        assert process.poll() is None
        yield Server(user, process)
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.engine
@pytest.mark.ssh
def test_an_engine_over_ssh_is_listed_and_heard(server: Server, containers: Containers, eventually: Eventually) -> None:
    containers.prefix = containers.mark
    first = containers.run("first", caddy="http://first.test")
    engine = Engine(Connection("ssh://root@nas"), EngineOptions(containers.mark))
    heard: list[bool] = []
    engine.start(lambda urgent=False: heard.append(urgent))

    def names() -> set[str]:
        return {each.name for each in engine.inventory().resources if each.running}

    assert names() == {first}
    eventually(lambda: heard)
    # nothing is polled here: these are events
    second = containers.run("second", caddy="http://second.test")
    eventually(lambda: names() == {first, second})
    docker("rm", "-f", first)
    eventually(lambda: names() == {second})
    engine.close()


class Calls:
    """Makes each call of an engine in a thread of its own. `wait` waits for all of them."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []

    def perform(self, ask: Callable[[], object], done: Callable[[object], None]) -> None:
        def call() -> None:
            try:
                answer = ask()
            except Exception as error:
                answer = error
            done(answer)

        self.go_on("call", call)

    def go_on(self, name: str, loop: Callable[[], None]) -> None:
        self.threads.append(threading.Thread(target=loop, name=name, daemon=True))
        self.threads[-1].start()

    def close(self) -> None:
        pass

    def wait(self) -> None:
        for each in self.threads:
            each.join(30)


def refusal() -> EngineUnreachable:
    """The error of an engine over ssh, once none of its calls goes on."""
    calls = Calls()
    engine = Engine(Connection("ssh://root@nas"), work=calls)
    with pytest.raises(EngineUnreachable) as raised:
        engine.inventory()
    engine.close()
    calls.wait()
    return raised.value


@pytest.mark.ssh
def test_what_ssh_says_is_said_with_what_to_do(server: Server) -> None:
    (server.configuration.parent / "known_hosts").write_text("")
    error = refusal()
    assert str(error).startswith("ssh://root@nas does not answer: ssh: ")
    assert "Host key verification failed" in str(error)
    assert error.remedy == "add the host's key: ssh-keyscan HOST >> ~/.ssh/known_hosts, and compare it"


@pytest.mark.ssh
def test_a_key_that_the_host_does_not_accept(server: Server) -> None:
    (server.configuration.parent / "user.pub").write_text("")
    error = refusal()
    assert "Permission denied" in str(error)
    assert error.remedy.startswith("let dockcaddy's user log in with a key and without a password")


def test_the_command_that_is_run() -> None:
    words = command("ssh://deploy@nas:2222/run/user/1000/docker.sock")
    assert words[0] == "ssh" and "BatchMode=yes" in words
    at = "--host unix:///run/user/1000/docker.sock"
    assert " ".join(words).endswith(f"-l deploy -p 2222 -- nas docker {at} system dial-stdio")
    assert command("ssh://nas")[-5:] == ["--", "nas", "docker", "system", "dial-stdio"]

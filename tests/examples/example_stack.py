"""Bring an example up on the real engine, with dockcaddy on the host in front of it."""

import hashlib
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import define
from ports import free_port
from visiting import asked_again

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def run(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a command; gives what it prints."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


@define
class Answer:
    """What a visitor got."""

    status: int
    body: str
    headers: dict[str, str]


@define
class Stack:
    """An example that is up."""

    project: str
    folder: Path
    port: int
    log_file: Path
    environment: dict[str, str]
    files: tuple[str, ...]

    def compose(self, *arguments: str) -> str:
        """Run docker compose on it."""
        files = [part for file in self.files for part in ("-f", file)]
        return run("docker", "compose", "-p", self.project, *files, *arguments, cwd=self.folder, env=self.environment)

    @asked_again
    def get(self, host: str, path: str = "/", method: str = "GET", **headers: str) -> Answer:
        """A request over TLS, with the path as it is written."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection = http.client.HTTPConnection(host, self.port, timeout=10)
        connection.sock = context.wrap_socket(raw, server_hostname=host)
        try:
            connection.putrequest(method, path, skip_host=True)
            for key, value in {
                "Host": host,
                **{key.replace("_", "-"): value for key, value in headers.items()},
            }.items():
                connection.putheader(key, value)
            connection.endheaders()
            answer = connection.getresponse()
            fields = {key.lower(): value for key, value in answer.getheaders()}
            return Answer(answer.status, answer.read().decode(errors="replace"), fields)
        finally:
            connection.close()

    def container(self, service: str, number: int = 1) -> str:
        """The name of a service's container."""
        return f"{self.project}-{service}-{number}"

    def log(self) -> str:
        """What dockcaddy has said."""
        return self.log_file.read_text()


def built(tag: str, folder: Path, requirements: Path | None) -> None:
    """Build an example's image from wheels, where it is not there or its files have changed."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        digest.update(path.read_bytes())
    mark = f"{tag}:{digest.hexdigest()[:12]}"
    known = subprocess.run(["docker", "image", "inspect", mark], capture_output=True, check=False)
    if known.returncode:
        _build(mark, folder, requirements)
    run("docker", "tag", mark, f"{tag}:latest")


def _build(mark: str, folder: Path, requirements: Path | None) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        context = Path(name) / "context"
        shutil.copytree(folder, context)
        options = ""
        if requirements is not None:
            platforms = ["--platform=manylinux2014_x86_64", "--platform=manylinux_2_28_x86_64", "--platform=any"]
            pip = [sys.executable, "-m", "pip", "download", "-q", "-d", str(context / "wheels"), "--only-binary=:all:"]
            run(
                *pip,
                "--python-version=3.11",
                "--implementation=cp",
                *platforms,
                "-r",
                str(requirements),
                "async-timeout",
            )
            options = "--no-index --find-links=wheels"
        run(
            *("docker", "build", "--network=none", "-q", "-t", mark, "--build-arg", f"PIP_OPTIONS={options}", "."),
            cwd=context,
            env={"DOCKER_BUILDKIT": "0"},
        )


@pytest.fixture(scope="session")
def bring_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stack]]:
    """Starts an example and a dockcaddy in front of it; both are gone at the end."""
    stacks: list[tuple[Stack, subprocess.Popen[bytes]]] = []

    def start(name: str, *services: str, environment: dict[str, str] | None = None, override: str = "") -> Stack:
        folder = tmp_path_factory.mktemp(name)
        port, http_port = free_port(), free_port()
        (folder / "Caddyfile").write_text(
            f"{{\n\thttp_port {http_port}\n\thttps_port {port}\n\tskip_install_trust\n\tlocal_certs\n}}\n"
        )
        files: tuple[str, ...] = ("compose.yaml",)
        if override:
            (folder / "override.yaml").write_text(override)
            files = ("compose.yaml", str(folder / "override.yaml"))
        log_file = folder / "log"
        project = f"dct-{name}-{os.getpid()}"
        stack = Stack(project, EXAMPLES / name, port, log_file, environment or {}, files)
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("CADDY_", "DOCKCADDY_"))}
        clean |= {"XDG_CONFIG_HOME": str(folder / "config"), "XDG_DATA_HOME": str(folder / "data")}
        command = [sys.executable, "-m", "dockcaddy", "run", "--state-directory", str(folder / "state")]
        # no poll: what is served follows the engine's events
        command += ["--set", "admin=off", "--polling-interval", "0", "--caddyfile-path", str(folder / "Caddyfile")]
        # it comes before the one in /etc
        (folder / "dockcaddy.toml").touch()
        with log_file.open("wb") as log:
            process = subprocess.Popen(command, stderr=log, stdout=log, env=clean, cwd=folder)
        stacks.append((stack, process))
        stack.compose("up", "-d", "--no-build", *services)
        return stack

    yield start
    for stack, process in stacks:
        try:
            stack.compose("down", "-v", "--timeout", "1")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    """Waits until a condition holds."""

    def wait(condition: Callable[[], object], looks: int = 10_000) -> None:
        last: object = None
        for _ in range(looks):
            try:
                last = condition()
                if last:
                    return
            except (OSError, KeyError, http.client.HTTPException) as error:
                last = error
            time.sleep(0.02)
        pytest.fail(f"did not happen within {looks} looks, last: {last!r}")

    return wait

"""A running dockcaddy beside a real engine, and containers that are gone afterwards."""

import http.client
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import define, field
from visiting import asked_again


@define
class Dockcaddy:
    """`dockcaddy run` in a process of its own."""

    process: "subprocess.Popen[bytes]"
    log_file: Path
    port: int

    def log(self) -> str:
        """What it has said so far."""
        return self.log_file.read_text()

    @asked_again
    def get(self, host: str, path: str = "/", method: str = "GET") -> tuple[int, str, dict[str, str]]:
        """Status, body and headers that a visitor of the site gets."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace"), {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()

    def body(self, host: str) -> str:
        """The body a visitor gets."""
        return self.get(host)[1]

    def end(self) -> int:
        """Ask it to end; gives the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@define
class Containers:
    """Containers of one test."""

    mark: str
    names: list[str] = field(factory=list)

    def run(
        self, name: str, *options: str, image: str = "traefik/whoami", command: tuple[str, ...] = (), **labels: str
    ) -> str:
        """Start one with labels; `__` stands for a dot in a key. Gives its full name."""
        full = f"{self.mark}-{name}"
        given = [f"--label={key.replace('__', '.')}={value}" for key, value in labels.items()]
        docker(
            "run",
            "-d",
            f"--name={full}",
            f"--label=test={self.mark}",
            f"--hostname={name}",
            *given,
            *options,
            image,
            *command,
        )
        self.names.append(full)
        return full

    def remove_all(self) -> None:
        """Leave nothing behind."""
        found = docker("ps", "-aq", "--filter", f"label=test={self.mark}").split()
        if found:
            docker("rm", "-f", "-v", *found)


def docker(*arguments: str) -> str:
    """Run the docker command; gives what it prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def containers() -> Iterator[Containers]:
    made = Containers(f"dc{uuid.uuid4().hex[:8]}")
    yield made
    made.remove_all()


@pytest.fixture
def start_dockcaddy(
    tmp_path: Path, free_port: Callable[[], int], eventually: Callable[..., None]
) -> Iterator[Callable[..., Dockcaddy]]:
    started: list[Dockcaddy] = []

    def start(*options: str) -> Dockcaddy:
        log_file = tmp_path / f"log{len(started)}"
        environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("CADDY_", "DOCKCADDY_")) or key.startswith("DOCKCADDY_TESTS_")
        }
        environment |= {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "data")}
        command = [sys.executable, "-m", "dockcaddy", "run", "--state-directory", str(tmp_path / "state")]
        command += ["--set", "admin=off", "--log-level", "debug", *options]
        with log_file.open("wb") as log:
            process = subprocess.Popen(command, stderr=log, stdout=log, env=environment, cwd=tmp_path)
        made = Dockcaddy(process, log_file, free_port())
        started.append(made)
        eventually(lambda: "watching" in made.log() or process.poll() is not None)
        assert process.poll() is None, made.log()
        return made

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()

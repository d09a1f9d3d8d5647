"""Replicas on a real engine, the program that proxies to them, and a load generator."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import define
from dockcaddy.caddy import AdminClient
from dockcaddy.errors import CaddyUnreachable

HERE = Path(__file__).parent


@define
class Replicas:
    """Containers of one test, from the Python image. Its mark is the prefix of their labels: others are not counted."""

    mark: str
    made: int = 0

    def site(self, address: str, directives: dict[str, str]) -> dict[str, str]:
        """The labels of a site."""
        return {self.mark: address} | {f"{self.mark}.{key}": value for key, value in directives.items()}

    def start(self, how: str, labels: dict[str, str], *options: str) -> str:
        """Start one; gives its name."""
        self.made += 1
        name = f"{self.mark}-{self.made}"
        given = [f"--label={key}={value}" for key, value in ({"test": self.mark} | labels).items()]
        code = (HERE / "replica.py").read_text()
        docker("run", "-d", f"--name={name}", *given, *options, "python:3.11-slim", "python3", "-c", code, how)
        return name

    def stop(self, name: str) -> None:
        """`docker stop`: SIGTERM, and time to end."""
        docker("stop", "-t", "10", name)

    def healthy(self, *names: str) -> bool:
        """Whether the health checks of all of these say so."""
        told = docker("inspect", "--format", "{{.State.Health.Status}}", *names).split()
        return told == ["healthy"] * len(names)

    def remove_all(self) -> None:
        """Leave nothing behind."""
        if found := docker("ps", "-aq", "--filter", f"label=test={self.mark}").split():
            docker("rm", "-f", "-v", *found)


@define
class Load:
    """A load generator's visit of one site, until it is told to end."""

    process: "subprocess.Popen[str]"
    report: str = ""

    def end(self) -> None:
        """Stop it and have its report."""
        self.process.send_signal(signal.SIGINT)
        self.report = self.process.communicate(timeout=30)[0]

    @property
    def answers(self) -> dict[int, int]:
        """How many answers there were of each status."""
        return {int(status): int(count) for status, count in re.findall(r"\[(\d{3})\]\s+(\d+) responses", self.report)}

    @property
    def bytes(self) -> int:
        """How much was read. Caddy answers for a site that it does not know with status 200 and nothing."""
        found = re.search(r"Total data:\s+(\d+) bytes", self.report)
        return int(found[1]) if found else 0

    @property
    def errors(self) -> str:
        """What was not answered at all."""
        return self.report.partition("Error distribution:")[2].strip()


@define
class Running:
    """`dockcaddy run` in a process of its own."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    port: int

    def loads(self) -> int:
        """How many configurations Caddy was given."""
        return (self.folder / "log").read_text().count("load complete")

    def upstreams(self) -> int:
        """To how many containers Caddy proxies."""
        client = AdminClient(f"unix/{self.folder}/state/admin.sock")
        try:
            return len(json.loads(client.request("GET", "/reverse_proxy/upstreams")))
        except CaddyUnreachable:
            # its admin endpoint is away for a moment whenever another configuration takes over
            return -1
        finally:
            client.close()


def docker(*arguments: str) -> str:
    """Run the docker command; gives what it prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def replicas() -> Iterator[Replicas]:
    made = Replicas(f"dl{uuid.uuid4().hex[:8]}")
    yield made
    made.remove_all()


@pytest.fixture
def running(
    replicas: Replicas, tmp_path: Path, free_port: Callable[[], int], eventually: Callable[..., None]
) -> Iterator[Running]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CADDY_", "DOCKCADDY_"))}
    environment |= {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "data")}
    command = [sys.executable, "-m", "dockcaddy", "run", "--state-directory", str(tmp_path / "state")]
    command += ["--set", "admin=off", "--log-level", "debug", "--label-prefix", replicas.mark]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=tmp_path)
    made = Running(process, tmp_path, free_port())
    eventually(lambda: made.loads() or process.poll() is not None)
    assert process.poll() is None, (tmp_path / "log").read_text()
    yield made
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture
def load(running: Running) -> Iterator[Callable[[str], Load]]:
    """Starts the load generator on a site: ten clients that each ask fifty times a second.

    hey asks as browsers and proxies do: again, where a kept connection was closed before it had an answer. Caddy closes
    those whenever it takes another configuration, so that wrk counts ten errors at each.
    """
    program = shutil.which("hey")
    if program is None:
        pytest.skip("no load generator: apt-get install hey")
    started: list[Load] = []

    def start(host: str) -> Load:
        url = f"http://127.0.0.1:{running.port}/"
        command = [program, "-z", "120s", "-c", "10", "-q", "50", "-t", "10", "-host", host, url]
        started.append(Load(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()

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
from typing import Any

import pytest
from attrs import define
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.errors import CaddyUnreachable

HERE = Path(__file__).parent
# of a replica's answer, in bytes
SIZE = 16


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


# a connection that Caddy has accepted and closes
_CUT = re.compile(r"\[(\d+)\]\s+Get \S+ EOF")


@define
class HeyLoad(Load):
    """hey asks as browsers and proxies do: again, where a kept connection was closed before it had an answer."""

    @property
    def answers(self) -> int:
        """How many right answers there were. Caddy answers for a site that it does not know with status 200 and nothing."""
        found = re.search(r"Total data:\s+(\d+) bytes", self.report)
        return int(found[1]) // SIZE if found else 0

    @property
    def failures(self) -> list[str]:
        """What was not answered, or not with status 200 and everything."""
        counted = {status: int(count) for status, count in re.findall(r"\[(\d{3})\]\s+(\d+) responses", self.report)}
        errors = [line for line in self._errors if not _CUT.fullmatch(line)]
        wrong = [f"{count} times status {status}" for status, count in counted.items() if status != "200"]
        short = counted.get("200", 0) - self.answers
        return [*errors, *wrong, *([f"{short} short answers"] if short else [])]

    @property
    def cut(self) -> int:
        """How many new connections were closed before they had an answer."""
        return sum(int(found[1]) for line in self._errors if (found := _CUT.fullmatch(line)))

    @property
    def _errors(self) -> list[str]:
        lines = self.report.partition("Error distribution:")[2].split("\n")
        return [*filter(None, map(str.strip, lines))]


@define
class WrkLoad(Load):
    """wrk asks once, so that it also counts what every browser hides."""

    @property
    def answers(self) -> int:
        """How many answers there were."""
        found = re.search(r"(\d+) requests in", self.report)
        return int(found[1]) if found else 0

    @property
    def failures(self) -> list[str]:
        """What was not answered, or not with status 200 and everything."""
        lines = [line.strip() for line in self.report.splitlines()]
        return [line for line in lines if line.startswith(("Socket errors:", "Non-2xx", "wrong"))]


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


@pytest.fixture(autouse=True)
def connections_are_handed_on() -> Iterator[None]:
    """As docs/reliability.md says, so that none is reset between two configurations; only root can."""
    setting = Path("/proc/sys/net/ipv4/tcp_migrate_req")
    if not os.access(setting, os.W_OK):
        yield
        return
    before = setting.read_text()
    setting.write_text("1")
    yield
    setting.write_text(before)


@pytest.fixture
def options() -> tuple[str, ...]:
    """More options of `dockcaddy run`."""
    return ()


@pytest.fixture
def running(
    replicas: Replicas,
    tmp_path: Path,
    free_port: Callable[[], int],
    eventually: Callable[..., None],
    options: tuple[str, ...],
) -> Iterator[Running]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CADDY_", "DOCKCADDY_"))}
    environment |= {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "data")}
    command = [sys.executable, "-m", "dockcaddy", "run", "--state-directory", str(tmp_path / "state")]
    command += ["--set", "admin=off", "--log-level", "debug", "--label-prefix", replicas.mark, *options]
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


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"no load generator: apt-get install {name}"
    return found


@pytest.fixture
def start_load() -> Iterator[Callable[..., Any]]:
    """Starts a load generator; it is gone at the end."""
    started: list[Load] = []

    def start(kind: type[Load], *command: str) -> Load:
        started.append(kind(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


@pytest.fixture
def hey(running: Running, start_load: Callable[..., HeyLoad]) -> Callable[[str], HeyLoad]:
    """Ten clients that each ask fifty times a second."""
    url = f"http://127.0.0.1:{running.port}/"
    options = ("-z", "120s", "-c", "10", "-q", "50", "-t", "10")
    return lambda host: start_load(HeyLoad, _program("hey"), *options, "-host", host, url)


@pytest.fixture
def wrk(running: Running, start_load: Callable[..., WrkLoad], tmp_path: Path) -> Callable[[str], WrkLoad]:
    """Ten clients that ask as fast as they are answered."""
    script = tmp_path / "wrong.lua"
    script.write_text(
        f"function response(status, headers, body)\n"
        f"  if status ~= 200 or #body ~= {SIZE} then print('wrong: status ' .. status .. ', ' .. body) end\n"
        f"end\n"
    )
    url = f"http://127.0.0.1:{running.port}/"
    options = ("-t", "1", "-c", "10", "-d", "120s", "--timeout", "10s", "-s", str(script))
    return lambda host: start_load(WrkLoad, _program("wrk"), *options, "-H", f"Host: {host}", url)

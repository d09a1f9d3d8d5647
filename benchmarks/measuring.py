"""What the benchmarks of whole processes share: an engine that is told what runs, the programs, clocks and meters."""

import compileall
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from attrs import define, field

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "worlds"))

from ports import free_port
from stand_in_container import StandInContainer
from stand_in_engine import StandInEngine

ROOT = Path(__file__).parent.parent
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
HOW = {"wrk": "apt-get install wrk"}
PATIENCE = 180.0
# how long requests are sent, in seconds
SECONDS = 3

# each thread of wrk asks for one host after the other
SCRIPT = """
local hosts, number = {%s}, 0
request = function()
    number = number %% #hosts + 1
    return wrk.format("GET", "/", {Host = hosts[number]})
end
"""


def program(name: str) -> str:
    """A program of the environment's, or of the machine's. Ends with a hint where there is none."""
    found = shutil.which(name, path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise SystemExit(f"no {name}: {HOW.get(name, f'pip install {name}-bin')}")
    return found


def body(port: int, host: str) -> str:
    """What a visitor of the site gets; empty where nobody answers or with another status than 200."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as visitor:
        visitor.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := visitor.recv(65536):
            answer += piece
        head, _, content = answer.partition(b"\r\n\r\n")
        if b" 200 " in head.split(b"\r\n", 1)[0]:
            return content.decode(errors="replace")
    return ""


def seconds_until(condition: Callable[[], object], begun: float, pause: float = 0.001) -> float:
    """From `begun` until a condition holds."""
    while not condition():
        if time.perf_counter() > begun + PATIENCE:
            raise SystemExit(f"not within {PATIENCE:.0f} s")
        time.sleep(pause)
    return time.perf_counter() - begun


@define(eq=False)
class Program:
    """A proxy that watches the engine, in a process of its own."""

    name: str
    process: "subprocess.Popen[bytes]"
    port: int
    log: Path
    folder: Path

    @property
    def admin(self) -> str:
        """Where its Caddy, or Caddy itself, takes configurations."""
        return f"unix/{self.folder}/admin.sock"

    @property
    def children(self) -> list[int]:
        """The processes that it started."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for task in tasks for pid in task.read_text().split()]

    def answers(self, container: StandInContainer) -> bool:
        """Whether the container answers on its site."""
        return body(self.port, f"{container.name}.test") == container.address

    def shows(self, host: str) -> bool:
        """Whether anything answers on a site."""
        return bool(body(self.port, host))

    def cpu(self) -> float:
        """Seconds of processor time that it and its children have used."""
        return sum(_cpu(pid) for pid in (self.process.pid, *self.children))

    def load(self, seconds: float) -> float:
        """How much of one core it uses, in percent, over some time from now on."""
        before, begun = self.cpu(), time.perf_counter()
        time.sleep(seconds)
        return (self.cpu() - before) / (time.perf_counter() - begun) * 100

    def memory(self) -> float:
        """Its resident memory in MB, without its children."""
        return _memory(self.process.pid)

    def memory_of_children(self) -> float:
        """Its children's resident memory in MB."""
        return sum(_memory(pid) for pid in self.children)

    def settle(self) -> None:
        """Wait until it has nothing more to do."""
        while self.load(1.0) > 3.0:
            pass


def one_more(watched: StandInEngine, running: Program, name: str, labels: dict[str, str]) -> float:
    """Milliseconds from the start event of one more container to its first right answer."""
    made = watched.create(name, labels)
    # so long Docker Engine 20.10 takes from one to the next
    time.sleep(0.1)
    watched.connect(name)
    time.sleep(0.2)
    begun = time.perf_counter()
    watched.start(name)
    taken = seconds_until(lambda: running.answers(made), begun)
    running.settle()
    return taken * 1000


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6


@contextlib.contextmanager
def engine() -> Iterator[StandInEngine]:
    """An engine of our own, whose containers answer HTTP with their addresses."""
    with tempfile.TemporaryDirectory() as folder, StandInEngine(f"{folder}/engine.sock", free_port()) as made:
        yield made


@contextlib.contextmanager
def dockcaddy(socket_path: str, port: int, *options: str) -> Iterator[Program]:
    """`dockcaddy run` on the engine at a unix socket."""
    # as pip does where it installs: else each start compiles them, if the environment forbids to keep the result
    for modules in ("core", "plugins"):
        compileall.compile_dir(ROOT / modules, quiet=1)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "dockcaddy", "run", "--set", "admin=off", "--state-directory", folder]
        command += ["--docker-sockets", f"unix://{socket_path}", *options]
        with _running("dockcaddy", command, port, Path(folder)) as made:
            yield made


def _listens(path: str) -> bool:
    """Whether somebody listens at a unix socket: its file is there a moment before."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as made:
        made.connect(path)
        return True
    return False


@contextlib.contextmanager
def caddy(port: int) -> Iterator[Program]:
    """A Caddy by itself, without a site."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "caddy.json"
        config.write_text(json.dumps({"admin": {"listen": f"unix/{folder}/admin.sock"}}))
        with _running("caddy", [program("caddy"), "run", "--config", str(config)], port, Path(folder)) as made:
            seconds_until(lambda: _listens(f"{folder}/admin.sock"), time.perf_counter())
            yield made


@contextlib.contextmanager
def traefik(socket_path: str, port: int) -> Iterator[Program]:
    """Traefik on the engine at a unix socket, as fast as it can be told to be."""
    with tempfile.TemporaryDirectory() as folder:
        options = {
            "providers.docker.endpoint": f"unix://{socket_path}",
            "providers.docker.exposedbydefault": "true",
            "providers.providersthrottleduration": "0",
            "entrypoints.web.address": f"127.0.0.1:{port}",
            "global.checknewversion": "false",
            "global.sendanonymoususage": "false",
            "log.level": "ERROR",
        }
        command = [program("traefik"), *(f"--{key}={value}" for key, value in options.items())]
        with _running("traefik", command, port, Path(folder)) as made:
            yield made


@contextlib.contextmanager
def _running(name: str, command: list[str], port: int, folder: Path) -> Iterator[Program]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CADDY_", "DOCKCADDY_"))}
    environment |= {"XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    log = folder / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(command, stdout=written, stderr=written, env=environment, cwd=folder)
    try:
        yield Program(name, process, port, log, folder)
    finally:
        process.terminate()
        process.wait(30)


@define
class Table:
    """Rows of a Markdown table, printed as they come."""

    columns: tuple[str, ...]
    _begun: bool = field(default=False)

    def row(self, *cells: object) -> None:
        """Print one row."""
        if not self._begun:
            print("| " + " | ".join(self.columns) + " |")
            print("| --- " + "| ---: " * (len(self.columns) - 1) + "|")
            self._begun = True
        print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def visits(running: Program, hosts: Sequence[str]) -> tuple[float, float]:
    """Microseconds of processor time for a request, and requests a second."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % ",".join(f'"{host}"' for host in hosts))
        script.flush()
        command = [program("wrk"), "-t1", "-c8", f"-d{SECONDS}", "-s", script.name, f"http://127.0.0.1:{running.port}/"]
        before = running.cpu()
        said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        used = running.cpu() - before
    total = re.search(r"(\d+) requests in", said)
    assert total is not None and "Non-2xx" not in said, said
    return used / int(total[1]) * 1e6, int(total[1]) / SECONDS

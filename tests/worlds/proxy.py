"""`dockcaddy run` in a process of its own, as tests see it: its log, and what visitors of its sites get."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

import visiting
from attrs import define, field
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable


@define(eq=False)
class Proxy:
    """The running program, and its log, read as it comes: a full disk is not to hold it.

    `port` is for its sites: nobody else listens there. `admin` is where its own Caddy is told what to do.
    """

    process: "subprocess.Popen[str]"
    port: int
    admin: str
    lines: list[str] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(self.process.stderr)

    def said(self, text: str) -> int:
        """How many lines of the log have this text."""
        return sum(text in line for line in self.lines)

    @property
    def log(self) -> str:
        """All that it said."""
        return "".join(self.lines)

    @property
    def loads(self) -> int:
        """How many configurations Caddy was given; each is told before it takes over."""
        self._read_up_to_now()
        return self.said("received request: POST /load")

    @property
    def taken_over(self) -> int:
        """How many of them have taken over."""
        self._read_up_to_now()
        return self.said("load complete")

    def _read_up_to_now(self) -> None:
        """What Caddy has said reaches us by two pipes, and by then its sites may have answered for long."""
        mark = f"/config/{uuid.uuid4().hex}"
        # answered when no configuration is on its way any more; while Caddy hangs or is away there is nothing to read
        with suppress(CaddyUnreachable, CaddyRefusal):
            AdminClient(self.admin, timeout=5, connect_timeout=1).request("GET", mark)
        deadline = time.monotonic() + 1
        while not self.said(f"GET {mark}") and time.monotonic() < deadline and self.caddy:
            time.sleep(0.005)

    def body(self, host: str, path: str = "/") -> str:
        """What a visitor of the site gets."""
        return visiting.body(self.port, host, path)

    @property
    def caddy(self) -> int:
        """The process id of its Caddy, 0 where there is none."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        pids = [int(pid) for path in children for pid in path.read_text().split()]
        return next((pid for pid in pids if _serves(pid)), 0)

    @property
    def threads(self) -> int:
        """How many threads it has."""
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))

    @property
    def cpu(self) -> float:
        """How much work it has done, in seconds of a processor, without its Caddy's."""
        user, system = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def limit_files(self, size: int) -> None:
        """No file of dockcaddy's may grow beyond `size` bytes, -1 lifts that; its Caddy is not touched."""
        _, most = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size if size >= 0 else most, most))

    def end(self) -> int:
        """Ask it to end; gives the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def leave_nothing(self) -> None:
        """End it, whatever state it is in."""
        if self.process.poll() is not None:
            return
        try:
            self.end()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(folder: Path, port: int, *options: str) -> Proxy:
    """`dockcaddy run` with everything that it writes in `folder`, without settings of the machine's."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CADDY_", "DOCKCADDY_"))}
    environment |= {"XDG_CONFIG_HOME": str(folder / "config"), "XDG_DATA_HOME": str(folder / "data")}
    command = [sys.executable, "-m", "dockcaddy", "run", "--state-directory", str(folder / "state")]
    command += ["--set", "admin=off", "--log-level", "debug", *options]
    # it comes before the one in /etc
    (folder / "dockcaddy.toml").touch()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, cwd=folder, text=True)
    return Proxy(process, port, f"unix/{folder}/state/admin.sock")


def _serves(pid: int) -> bool:
    """Whether a process is a Caddy that serves, and not one that only adapts."""
    process = Path(f"/proc/{pid}")
    is_caddy = (process / "comm").read_text().strip() == "caddy"
    return is_caddy and "dockcaddy-adapt-" not in str((process / "cwd").resolve())

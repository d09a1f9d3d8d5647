"""A Caddy of our own: started, watched, started again when it dies, and stopped with us."""

import contextlib
import ctypes
import json
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field

from dockcaddy.backoff import pause_after
from dockcaddy.caddy.admin import AdminClient, address_of, listen_address
from dockcaddy.caddy.log import CaddyLog, entry_of, is_about_a_port
from dockcaddy.caddy.ports import holder_of, obstacle
from dockcaddy.errors import CaddyUnreachable
from dockcaddy.logs import report_own_fault

logger = logging.getLogger("dockcaddy.caddy")

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
# a Caddy that lived this long did not die of its configuration
SETTLED_AFTER = 10.0
# so long requests may take to end, in seconds; who stops a container waits ten for all of it
GRACE = 5.0
# so often it may die before it ever answered
DEATHS_AT_START = 3
_PR_SET_PDEATHSIG = 1


def with_defaults(config: bytes, admin: str, log: dict[str, Any] | None = None) -> bytes:
    """The configuration with its admin endpoint where we talk to it, and with our log settings where it has none.

    `admin` is a listen address (`tcp/localhost:2019`, `unix//run/caddy.sock`); other fields of an own `admin` stay.
    """
    if not log and config.startswith(b'{"apps":'):
        # Caddy writes `admin` first, so there is none; parsing a large configuration takes its time
        return b'{"admin":{"listen":' + json.dumps(admin).encode() + b"}," + config[1:]
    decoded = json.loads(config) if config.strip() else {}
    decoded = decoded or {}
    own = decoded.get("admin") or {}
    own.pop("disabled", None)
    decoded["admin"] = {**own, "listen": admin}
    if log and not (decoded.get("logging") or {}).get("logs"):
        decoded["logging"] = {**(decoded.get("logging") or {}), "logs": {"default": log}}
    return json.dumps(decoded, separators=(",", ":")).encode()


@define(eq=False)
class CaddyProcess:
    """The managed child. `admin` is its listen address, `directory` a private folder of ours.

    `on_start` is called from the watching thread each time a new process answers; it has the `initial` configuration
    and nothing else. It is told how often Caddy crashed since the last call: nobody had ended it. `environment` are
    variables that the child has besides ours.
    """

    path: Path
    admin: str
    directory: Path
    on_start: Callable[[int], None] = lambda crashes: None
    initial: Callable[[], bytes] = lambda: b"{}"
    environment: Mapping[str, str] = field(factory=dict)
    starts: int = 0
    failure: str = ""
    _log: CaddyLog = field(factory=CaddyLog)
    _deaths: int = 0
    _crashes: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _stopping: threading.Event = field(factory=threading.Event)
    _ready: threading.Event = field(factory=threading.Event)
    _thread: threading.Thread | None = None
    _log_reader: threading.Thread | None = None

    def start(self, timeout: float = 20.0) -> None:
        """Start it and wait until its admin endpoint answers. Raises CaddyUnreachable with Caddy's last words."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CaddyUnreachable(f"no folder for caddy to run in: {self._folder}: {error.strerror}") from error
        self._end_orphan()
        self._make_sure_of_its_address()
        # the kernel ends the child when the thread that made it ends, so one thread makes all of them
        self._thread = threading.Thread(target=self._watch, name="caddy", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + timeout
        while not self._ready.wait(0.05) and time.monotonic() < deadline and self._deaths < DEATHS_AT_START:
            pass
        if not self._ready.is_set():
            self.stop(0)
            raise CaddyUnreachable(
                f"caddy at {self.path} does not come up: {self.failure or 'its admin endpoint is silent'}"
            )

    def _make_sure_of_its_address(self) -> None:
        """Two of them would share the port and answer by turns (SO_REUSEPORT), and one that gets none would end."""
        ways = "name another one with --admin (or CADDY_ADMIN), off is a private socket"
        unix_path, host, port = address_of(self.admin)
        if unix_path is not None:
            if self._answers():
                raise CaddyUnreachable(f"admin address {self.admin}: another caddy already answers there, {ways}")
            return
        if reason := obstacle(host, port):
            holder = holder_of(port)
            told = f"{reason.lower()}, {holder} has it" if holder else reason.lower()
            if holder is not None and holder.name == "caddy":
                told = f"another caddy already answers there (pid {holder.pid})"
            raise CaddyUnreachable(f"admin address {self.admin}: {told}, {ways}")

    @property
    def pid(self) -> int | None:
        """The process id of the running child."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def stop(self, grace: float = GRACE) -> None:
        """End it: SIGTERM, then SIGKILL after `grace` seconds. No process is left."""
        self._stopping.set()
        process = self._process
        if process is not None and process.poll() is None:
            _end(process, grace)
        if self._thread is not None:
            self._thread.join(grace + 5)
        with contextlib.suppress(OSError):
            self._pid_file.unlink()

    @property
    def _folder(self) -> Path:
        """Caddy's working directory. It stays empty: `file_server` without a root serves it."""
        return self.directory / "empty"

    # --- the watching thread

    @property
    def _pid_file(self) -> Path:
        return self.directory / "caddy.pid"

    def _watch(self) -> None:
        short_lives = 0
        use_initial = True
        while not self._stopping.is_set():
            born = time.monotonic()
            try:
                answered = self._run(use_initial)
            except Exception as error:
                answered, self.failure = False, report_own_fault("", error)
            if self._stopping.is_set():
                return
            lived = time.monotonic() - born
            self._deaths += 1
            # a first configuration that it does not start with must not keep it from starting
            use_initial = answered
            short_lives = 0 if answered and lived > SETTLED_AFTER else short_lives + 1
            # a port that is taken is told by the loop, with who has it
            level = logging.DEBUG if is_about_a_port(self.failure) else logging.ERROR
            logger.log(
                level, "caddy ended after %.1f s (%s), starting it again", lived, self.failure or "no reason given"
            )
            if not (answered and self.starts == 1):
                self._stopping.wait(pause_after(short_lives + 1, FIRST_PAUSE, LONGEST_PAUSE))

    def _run(self, use_initial: bool) -> bool:
        """One life of the child; whether its admin endpoint answered."""
        listen = listen_address(self.admin)
        try:
            content = with_defaults(self.initial() if use_initial else b"{}", listen)
        except Exception as error:
            # it can do without
            report_own_fault("", error)
            content = with_defaults(b"{}", listen)
        process = self._spawn()
        if process is None:
            return False
        self._process = process
        if self._stopping.is_set():
            # `stop` has not seen it
            _end(process, 0)
        answered = False
        try:
            answered = self._accompany(process, content)
        except Exception as error:
            # no reason to end it, and without this thread it would
            report_own_fault("", error)
        # a signal is somebody's, and status 0 says that it was asked to stop
        code = process.wait()
        if code > 0:
            self._crashes += 1
        if self._log_reader is not None:
            self._log_reader.join(1)
        self.failure = self.failure or (f"signal {-code}" if code < 0 else f"exit status {code}")
        return answered

    def _accompany(self, process: "subprocess.Popen[bytes]", content: bytes) -> bool:
        """The first moments of a new child; whether its admin endpoint answers."""
        self._log_reader = threading.Thread(target=self._read_log, args=(process,), daemon=True)
        self._log_reader.start()
        self._note(process.pid)
        _give(process, content)
        answered = self._wait_until_answering(process)
        if answered:
            if self.starts:
                logger.info("caddy answers again")
            self.starts += 1
            self.failure = ""
            self._ready.set()
            crashes, self._crashes = self._crashes, 0
            self.on_start(crashes)
        return answered

    def _note(self, pid: int) -> None:
        """Have the next run find this child, should it outlive us."""
        try:
            descriptor = os.open(self._pid_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{pid} {_birth(pid)}")
        except OSError as error:
            logger.warning("cannot write %s: %s", self._pid_file, error.strerror)

    def _spawn(self) -> "subprocess.Popen[bytes] | None":
        # no file of it, so that a full disk keeps no Caddy from starting
        command = [str(self.path), "run", "--config", "-"]
        library = ctypes.CDLL(None) if os.uname().sysname == "Linux" else None

        def end_with_parent() -> None:
            if library is not None:
                library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd=self._folder,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509  one call into libc, loaded before the fork
            )
        except (OSError, subprocess.SubprocessError) as error:
            self.failure = str(error)
            return None

    def _wait_until_answering(self, process: "subprocess.Popen[bytes]") -> bool:
        while process.poll() is None and not self._stopping.is_set():
            if self._answers():
                return True
            time.sleep(0.01)
        return False

    def _answers(self) -> bool:
        client = AdminClient(self.admin, timeout=5, connect_timeout=1)
        try:
            client.config()
        except CaddyUnreachable:
            return False
        finally:
            client.close()
        return True

    def _read_log(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stderr is not None
        for raw in process.stderr:
            try:
                self._tell(raw.decode(errors="replace").rstrip())
            except Exception as error:
                # a log that nobody reads holds up Caddy
                report_own_fault("", error)

    def _tell(self, line: str) -> None:
        entry = entry_of(line)
        if entry.is_failure:
            self.failure = entry.message
        told = self._log.told(entry)
        if told is not None:
            logger.log(told[0], "%s", told[1])

    def _end_orphan(self) -> None:
        """End the Caddy that an earlier run of ours left behind, so that it does not keep the ports."""
        try:
            pid_text, birth = self._pid_file.read_text().split()
            pid = int(pid_text)
        except (OSError, ValueError):
            return
        if _birth(pid) != birth:
            return
        logger.warning("ending a caddy (pid %d) that an earlier run left behind", pid)
        # it was told to end when its parent did
        for sign, patience in ((signal.SIGTERM, 1.0), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
            deadline = time.monotonic() + patience
            while _birth(pid) == birth and time.monotonic() < deadline:
                time.sleep(0.01)


def _birth(pid: int) -> str:
    """When a process started, in clock ticks since boot; `-` where there is none. Tells a reused id apart."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "-"
    return "-" if after_name[0] == "Z" else after_name[19]


def _end(process: "subprocess.Popen[bytes]", grace: float) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    deadline = time.monotonic() + grace
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


def _give(process: "subprocess.Popen[bytes]", config: bytes) -> None:
    """Hand it its first configuration; one that ended before it had read that has other reasons to tell."""
    assert process.stdin is not None
    with contextlib.suppress(OSError), process.stdin:
        process.stdin.write(config)

"""A Caddy as a child process: start it, restart it when it dies, and stop it with dockcaddy."""

import contextlib
import json
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field

from dockcaddy.backoff import pause_after
from dockcaddy.caddy.admin import AdminClient, listen_address
from dockcaddy.caddy.admin_url import address_of
from dockcaddy.caddy.exchange import decoded
from dockcaddy.caddy.limited_process import ending_with_us
from dockcaddy.caddy.log import CaddyLog, entry_of, is_about_a_port
from dockcaddy.caddy.open_files import raise_limit
from dockcaddy.caddy.passed_on import PassedOn, batches, is_passed_on
from dockcaddy.caddy.ports import holder_of, obstacle
from dockcaddy.errors import CaddyUnreachable
from dockcaddy.logs import report_own_fault
from dockcaddy.settings import limits

T = TypeVar("T")

logger = logging.getLogger("dockcaddy.caddy")

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
# a Caddy that ran for this long did not die because of its configuration, in seconds
STABLE_AFTER = 10.0
# time for requests to finish, in seconds; `docker stop` waits 10 s for everything
GRACE = 5.0
# how often Caddy may die before it answers for the first time
DEATHS_AT_START = 3


def with_defaults(config: bytes, admin: str, log: dict[str, Any] | None = None) -> bytes:
    """The configuration with the admin endpoint at `admin`, and with the log settings `log` unless it has its own.

    `admin` is a listen address (`tcp/localhost:2019`, `unix//run/caddy.sock`). Other fields of the configuration's own
    `admin` part stay.
    """
    if config.startswith(b'{"apps":'):
        # Caddy writes `admin` and `logging` first, so there are none; parsing a large configuration is slow
        ours = {"admin": {"listen": admin}, **({"logging": {"logs": {"default": log}}} if log else {})}
        return json.dumps(ours, separators=(",", ":")).encode()[:-1] + b"," + config[1:]
    made = decoded(config)
    own = made.get("admin") or {}
    own.pop("disabled", None)
    made["admin"] = {**own, "listen": admin}
    logs = made.get("logging") or {}
    if log and not logs.get("logs"):
        made["logging"] = {**logs, "logs": {"default": log}}
    return json.dumps(made, separators=(",", ":")).encode()


@define(eq=False)
class CaddyProcess:
    """The managed child. `admin` is its listen address, `directory` a private folder.

    `before_start` is called once, when no Caddy of an earlier run is left. Each process starts with the `initial`
    configuration. `on_start` is called from the watching thread when a new process answers, with the number of crashes
    since the last call: ends with an error status. `environment` are variables that the child gets in addition to ours.
    `output` is the descriptor of its standard output, for logs with `output stdout`; by default ours.
    """

    path: Path
    admin: str
    directory: Path
    on_start: Callable[[int], None] = lambda crashes: None
    before_start: Callable[[], None] = lambda: None
    initial: Callable[[], bytes] = lambda: b"{}"
    environment: Mapping[str, str] = field(factory=dict)
    output: int | None = None
    starts: int = 0
    failure: str = ""
    log: CaddyLog = field(factory=CaddyLog)
    _passed_on: PassedOn = field(factory=PassedOn)
    _deaths: int = 0
    _crashes: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _stopping: threading.Event = field(factory=threading.Event)
    _ready: threading.Event = field(factory=threading.Event)
    _thread: threading.Thread | None = None
    _log_reader: threading.Thread | None = None

    def start(self, timeout: float = 20.0) -> None:
        """Start Caddy and wait until its admin endpoint answers. Raises CaddyUnreachable with Caddy's last error."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CaddyUnreachable(f"cannot make caddy's working directory {self._folder}: {error.strerror}") from error
        self._end_orphan()
        self._make_sure_of_its_address()
        self.before_start()
        raise_limit()
        # the kernel ends a child when the thread that started it ends, so one thread starts all of them
        self._thread = threading.Thread(target=self._watch, name="caddy", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + timeout
        while not self._ready.wait(0.05) and time.monotonic() < deadline and self._deaths < DEATHS_AT_START:
            pass
        if not self._ready.is_set():
            self.stop(0)
            raise CaddyUnreachable(
                f"caddy at {self.path} does not start: {self.failure or 'its admin endpoint does not answer'}"
            )

    def _make_sure_of_its_address(self) -> None:
        """Two Caddys at one port would answer in turns (SO_REUSEPORT), and one that cannot listen would end."""
        ways = "set another one with --admin (or CADDY_ADMIN), off is a private socket"
        unix_path, host, port = address_of(self.admin)
        if unix_path is not None:
            if self._answers():
                raise CaddyUnreachable(f"admin address {self.admin}: another caddy already answers there, {ways}")
            return
        if reason := obstacle(host, port):
            holder = holder_of(port)
            why = f"{reason.lower()}, {holder} has it" if holder else reason.lower()
            if holder is not None and holder.name == "caddy":
                why = f"another caddy already answers there (pid {holder.pid})"
            raise CaddyUnreachable(f"admin address {self.admin}: {why}, {ways}")

    @property
    def pid(self) -> int | None:
        """The process id of the running child."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def stop(self, grace: float = GRACE) -> None:
        """End Caddy: SIGTERM, then SIGKILL after `grace` seconds. No process is left."""
        self._stopping.set()
        process = self._process
        if process is not None and process.poll() is None:
            _end(process, grace)
        if self._thread is not None:
            # it may have to end while the thread starts: that finds it at once
            with contextlib.suppress(RuntimeError):
                self._thread.join(grace + 5)
        with contextlib.suppress(OSError):
            self._pid_file.unlink()

    @property
    def _folder(self) -> Path:
        """Caddy's working directory. It stays empty, because `file_server` without a root serves it."""
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
            # if Caddy does not start with the initial configuration, start it without
            use_initial = answered
            short_lives = 0 if answered and lived > STABLE_AFTER else short_lives + 1
            # the reconciler reports a port that is taken, with the process that holds it
            level = logging.DEBUG if is_about_a_port(self.failure) else logging.ERROR
            logger.log(level, "caddy ended after %.1f s (%s), restarting it", lived, self.failure or "no reason given")
            if not (answered and self.starts == 1):
                self._stopping.wait(pause_after(short_lives + 1, FIRST_PAUSE, LONGEST_PAUSE))

    def _run(self, use_initial: bool) -> bool:
        """Run one process until it ends. Returns whether its admin endpoint answered."""
        listen = listen_address(self.admin)
        try:
            content = with_defaults(self.initial() if use_initial else b"{}", listen)
        except Exception as error:
            # Caddy can start without it
            report_own_fault("", error)
            content = with_defaults(b"{}", listen)
        process = self._spawn()
        if process is None:
            return False
        self._process = process
        if self._stopping.is_set():
            # `stop` was called before this process existed
            _end(process, 0)
        answered = False
        try:
            answered = self._accompany(process, content)
        except Exception as error:
            # Caddy goes on: it would end if this thread did
            report_own_fault("", error)
        # neither a signal nor status 0 is a crash: somebody stopped it
        code = process.wait()
        if code > 0:
            self._crashes += 1
        if self._log_reader is not None:
            self._log_reader.join(1)
        self.failure = self.failure or (f"signal {-code}" if code < 0 else f"exit status {code}")
        return answered

    def _accompany(self, process: "subprocess.Popen[bytes]", content: bytes) -> bool:
        """Give a new process its configuration and wait for its admin endpoint. Returns whether it answers."""
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
            crashes, self._crashes = self._crashes, 0
            try:
                self.on_start(crashes)
            finally:
                # afterwards, so that who waits for the first start hears of later ones only
                self._ready.set()
        return answered

    def _note(self, pid: int) -> None:
        """Record the process for the next run, which ends it if it outlives this one."""
        try:
            descriptor = os.open(self._pid_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{pid} {_birth(pid)}")
        except OSError as error:
            logger.warning("cannot write %s: %s", self._pid_file, error.strerror)

    def _spawn(self) -> "subprocess.Popen[bytes] | None":
        # by standard input, so that Caddy starts even if the disk is full
        command = [str(self.path), "run", "--config", "-"]
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=self.output,
                stderr=subprocess.PIPE,
                cwd=self._folder,
                env={"GOGC": str(limits.CADDY_GOGC), **os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=ending_with_us(signal.SIGTERM),  # noqa: PLW1509  one call into libc
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
        for lines in batches(process.stderr):
            for passes, alike in groupby(lines, is_passed_on):
                if passes:
                    _safely(self._passed_on.write, alike)
                    continue
                for line in alike:
                    _safely(self._log_line, line)

    def _log_line(self, line: bytes) -> None:
        entry = entry_of(line.decode(errors="replace").rstrip())
        if entry.is_failure:
            self.failure = entry.message
        record = self.log.record_of(entry)
        # Caddy would wait where nobody reads our log
        if record is not None and logger.isEnabledFor(record[0]) and self._passed_on.is_read():
            if dropped := self._passed_on.dropped():
                logger.warning("nothing read the log for a while, %d lines of the access log are lost", dropped)
            logger.log(record[0], "%s", record[1])

    def _end_orphan(self) -> None:
        """End a Caddy that an earlier run left behind, so that it does not hold the ports."""
        try:
            pid_text, birth = self._pid_file.read_text().split()
            pid = int(pid_text)
        except (OSError, ValueError):
            return
        if _birth(pid) != birth:
            return
        logger.warning("ending a caddy (pid %d) that an earlier run left behind", pid)
        # it got SIGTERM already, when its parent ended
        for sign, patience in ((signal.SIGTERM, 1.0), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
            deadline = time.monotonic() + patience
            while _birth(pid) == birth and time.monotonic() < deadline:
                time.sleep(0.01)


def _birth(pid: int) -> str:
    """When a process started, in clock ticks since boot; `-` if there is none. Distinguishes processes that had one id."""
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
    """Write the first configuration to the process. Errors are ignored: a process that ended logs its own reason."""
    assert process.stdin is not None
    with contextlib.suppress(OSError), process.stdin:
        process.stdin.write(config)


def _safely(work: Callable[[T], object], given: T) -> None:
    """Go on after a fault: Caddy blocks if nothing reads its log."""
    try:
        work(given)
    except Exception as error:
        report_own_fault("", error)

"""A Caddy of our own that only adapts, within limits: what a text makes it do costs nothing but this process.

It starts when it is first needed. It has none of our environment, keeps nothing, and listens at a socket in a private folder.
"""

import contextlib
import ctypes
import http.client
import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import weakref
from pathlib import Path

from attrs import define, field

from dockcaddy.caddy.exchange import UnixConnection, error_text, result_of
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.settings import limits

_PR_SET_PDEATHSIG = 1
# whatever else runs on this machine goes first
_NICENESS = 5
_POLL = 0.005
# a Caddy that starts answers within this time, and one that has closed a connection ends within this time, in seconds
_START, _END = 10.0, 1.0


class TooLargeError(CaddyRefusal):
    """To adapt the text takes more memory or time than a limited adapter has."""


class _EndedError(Exception):
    """The process ended while it adapted; `by_itself` where it did so for lack of memory or time."""

    def __init__(self, *, by_itself: bool) -> None:
        super().__init__()
        self.by_itself = by_itself


@define(eq=False)
class LimitedAdapter:
    """Adapts with the Caddy program at `path`. Safe to use from several threads, which it serves at the same time.

    `memory` bytes are for all texts that are adapted at the same time, `patience` seconds for each of them.
    """

    path: Path
    memory: int = limits.ADAPTER_MEMORY
    patience: float = limits.ADAPTER_PATIENCE
    _process: "_Process | None" = None
    _starting: threading.Lock = field(factory=threading.Lock)
    _retrying: threading.Lock = field(factory=threading.Lock)

    def adapt(self, caddyfile: str) -> bytes:
        """Caddy's JSON for the text. Raises CaddyRefusal with Caddy's error text, TooLargeError and CaddyUnreachable.

        Where the process ends while it adapts several texts, each of them gets a process for itself.
        """
        try:
            return self._shared().adapted(caddyfile, self.patience)
        except _EndedError as ended:
            if ended.by_itself:
                raise self._too_large() from None
        with self._retrying:
            process = _Process.started(self.path, self.memory)
            try:
                return process.adapted(caddyfile, self.patience)
            except _EndedError as ended:
                if ended.by_itself:
                    raise self._too_large() from None
                raise CaddyUnreachable(f"caddy: {self.path} was ended while it adapted") from None
            finally:
                process.end()

    def close(self) -> None:
        """End the process. The next text starts another."""
        with self._starting:
            process, self._process = self._process, None
        if process is not None:
            process.end()

    def _shared(self) -> "_Process":
        with self._starting:
            if self._process is None or self._process.has_ended:
                self._process = _Process.started(self.path, self.memory)
            return self._process

    def _too_large(self) -> TooLargeError:
        return TooLargeError(
            "with all imports written out it is too large to adapt: "
            f"it takes more than {self.memory >> 20} MiB of memory or {self.patience:g} s"
        )


@define(eq=False)
class _Process:
    """A Caddy that runs, with its socket in a folder of its own. It ends with this object at the latest."""

    popen: "subprocess.Popen[bytes]"
    socket: Path
    _finalizer: "weakref.finalize[..., _Process]" = field(init=False)
    _lock: threading.Lock = field(factory=threading.Lock)
    _current: int = 0
    _begun: int = 0

    def __attrs_post_init__(self) -> None:
        self._finalizer = weakref.finalize(self, _end, self.popen, self.socket.parent)

    @classmethod
    def started(cls, path: Path, memory: int) -> "_Process":
        """A process that answers. Raises CaddyUnreachable."""
        try:
            folder = Path(tempfile.mkdtemp(prefix="dockcaddy-adapt-"))
        except OSError as error:
            raise CaddyUnreachable(
                f"caddy: there is no folder for the socket of an adapter: {error.strerror}"
            ) from error
        socket = folder / "admin.sock"
        try:
            process = cls(_spawn(path, socket, memory), socket)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise CaddyUnreachable(f"caddy: {path} cannot be run: {getattr(error, 'strerror', '') or error}") from error
        deadline = time.monotonic() + _START
        while not process.answers():
            if process.has_ended or time.monotonic() > deadline:
                process.end()
                raise CaddyUnreachable(f"caddy: {path} does not start as an adapter")
            time.sleep(_POLL)
        return process

    @property
    def has_ended(self) -> bool:
        """Whether it runs no longer."""
        return self.popen.poll() is not None

    def answers(self) -> bool:
        """Whether it adapts."""
        try:
            self._asked("", _START)
        except (OSError, http.client.HTTPException):
            return False
        return True

    def adapted(self, caddyfile: str, patience: float) -> bytes:
        """Caddy's JSON. Raises CaddyRefusal, CaddyUnreachable and _EndedError."""
        with self._lock:
            self._begun += 1
            self._current += 1
            begun, is_alone = self._begun, self._current == 1
        try:
            status, answer = self._asked(caddyfile, patience)
        except (OSError, http.client.HTTPException) as error:
            is_fault = self._is_fault(error)
            with self._lock:
                raise _EndedError(by_itself=is_fault and is_alone and begun == self._begun) from None
        finally:
            with self._lock:
                self._current -= 1
        if status < 300:
            return result_of(answer)
        words = error_text(answer)
        if status == 400 and words:
            raise CaddyRefusal(words)
        raise CaddyUnreachable(f"caddy: the adapter answered with status {status}: {words}")

    def _asked(self, caddyfile: str, patience: float) -> tuple[int, bytes]:
        connection = UnixConnection(str(self.socket), patience)
        try:
            connection.request("POST", "/adapt", caddyfile.encode(), {"Content-Type": "text/caddyfile"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _is_fault(self, error: Exception) -> bool:
        """Whether it had too little memory or time. It has ended then; a signal of somebody else is no fault of a text."""
        is_late = isinstance(error, TimeoutError)
        if not is_late:
            try:
                return self.popen.wait(_END) > 0
            except subprocess.TimeoutExpired:
                pass
        self.end()
        return is_late

    def end(self) -> None:
        """End it and remove its folder."""
        self._finalizer()


def _spawn(path: Path, socket: Path, memory: int) -> "subprocess.Popen[bytes]":
    config = {
        "admin": {"listen": f"unix/{socket}", "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "ERROR"}}},
    }
    empty = socket.parent / "empty"
    empty.mkdir()
    library = ctypes.CDLL(None) if os.uname().sysname == "Linux" else None

    def limit() -> None:
        if library is not None:
            library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.nice(_NICENESS)
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))

    process = subprocess.Popen(
        [str(path), "run", "--config", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=empty,
        # Go writes its stacks when it lacks memory, which takes long
        env={"HOME": str(empty), "GOTRACEBACK": "none"},
        start_new_session=True,
        preexec_fn=limit,  # noqa: PLW1509  calls into libc, loaded before the fork
    )
    assert process.stdin is not None
    # where it has ended, it is found not to answer
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(json.dumps(config).encode())
    return process


def _end(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    process.kill()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)

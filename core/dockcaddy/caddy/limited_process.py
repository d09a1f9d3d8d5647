"""A Caddy of our own within limits, which loads nothing of ours and listens at a socket that only this user reaches."""

import contextlib
import ctypes
import http.client
import json
import os
import resource
import select
import signal
import subprocess
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field

from dockcaddy.caddy.exchange import error_text
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.files import TemporaryFolder, UnixConnection
from dockcaddy.settings import limits

_PR_SET_PDEATHSIG = 1
# whatever else runs on this machine goes first
_NICENESS = 5
_POLL = 0.005
# a Caddy that starts answers within this time, and one that has closed a connection ends within this time, in seconds
_START, _END = 30.0, 5.0
# where Caddy keeps files
_HOMES = ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")


class EndedError(Exception):
    """The process ended while it worked; `by_itself` where it did so for lack of memory or time."""

    def __init__(self, *, by_itself: bool) -> None:
        super().__init__()
        self.by_itself = by_itself


@define(eq=False)
class LimitedProcess:
    """A Caddy that runs, with its socket in a folder of its own. It ends with this object at the latest."""

    popen: "subprocess.Popen[bytes]"
    folder: TemporaryFolder
    _finalizer: "weakref.finalize[..., LimitedProcess]" = field(init=False)
    _lock: threading.Lock = field(factory=threading.Lock)
    _current: int = 0
    _begun: int = 0

    def __attrs_post_init__(self) -> None:
        self._finalizer = weakref.finalize(self, _end, self.popen, self.folder)

    @property
    def socket(self) -> Path:
        """Where its admin API listens."""
        return _socket_in(self.folder.path)

    @classmethod
    def started(cls, path: Path, memory: int, environment: Mapping[str, str] | None = None) -> "LimitedProcess":
        """A process that answers, with `memory` bytes and this environment. Raises CaddyUnreachable."""
        try:
            folder = TemporaryFolder.made("adapt")
        except OSError as error:
            raise CaddyUnreachable(
                f"caddy: there is no folder for the socket of an adapter: {error.strerror}"
            ) from error
        try:
            process = cls(_spawn(path, folder.path, memory, environment or {}), folder)
        except (OSError, subprocess.SubprocessError) as error:
            folder.remove()
            raise CaddyUnreachable(f"caddy: {path} cannot be run: {getattr(error, 'strerror', '') or error}") from error
        deadline = time.monotonic() + _START
        while not process.answers():
            if process.has_ended or time.monotonic() > deadline:
                process.end()
                raise CaddyUnreachable(f"caddy: {path} is not caddy: when started, it does not answer, correct --caddy")
            time.sleep(_POLL)
        return process

    @property
    def has_ended(self) -> bool:
        """Whether it runs no longer."""
        return self.popen.poll() is not None

    def answers(self) -> bool:
        """Whether it adapts."""
        try:
            self._asked("/adapt", b"", "text/caddyfile", _START / limits.ADAPTER_WAITS)
        except (OSError, http.client.HTTPException):
            return False
        return True

    def said(self, path: str, body: bytes, content_type: str, patience: float) -> bytes:
        """The response to a call of its admin API. Raises CaddyRefusal, CaddyUnreachable and EndedError."""
        with self._lock:
            self._begun += 1
            self._current += 1
            begun, is_alone = self._begun, self._current == 1
        try:
            try:
                status, answer = self._asked(path, body, content_type, patience)
            except ConnectionError:
                # each load replaces the server of the admin API, which may drop a connection that has just been made
                status, answer = self._asked(path, body, content_type, patience)
        except (OSError, http.client.HTTPException) as error:
            is_fault = self._is_fault(error)
            with self._lock:
                raise EndedError(by_itself=is_fault and is_alone and begun == self._begun) from None
        finally:
            with self._lock:
                self._current -= 1
        if status < 300:
            return answer
        words = error_text(answer)
        if status == 400 and words:
            raise CaddyRefusal(words)
        raise CaddyUnreachable(f"caddy: our own answered {path} with status {status}: {words}")

    def _asked(self, path: str, body: bytes, content_type: str, patience: float) -> tuple[int, bytes]:
        connection = UnixConnection(self.socket, patience * limits.ADAPTER_WAITS)
        try:
            connection.request("POST", path, body, {"Content-Type": content_type})
            self._wait(connection, patience)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _wait(self, connection: UnixConnection, patience: float) -> None:
        """Until it answers. Raises TimeoutError after that many seconds, but not while it waits for a processor itself."""
        poll = select.poll()
        poll.register(connection.sock, select.POLLIN)
        begun = self._worked()
        for _ in range(limits.ADAPTER_WAITS):
            if poll.poll(patience * 1000):
                return
            if self._worked() - begun > patience / 2:
                break
        raise TimeoutError

    def _worked(self) -> float:
        """Seconds of processor time that it has used; those of the clock where the system does not say."""
        try:
            # the clock of another process, see clock_getcpuclockid(3)
            return time.clock_gettime(~self.popen.pid << 3 | 2)
        except OSError:
            return time.monotonic()

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


def _socket_in(folder: Path) -> Path:
    return folder / "admin.sock"


def ending_with_us(by: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """What a child calls before it becomes another program, so that it gets this signal however we end."""
    # loaded before the fork
    library = ctypes.CDLL(None) if os.uname().sysname == "Linux" else None
    return lambda: library.prctl(_PR_SET_PDEATHSIG, by) if library is not None else None


def _spawn(path: Path, folder: Path, memory: int, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    config = {"admin": admin_at(_socket_in(folder)), "logging": {"logs": {"default": {"level": "ERROR"}}}}
    empty = folder / "empty"
    empty.mkdir()
    end_with_us = ending_with_us()

    def limit() -> None:
        end_with_us()
        os.nice(_NICENESS)
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))

    process = subprocess.Popen(
        [str(path), "run", "--config", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=empty,
        # Go writes its stacks when it lacks memory, which takes long
        env={**environment, **dict.fromkeys(_HOMES, str(empty)), "GOTRACEBACK": "none"},
        start_new_session=True,
        preexec_fn=limit,  # noqa: PLW1509  calls into libc
    )
    assert process.stdin is not None
    # where it has ended, it is found not to answer
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(json.dumps(config).encode())
    return process


def admin_at(socket: Path) -> dict[str, Any]:
    """The admin settings of a configuration for a process with this socket."""
    return {"listen": f"unix/{socket}", "config": {"persist": False}}


def _end(process: "subprocess.Popen[bytes]", folder: TemporaryFolder) -> None:
    process.kill()
    process.wait()
    folder.remove()

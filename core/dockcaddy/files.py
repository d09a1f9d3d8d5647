"""Write files atomically, base class of outputs to a file, databases, temporary folders, HTTP to a socket among the files, and
messages about files.
"""

import contextlib
import errno
import fcntl
import http.client
import logging
import os
import secrets
import shutil
import socket
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from attrs import define, frozen

from dockcaddy.errors import CaddyRefusal, OutputError
from dockcaddy.hookspecs import Adapter, Configuration, OutputContext
from dockcaddy.settings import limits

if TYPE_CHECKING:
    import sqlite3

logger = logging.getLogger("dockcaddy")

# the file in a temporary folder that its process has locked
_LOCK = ".lock"
_FULL = "the disk is full: make room, or choose a --state-directory on another one"


def unreadable(error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read as text: `cannot be read: No such file or directory`."""
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: byte 0x{error.object[error.start]:02x} at {error.start}"
    return f"cannot be read: {error.strerror or error}"


def is_file(path: Path) -> bool:
    """Whether there is such a file, as far as that can be seen."""
    try:
        return path.is_file()
    except OSError:
        # a folder on the way is closed to us, or a name is too long
        return False


def write_atomically(path: Path, content: bytes, mode: int = 0o640) -> None:
    """Write a temporary file and rename it: readers see the old bytes or the new ones, even after a crash.

    Raises OSError; the old file then stays as it was.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def check_shared(folder: Path, name: str, reader: Adapter) -> None:
    """Check that a Caddy, called `name`, reads the files of a folder: it has to import one.

    Raises CaddyRefusal if it does not, OSError and CaddyUnreachable.
    """
    token = f"{secrets.token_hex(8)}.invalid"
    file = folder / "readable.caddyfile"
    file.write_text(f"http://{token} {{\n}}\n")
    file.chmod(0o644)
    try:
        seen = reader.adapt(f"import {file}\n")
    except CaddyRefusal as refusal:
        raise CaddyRefusal(f"{name} does not see it: {refusal}") from refusal
    finally:
        file.unlink()
    if token.encode() not in seen:
        raise CaddyRefusal(f"{name} sees another folder there")


def target_file(context: OutputContext, name: str) -> Path:
    """The file of `--output NAME=PATH`. Raises OutputError if it cannot be a file."""
    target = context.options.get("target", "")
    if not target:
        raise OutputError(f"output {name} needs a path: --output {name}=PATH")
    path = Path(target)
    try:
        is_folder, has_folder = path.is_dir(), path.parent.is_dir()
    except OSError as error:
        # a folder on the way is closed to us, or a name is too long
        raise OutputError(f"output {name}={path}: {unreadable(error)}, name another file") from error
    if is_folder:
        raise OutputError(f"output {name}={path}: this is a folder, name a file in it")
    if not has_folder:
        raise OutputError(f"output {name}={path}: folder {path.parent} does not exist, create it or name another one")
    return path


@frozen
class FileOutput(ABC):
    """An output to the file at `path`. A subclass defines its content with `content(configuration)`.

    The factory of the output gets the path from `target_file(context, "my-output")`. The file is written only if its
    content changes, to a temporary name that is renamed.
    """

    path: Path

    @abstractmethod
    def content(self, configuration: Configuration) -> bytes:
        """The content of the file. May raise CaddyRefusal."""

    def write(self, configuration: Configuration) -> None:
        """Write the content unless the file has it already. Raises OutputError."""
        content = self.content(configuration)
        if self._held() == content:
            return
        try:
            write_atomically(self.path, content)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}, the old file stays") from error

    def holds(self, configuration: Configuration) -> bool:
        """Whether the file still has this content."""
        return self._held() == self.content(configuration)

    def close(self) -> None:  # noqa: B027
        """Do nothing: no file is kept open."""

    def _held(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except OSError:
            return None


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket. `timeout` is in seconds, None for none."""

    # the host that Caddy's origin check accepts on a unix socket
    def __init__(self, path: str | Path, timeout: float | None, host: str = "127.0.0.1") -> None:
        super().__init__(host, timeout=timeout)
        self._path = str(path)

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@define
class Database:
    """The SQLite file at `path`, readable by its owner only, which messages call `what`. Whoever uses it logs errors and goes on.

    `patience` is how long it waits for another process, in seconds. With `synchronous` off, a crash of the machine may damage
    it; with normal, it may cost the newest change.
    """

    path: Path
    what: str
    schema: str
    patience: float
    synchronous: Literal["off", "normal"]
    _failure: str = ""

    def connect(self) -> "sqlite3.Connection":
        """A connection, with the schema in place. Raises OSError and sqlite3.Error."""
        import sqlite3  # noqa: PLC0415  plugins import this module, and few commands need a database

        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(self.path, timeout=self.patience)
        try:
            connection.executescript(
                f"pragma journal_mode = wal; pragma synchronous = {self.synchronous};" + self.schema
            )
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def failed(self, doing: str, error: Exception) -> None:
        """Log why it cannot be "read" or "written", once for each reason."""
        reason = f"cannot be {doing}: {_FULL if self._is_full(error) else error}"
        if reason != self._failure:
            logger.warning("%s %s: %s", self.what, self.path, reason)
        self._failure = reason

    def succeeded(self) -> None:
        """It can be used: the next error is news."""
        self._failure = ""

    def _is_full(self, error: Exception) -> bool:
        """Whether it failed because the disk is full, of which SQLite says "disk I/O error" as well."""
        import sqlite3  # noqa: PLC0415  most runs need no database, see `connect`

        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_IOERR:
            with contextlib.suppress(OSError):
                return shutil.disk_usage(self.path.parent).free < limits.MIN_ROOM_ON_DISK
        return code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC


@frozen
class TemporaryFolder:
    """A folder that is removed at the end of the context, or by `remove`. Its path is short enough for a socket in it.

    What a process that was killed left behind, the next one removes that makes one.
    """

    path: Path
    _lock: int

    @classmethod
    def made(cls, kind: str, parent: str = "") -> "TemporaryFolder":
        """A folder `dockcaddy-KIND-...` in `parent`, else in the one for temporary files. Raises OSError."""
        usual = parent or tempfile.gettempdir()
        parent = usual if len(os.fsencode(usual)) < limits.MAX_SOCKET_FOLDER else "/tmp"
        _remove_abandoned(Path(parent))
        path = Path(tempfile.mkdtemp(prefix=f"dockcaddy-{kind}-", dir=parent))
        # under its name the file is there only once it is locked
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
            (path / "lock").rename(path / _LOCK)
        return cls(path, lock)

    def remove(self) -> None:
        """Remove it, with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(self._lock)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.remove()


def _remove_abandoned(parent: Path) -> None:
    """Remove our temporary folders whose process has ended: the system has released its lock."""
    for path in parent.glob("dockcaddy-*-*"):
        try:
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            # somebody else's, or one that is just being made
            continue
        with contextlib.suppress(OSError):
            if os.fstat(lock).st_uid == os.geteuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        os.close(lock)

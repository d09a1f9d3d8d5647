"""The sockets to listen at."""

import contextlib
import errno
import os
import socket
import stat
from pathlib import Path

from attrs import frozen

from dockcaddy_status.tokens import host_and_port, is_loopback

# connections that wait to be accepted
BACKLOG = 64
# https://man7.org/linux/man-pages/man7/unix.7.html
LONGEST_PATH = 107


@frozen
class Listener:
    """A socket that listens. `path` is that of a unix socket, `""` of TCP."""

    socket: socket.socket
    path: str = ""
    host: str = ""

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it, over TCP."""
        return bool(self.host) and is_loopback(f"{self.host}:0")

    def close(self) -> None:
        """Stop listening; the file of a unix socket is removed."""
        with contextlib.suppress(OSError):
            self.socket.close()
        if self.path:
            with contextlib.suppress(OSError):
                Path(self.path).unlink()


def listeners(path: str, listen: str) -> tuple[list[Listener], tuple[str, ...]]:
    """The sockets at a path and at an address, `""` for none; and why one of them cannot be had."""
    made: list[Listener] = []
    failures: list[str] = []
    if path:
        try:
            made.append(Listener(_unix(Path(path)), path))
        except OSError as error:
            failures.append(f"cannot listen at {path}: {_reason(error)}")
    if listen:
        try:
            made.append(Listener(_tcp(*host_and_port(listen)), "", host_and_port(listen)[0]))
        except OSError as error:
            failures.append(f"cannot listen at {listen} (--status-listen): {_reason(error)}")
    return made, tuple(failures)


def _unix(path: Path) -> socket.socket:
    """A socket that its owner alone may connect to: nobody connects before it listens."""
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise OSError(errno.ENAMETOOLONG, "the path is too long for a socket, choose a shorter --state-directory")
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OSError(errno.EEXIST, "there is a file that is no socket, remove it")
        # an earlier run left it: the state directory is ours alone
        path.unlink()
    return _listening(socket.AF_UNIX, str(path))


def _tcp(host: str, port: int) -> socket.socket:
    return _listening(socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port))


def _listening(family: socket.AddressFamily, address: str | tuple[str, int]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family != socket.AF_UNIX:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        if isinstance(address, str):
            Path(address).chmod(0o600)
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def _reason(error: OSError) -> str:
    return str(error.strerror or error)

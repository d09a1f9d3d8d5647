"""Ports of this machine: whether one is free, and which process holds it. The latter is read from /proc on Linux."""

import errno
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from attrs import frozen

Transport = Literal["tcp", "udp"]

_PROC = Path("/proc")
# the state of a listening socket in /proc/net/tcp and /proc/net/udp
_LISTENING = {"tcp": "0A", "udp": "07"}
_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


@frozen
class Holder:
    """A process that listens at a port."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


def holder_of(port: int, transport: Transport = "tcp") -> Holder | None:
    """The process that listens at a port, on any address; None if there is none, or if we may not see it."""
    inodes = {f"socket:[{inode}]" for inode in _inodes(port, transport)}
    if not inodes:
        return None
    for process in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            if any(_target(each) in inodes for each in process.joinpath("fd").iterdir()):
                return Holder(int(process.name), (process / "comm").read_text().strip())
    return None


def _target(link: Path) -> str:
    with suppress(OSError):
        return str(link.readlink())
    # the process has closed it in the meantime
    return ""


def obstacle(host: str, port: int, transport: Transport = "tcp", *, shared: bool = False) -> str:
    """Why a process cannot listen at a port now, in the system's words; `""` if it can.

    `host` is an address, `""` for all of them. `shared` tries as Caddy does, with SO_REUSEPORT.
    """
    try:
        found = socket.getaddrinfo(host or "::", port, type=_KINDS[transport])
        # Go prefers an IPv4 address
        family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        with socket.socket(family, _KINDS[transport]) as probe:
            if family == socket.AF_INET6 and not host:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            if transport == "tcp":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            probe.bind(address)
            if transport == "tcp" and not shared:
                probe.listen()
    except OSError as error:
        if not host and error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            return obstacle("0.0.0.0", port, transport, shared=shared)
        return error.strerror or str(error)
    return ""


def is_shared(port: int) -> bool:
    """Whether another process listens at a TCP port in a way that ours may too: each gets a part of the connections."""
    return bool(obstacle("", port)) and not obstacle("", port, shared=True)


def _inodes(port: int, transport: Transport) -> Iterator[str]:
    for name in (transport, f"{transport}6"):
        with suppress(OSError):
            for line in (_PROC / "net" / name).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING[transport] and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]

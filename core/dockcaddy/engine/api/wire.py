"""GET requests over a unix socket, one after the other on a connection, each response read completely.

It is the part of HTTP/1.1 (RFC 9112) that an engine's small responses need. Thousands of containers are inspected at a
start, and for each of them Python's own client takes longer than everything else that is done with the response. Errors
are those of Python's own client.
"""

import socket
from collections.abc import Mapping
from http.client import BadStatusLine, HTTPException, IncompleteRead, LineTooLong, RemoteDisconnected
from typing import BinaryIO, cast

from attrs import define, field, frozen

from dockcaddy.settings import limits

_BUFFER = 16_384
_WITHOUT_BODY = (204, 304)


@frozen
class Answer:
    """A response that is read completely."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


@define(eq=False)
class Wire:
    """A connection to a unix socket. Close it after an error, and where `is_kept` is false after a response."""

    sock: socket.socket
    is_kept: bool = True
    _file: BinaryIO = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._file = cast(BinaryIO, self.sock.makefile("rb", _BUFFER))

    @classmethod
    def opened(cls, path: str, timeout: float | None) -> "Wire":
        """A new connection to the socket at `path`. `timeout` is in seconds, None for none. Raises OSError."""
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.settimeout(timeout)
            made.connect(path)
        except BaseException:
            made.close()
            raise
        return cls(made)

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self.sock.close()

    def get(self, head: bytes, timeout: float | None) -> Answer:
        """The response to a request with this head. `timeout` is in seconds between two parts of the response.

        Raises OSError and HTTPException.
        """
        self.sock.settimeout(timeout)
        self.sock.sendall(head)
        status = 100
        while status < 200:
            # before the response there may be some that only say that it will come
            version, status, reason = self._status()
            headers = self._headers()
        options = headers.get("connection", "").lower()
        self.is_kept = version == b"HTTP/1.1" and "close" not in options
        return Answer(status, reason, headers, b"" if status in _WITHOUT_BODY else self._body(headers))

    def _line(self) -> bytes:
        line = self._file.readline(limits.MAX_HEADER_LINE + 1)
        if len(line) > limits.MAX_HEADER_LINE:
            raise LineTooLong("header line")
        return line

    def _status(self) -> tuple[bytes, int, str]:
        line = self._line()
        if not line:
            raise RemoteDisconnected("Remote end closed connection without response")
        version, _, said = line.partition(b" ")
        status, _, reason = said.strip().partition(b" ")
        if not version.startswith(b"HTTP/1.") or len(status) != 3 or not status.isdigit() or status < b"100":
            raise BadStatusLine(line.decode("latin-1"))
        return version, int(status), reason.decode("latin-1")

    def _headers(self) -> dict[str, str]:
        """The headers, with their names in lower case."""
        found: dict[str, str] = {}
        for _ in range(limits.MAX_HEADERS + 1):
            line = self._line()
            if line in (b"\r\n", b"\n", b""):
                return found
            name, _, value = line.decode("latin-1").partition(":")
            found[name.lower()] = value.strip()
        raise HTTPException(f"got more than {limits.MAX_HEADERS} headers")

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._chunks()
        length = headers.get("content-length", "")
        if length.isdecimal():
            return self._exactly(int(length))
        self.is_kept = False
        return self._file.read()

    def _chunks(self) -> bytes:
        chunks: list[bytes] = []
        while size := self._size_of_chunk():
            chunks.append(self._exactly(size))
            # the end of the line
            self._exactly(2)
        self._headers()
        return b"".join(chunks)

    def _size_of_chunk(self) -> int:
        digits = self._line().partition(b";")[0].strip()
        if not digits.isalnum():
            raise IncompleteRead(b"")
        try:
            return int(digits, 16)
        except ValueError:
            raise IncompleteRead(digits) from None

    def _exactly(self, size: int) -> bytes:
        read = self._file.read(size)
        if len(read) < size:
            raise IncompleteRead(read, size - len(read))
        return read

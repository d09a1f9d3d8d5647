"""GET requests to a unix socket over connections that stay open. httptools reads the responses, the parser of Node.js.

At a start, each container is one request, for which Python's own client takes four times as long.
"""

import socket
from collections.abc import Mapping
from http.client import HTTPException, IncompleteRead

import httptools
from attrs import define, field, frozen

from dockcaddy.errors import one_line
from dockcaddy.settings import limits

# what a kept connection says that the engine closed just before a call
CLOSED = (ConnectionResetError, BrokenPipeError)
# bytes
READ_AT_ONCE = 16 * 1024


@frozen
class Answer:
    """A response that is read completely."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


def request_for(path: str, headers: Mapping[str, str]) -> bytes:
    """A GET request."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode()


@define(eq=False)
class Reading:
    """A response, as far as it has come. The parser calls the `on_` methods."""

    is_complete: bool = False
    is_kept: bool = False
    _status: int = 0
    _reason: str = ""
    _headers: dict[str, str] = field(factory=dict)
    _body: list[bytes] = field(factory=list)
    _size: int = 0
    _has_head: bool = False
    _parser: httptools.HttpResponseParser = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        # as Python's own client
        self._parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True)

    def answer(self) -> Answer:
        """The response, once it is complete. Call it once."""
        made = Answer(self._status, self._reason, self._headers, b"".join(self._body))
        # both refer to each other: the body would stay until garbage is collected
        del self._parser
        return made

    def take(self, part: bytes) -> None:
        """Take a part, empty at the end. Raises ConnectionResetError for no response, HTTPException for a wrong one."""
        if not part:
            self._end()
            return
        self._size += len(part)
        try:
            self._parser.feed_data(part)
        except httptools.HttpParserError as error:
            if not self.is_complete:
                message = f'not an HTTP response ({error}): "{one_line(part.decode(errors="replace"), 100)}"'
                raise HTTPException(message) from None
            # more than was asked for
            self.is_kept = False
        if not self._has_head and self._size >= limits.MAX_RESPONSE_HEAD:
            raise HTTPException(f"the headers of the response have more than {limits.MAX_RESPONSE_HEAD} bytes")

    def _end(self) -> None:
        if not self._size:
            raise ConnectionResetError("Remote end closed connection without response")
        names = {name.lower() for name in self._headers}
        if not self._has_head or names & {"content-length", "transfer-encoding"}:
            raise IncompleteRead(b"".join(self._body))
        self._status, self.is_complete = self._parser.get_status_code(), True

    def on_message_begin(self) -> None:
        """Begin anew after what has status 100; a response that nobody asked for is an error of the parser."""
        if self.is_complete:
            raise ValueError
        self._reason, self._headers, self._body = "", {}, []

    def on_status(self, reason: bytes) -> None:
        """Take the reason."""
        self._reason += reason.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers[name.decode("latin-1")] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Take the end of the head."""
        self._has_head = True
        self.is_kept = self._parser.should_keep_alive()

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Take the end; what has status 100 comes before the response."""
        self._status = self._parser.get_status_code()
        self.is_complete = self._status >= 200


@define(eq=False)
class UnixConnections:
    """Those to the unix socket at `path`."""

    path: str
    _kept: list[socket.socket] = field(factory=list)

    def get(self, path: str, headers: Mapping[str, str], timeout: float | None) -> Answer:
        """The response to a GET request. `timeout` is in seconds, to connect and between two parts of the response.

        A call whose kept connection the engine has closed is repeated. Raises OSError, and HTTPException for what is no response.
        """
        request = request_for(path, headers)
        try:
            return self._asked(request, timeout)
        except CLOSED:
            return self._asked(request, timeout)

    def close(self) -> None:
        """Close all connections that no call uses."""
        kept, self._kept = self._kept, []
        for each in kept:
            each.close()

    def _asked(self, request: bytes, timeout: float | None) -> Answer:
        connection = self.taken(timeout)
        try:
            connection.sendall(request)
            reading = Reading()
            while not reading.is_complete:
                reading.take(connection.recv(READ_AT_ONCE))
        except BaseException:
            connection.close()
            raise
        self.keep(connection, reading)
        return reading.answer()

    def keep(self, connection: socket.socket, reading: Reading) -> None:
        """Keep a connection for other calls after this response, or close it."""
        if reading.is_kept and len(self._kept) < limits.MAX_ENGINE_CONNECTIONS:
            self._kept.append(connection)
        else:
            connection.close()

    def taken(self, timeout: float | None) -> socket.socket:
        """A connection that no other call uses, a kept one or a new one. Raises OSError."""
        try:
            connection = self._kept.pop()
        except IndexError:
            return self._opened(timeout)
        if not _is_silent(connection):
            # the engine has closed it meanwhile
            connection.close()
            return self._opened(timeout)
        connection.settimeout(timeout)
        return connection

    def _opened(self, timeout: float | None) -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        try:
            made.settimeout(timeout)
            made.connect(self.path)
        except BaseException:
            made.close()
            raise
        return made


def _is_silent(connection: socket.socket) -> bool:
    """Whether nothing has come, neither a part of a response nor the end."""
    connection.setblocking(False)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False

"""An engine that sends the bytes a test gives it, and counts the connections. It listens at a unix socket or a TCP port."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from attrs import define, field

# what is sent for a request, before the connection is closed or kept
Reply = tuple[bytes, bool]


def answer(body: bytes, status: str = "200 OK", headers: str = "", *, is_kept: bool = True) -> Reply:
    """A complete response."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body, is_kept


def chunked(*parts: bytes, is_complete: bool = True) -> Reply:
    """A response in chunks."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n" * is_complete, is_complete


@define(eq=False)
class ScriptedEngine:
    """`reply` is called with the path of each request, and may block. `heads` are the requests as they came."""

    listener: socket.socket
    reply: Callable[[str], Reply] = field(default=lambda path: answer(b"{}"))
    tls: ssl.SSLContext | None = None
    heads: list[str] = field(factory=list)
    connections: int = 0
    opened: set[Any] = field(factory=set)

    def __enter__(self) -> Self:
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    @property
    def paths(self) -> list[str]:
        """The paths of the requests."""
        return [head.split(" ", 2)[1] for head in self.heads]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection = self.listener.accept()[0]
                self.connections += 1
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        self.opened.add(connection)
        with (
            contextlib.suppress(OSError),
            self.tls.wrap_socket(connection, server_side=True) if self.tls else connection as talking,
        ):
            self._answer_all(talking)
        connection.close()
        self.opened.discard(connection)

    def _answer_all(self, talking: socket.socket) -> None:
        reader = talking.makefile("rb")
        while line := reader.readline():
            head = line
            while (line := reader.readline()).strip():
                head += line
            self.heads.append(head.decode())
            sent, is_kept = self.reply(head.decode().split(" ", 2)[1])
            talking.sendall(sent)
            if not is_kept:
                # the reader holds the socket open too
                talking.shutdown(socket.SHUT_RDWR)
                return

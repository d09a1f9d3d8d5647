"""GET requests to a unix socket that one thread makes, several at a time.

At a start, each container is one request. A thread for each of those that wait takes twice as long: Python runs one thread at a
time, and they get into each other's way.
"""

import contextlib
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from http.client import HTTPException

from attrs import define, field

from dockcaddy.engine.api.unix_connections import CLOSED, READ_AT_ONCE, Answer, Reading, UnixConnections, request_for

# gets the response, or the error
Done = Callable[[Answer | Exception], None]


@define(eq=False)
class _Call:
    """A request on its way, and what has come of its response. `deadline` is in seconds of the monotonic clock."""

    request: bytes
    timeout: float
    done: Done
    connection: socket.socket | None = None
    reading: Reading = field(factory=Reading)
    deadline: float = 0.0
    is_repeated: bool = False


@define(eq=False)
class UnixCalls:
    """Makes requests over `connections`. It has a thread while there are some."""

    connections: UnixConnections
    _waiting: deque[_Call] = field(factory=deque)
    _open: dict[int, _Call] = field(factory=dict)
    _poll: select.poll = field(factory=select.poll)
    _lock: threading.Lock = field(factory=threading.Lock)
    _thread: threading.Thread | None = None
    # what is written to the second one ends the wait for responses
    _wakers: tuple[socket.socket, socket.socket] = field(factory=socket.socketpair)

    def __attrs_post_init__(self) -> None:
        self._poll.register(self._wakers[0], select.POLLIN)
        self._wakers[1].setblocking(False)

    def begin(self, path: str, headers: Mapping[str, str], timeout: float, done: Done) -> None:
        """Begin a GET request. `timeout` is in seconds, to connect and between two parts of the response.

        `done` is called in the thread that makes all of them, and does not raise.
        """
        with self._lock:
            self._waiting.append(_Call(request_for(path, headers), timeout, done))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="requests to an engine", daemon=True)
                self._thread.start()
            elif self._thread is not threading.current_thread():
                # where it is full, the thread will wake up anyway
                with contextlib.suppress(BlockingIOError):
                    self._wakers[1].send(b"x")

    def _run(self) -> None:
        while self._send_waiting():
            first = min(each.deadline for each in self._open.values())
            for descriptor, _ in self._poll.poll(max(first - time.monotonic(), 0.0) * 1000):
                if descriptor in self._open:
                    self._receive(self._open[descriptor])
                else:
                    self._wakers[0].recv(READ_AT_ONCE)
            for call in [each for each in self._open.values() if time.monotonic() >= each.deadline]:
                self._fail(call, TimeoutError("timed out"))

    def _send_waiting(self) -> bool:
        """Send the requests that wait. Returns whether there is a response to come; the thread ends if there is none."""
        while True:
            with self._lock:
                if not self._waiting:
                    if not self._open:
                        self._thread = None
                    return bool(self._open)
                call = self._waiting.popleft()
            self._send(call)

    def _send(self, call: _Call) -> None:
        try:
            call.connection = self.connections.taken(call.timeout)
            call.connection.sendall(call.request)
        except OSError as error:
            self._fail(call, error)
            return
        call.connection.setblocking(False)
        call.deadline = time.monotonic() + call.timeout
        self._open[call.connection.fileno()] = call
        self._poll.register(call.connection, select.POLLIN)

    def _receive(self, call: _Call) -> None:
        assert call.connection is not None
        try:
            call.reading.take(call.connection.recv(READ_AT_ONCE))
        except BlockingIOError:
            return
        except (OSError, HTTPException) as error:
            self._fail(call, error)
            return
        call.deadline = time.monotonic() + call.timeout
        if call.reading.is_complete:
            self._leave(call.connection)
            self.connections.keep(call.connection, call.reading)
            call.done(call.reading.answer())

    def _fail(self, call: _Call, error: Exception) -> None:
        """The connection is of no use any more. Where the engine had closed it before, the request is repeated."""
        if call.connection is not None:
            self._leave(call.connection)
            call.connection.close()
        if call.is_repeated or not isinstance(error, CLOSED):
            call.done(error)
            return
        call.connection, call.reading, call.is_repeated = None, Reading(), True
        self._waiting.append(call)

    def _leave(self, connection: socket.socket) -> None:
        if self._open.pop(connection.fileno(), None) is not None:
            self._poll.unregister(connection)

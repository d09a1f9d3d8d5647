"""The service: a server in a thread of its own, which takes nothing from the loop but a reference.

Until somebody connects, the thread only counts: the server takes time to import, and memory.
"""

import contextlib
import logging
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING

from attrs import define, field
from dockcaddy import Configuration, StatusFeed, Update

from dockcaddy_status.sockets import Listener, listeners

if TYPE_CHECKING:
    from dockcaddy_status.figures import Figures

logger = logging.getLogger("dockcaddy")

# updates that wait for the server; what is older is part of the next one
WAITING = 1_000
# the first pass is not delayed by what is imported; where there is none, it does not wait longer, in seconds
PATIENCE = 2.0


@define(eq=False)
class StatusService:
    """Serves the status of `feed` at the unix socket at `path`, and at `listen`, an address and port. `""`: not there."""

    feed: StatusFeed
    path: str = ""
    listen: str = ""
    token: str = field(default="", repr=False)
    state: Hashable = None
    retry_at: float | None = None
    _sockets: list[Listener] = field(factory=list)
    _failures: tuple[str, ...] = ()
    _updates: "deque[Update]" = field(factory=lambda: deque(maxlen=WAITING))
    _first_pass: threading.Event = field(factory=threading.Event)
    _stopping: threading.Event = field(factory=threading.Event)
    _thread: threading.Thread | None = None
    _unsubscribe: Callable[[], None] = lambda: None
    _awaken: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Listen, and answer as soon as the first pass is over."""
        self._sockets, self._failures = listeners(self.path, self.listen)
        self._unsubscribe = self.feed.subscribe(self._updated)
        if self._sockets:
            self._thread = threading.Thread(target=self._serve, name="status", daemon=True)
            self._thread.start()

    def before_offer(self, configuration: Configuration) -> None:
        """Do nothing: the configuration is not loaded yet."""

    def after_accepted(self, configuration: Configuration) -> None:
        """The first pass is over."""
        self._first_pass.set()

    def holds(self) -> bool:
        """Nothing that it does has to be put right by a pass."""
        return True

    def problems(self) -> Iterable[str]:
        """Where it cannot listen."""
        return self._failures

    def stop(self) -> None:
        """Stop listening."""
        self._unsubscribe()
        self._stopping.set()
        self._first_pass.set()
        self._awaken()
        if self._thread is not None:
            self._thread.join(PATIENCE)
        for each in self._sockets:
            each.close()
        self._thread, self._sockets = None, []

    def _updated(self, update: Update) -> None:
        """Called by the loop: append and wake, whatever the server does."""
        self._updates.append(update)
        self._awaken()

    def _serve(self) -> None:
        self._first_pass.wait(PATIENCE)
        if self._stopping.is_set():
            return
        try:
            from dockcaddy_status.figures import Figures  # noqa: PLC0415  only the daemon needs it

            figures = Figures(self.feed)
            if self._has_client(figures):
                from dockcaddy_status.server import Server  # noqa: PLC0415  it is large

                server = Server(self.feed, figures, self._updates, self._sockets, self.token, self._stopping)
                self._awaken = server.awaken
                server.run()
        except Exception as error:
            self._failures = (f"the status is no longer served: {type(error).__name__}: {error}",)
            logger.debug("where it happened", exc_info=error)

    def _has_client(self, figures: "Figures") -> bool:
        """Count what happens until somebody connects. Returns False at the end."""
        heard, bell = socket.socketpair()
        bell.setblocking(False)

        def ring() -> None:
            # a full bell rings already; a closed one has nobody to hear it
            with contextlib.suppress(OSError):
                bell.send(b".")

        with heard, bell, selectors.DefaultSelector() as selector:
            for each in (heard, *(listener.socket for listener in self._sockets)):
                selector.register(each, selectors.EVENT_READ)
            self._awaken = ring
            while not self._stopping.is_set():
                while self._updates:
                    figures.take(self._updates.popleft())
                ready = [key.fileobj for key, _ in selector.select()]
                if ready != [heard]:
                    return not self._stopping.is_set()
                heard.recv(WAITING)
        return False

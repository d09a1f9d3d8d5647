"""The HTTP server: uvicorn in an event loop of this thread. Imported when somebody connects, because it is large."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Sequence

import uvicorn
from dockcaddy import StatusFeed, Update
from uvicorn.protocols.http.h11_impl import H11Protocol

from dockcaddy_status.app import Application
from dockcaddy_status.entrance import Entrance
from dockcaddy_status.figures import Figures
from dockcaddy_status.sockets import Listener
from dockcaddy_status.stream import Streams

# connections of one listener: from so many on, a new one takes the place of one that asks nothing or reads nothing. Where all
# are busy, twice as many are answered.
CONNECTIONS = 100
# bytes of a request's line and headers
HEADERS = 16 * 1024
# seconds for a request to arrive, and for a client to read some of its response
REQUEST_PATIENCE = 10.0
READING_PATIENCE = 20.0
# how long updates are gathered, in seconds
GATHERED = 0.05


class Watched(H11Protocol):
    """A connection that is ended where nobody asks anything, or reads the response."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        self._unread, self._stuck_since = 0, 0.0
        self._since = self.loop.time()
        self._make_room()
        self._look_again()

    def _make_room(self) -> None:
        """Where there are as many as may be, end the oldest one whose client waits for nothing, or does not read."""
        there = [each for each in self.connections if isinstance(each, Watched) and not each.is_ended]
        useless = [each for each in there if each is not self and each.is_useless]
        if len(there) >= CONNECTIONS and useless:
            min(useless, key=lambda each: each._since).transport.abort()

    @property
    def is_ended(self) -> bool:
        """Whether it is closed as soon as the event loop comes to it."""
        return self.transport.is_closing() and not self.transport.get_write_buffer_size()

    @property
    def is_useless(self) -> bool:
        """Whether nothing is lost with it: no request is answered, or some of the response was not read."""
        return self.cycle is None or self.cycle.response_complete or bool(self.transport.get_write_buffer_size())

    def _look_again(self) -> None:
        self._timer = self.loop.call_later(REQUEST_PATIENCE / 4, self._look)

    def _look(self) -> None:
        if self.is_ended:
            return
        now, unread = self.loop.time(), self.transport.get_write_buffer_size()
        if unread == 0 or unread != self._unread:
            self._unread, self._stuck_since = unread, now
        is_stuck = unread and now > self._stuck_since + READING_PATIENCE
        if is_stuck or (self.cycle is None and now > self._since + REQUEST_PATIENCE):
            self.transport.abort()
            return
        self._look_again()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._timer.cancel()
        super().connection_lost(exc)


class Server:
    """Serves until `stopping` is set. `awaken` may be called from any thread; all else belongs to this one."""

    def __init__(
        self,
        feed: StatusFeed,
        figures: Figures,
        updates: "deque[Update]",
        sockets: Sequence[Listener],
        token: str,
        stopping: threading.Event,
    ) -> None:
        self._updates, self._sockets, self._stopping = updates, sockets, stopping
        self._loop = asyncio.new_event_loop()
        self._wanted = asyncio.Event()
        self._is_wanted = False
        self.figures, self.streams = figures, Streams(feed.current)
        application = Application(feed, self.figures, self.streams).made()
        self._servers = [_server(Entrance(application, each, token)) for each in sockets]

    def awaken(self) -> None:
        """There are updates, or it is to stop."""
        if not self._is_wanted:
            self._is_wanted = True
            with contextlib.suppress(RuntimeError):
                # the event loop may have ended
                self._loop.call_soon_threadsafe(self._wanted.set)

    def run(self) -> None:
        """Serve."""
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        serving = [
            asyncio.ensure_future(server.serve([listener.socket]))
            for server, listener in zip(self._servers, self._sockets, strict=True)
        ]
        self._take()
        while not self._stopping.is_set():
            await self._wanted.wait()
            self._wanted.clear()
            await asyncio.sleep(GATHERED)
            self._is_wanted = False
            self._take()
        self.streams.close()
        for server in self._servers:
            server.should_exit = True
        await asyncio.gather(*serving, return_exceptions=True)

    def _take(self) -> None:
        while self._updates:
            update = self._updates.popleft()
            self.figures.take(update)
            self.streams.take(update)


def _server(application: Entrance) -> uvicorn.Server:
    config = uvicorn.Config(
        application,
        http=Watched,
        ws="none",
        loop="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=2 * CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=HEADERS,
    )
    return uvicorn.Server(config)

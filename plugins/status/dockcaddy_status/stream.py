"""Server-sent events: what changed, to everybody who listens. Who reads too slowly is let go and asks again."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from attrs import define, field
from dockcaddy import Status, Update, as_document

# listeners at a time, messages that wait for one of them, and seconds between signs of life
LISTENERS = 50
WAITING = 64
SIGN_OF_LIFE = 15.0
_END = ""


class Full(Exception):
    """As many listen as may."""


@define
class Streams:
    """All who listen. `status` is what they know. Belongs to one thread."""

    status: Status
    _queues: "set[asyncio.Queue[str]]" = field(factory=set)

    def opened(self) -> "asyncio.Queue[str]":
        """Another one listens. Raises Full."""
        if len(self._queues) >= LISTENERS:
            raise Full
        queue: asyncio.Queue[str] = asyncio.Queue(WAITING)
        self._queues.add(queue)
        queue.put_nowait(
            f"retry: 2000\n{_message('revision', {'revision': self.status.revision}, self.status.revision)}"
        )
        return queue

    async def read(self, queue: "asyncio.Queue[str]") -> AsyncIterator[str]:
        """The messages for one of them, until it goes or is let go."""
        try:
            while True:
                try:
                    message = await asyncio.wait_for(queue.get(), SIGN_OF_LIFE)
                except TimeoutError:
                    message = ": still here\n\n"
                if message == _END:
                    return
                yield message
        finally:
            self._queues.discard(queue)

    def take(self, update: Update) -> None:
        """Something may have changed."""
        before, self.status = self.status, update.status
        if not self._queues or before.revision == self.status.revision:
            return
        messages = [_message("event", as_document(each), self.status.revision) for each in update.events]
        messages.append(_message("status", difference(before, self.status), self.status.revision))
        for queue in tuple(self._queues):
            for message in messages:
                self._send(queue, message)

    def close(self) -> None:
        """Let everybody go."""
        for queue in tuple(self._queues):
            self._let_go(queue)

    def _send(self, queue: "asyncio.Queue[str]", message: str) -> None:
        if queue in self._queues:
            try:
                queue.put_nowait(message)
            except asyncio.QueueFull:
                self._let_go(queue)

    def _let_go(self, queue: "asyncio.Queue[str]") -> None:
        """It reads no more messages: the stream ends, and the client asks for the whole again."""
        self._queues.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(_END)


def difference(before: Status, now: Status) -> dict[str, Any]:
    """What the documents of `now` have that those of `before` have not."""
    return {
        "revision": now.revision,
        "sites": _changed(before.sites, now.sites),
        "resources": _changed(before.resources, now.resources),
        "gone": {
            "sites": sorted(before.sites.keys() - now.sites),
            "resources": sorted(before.resources.keys() - now.resources),
        },
        "caddy": as_document(now.caddy),
        "engines": [as_document(each) for each in now.engines],
        "problems": None if before.problems == now.problems else [as_document(each) for each in now.problems],
        "caddyfile_changed": before.listing is not now.listing,
    }


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Any]:
    return [as_document(each) for key, each in now.items() if before.get(key) is not each]


def _message(kind: str, content: Mapping[str, Any], revision: int) -> str:
    return f"event: {kind}\nid: {revision}\ndata: {json.dumps(content, ensure_ascii=False)}\n\n"

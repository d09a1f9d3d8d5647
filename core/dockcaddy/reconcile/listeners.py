"""Event listeners of plugins, each in a thread of its own: whatever one does delays neither the loop nor another one."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from attrs import define, field

from dockcaddy.hookspecs import EventListener, ServiceContext
from dockcaddy.plugins.guard import Contribution, reason_of
from dockcaddy.settings import limits
from dockcaddy.status.model import Event, Update

logger = logging.getLogger("dockcaddy")


@define(eq=False)
class ListeningThread:
    """Hands events to one listener. `put` may be called from any thread and never waits."""

    listener: Contribution[EventListener]
    context: ServiceContext
    _waiting: "deque[Event]" = field(factory=deque)
    _dropped: int = 0
    _changed: threading.Condition = field(factory=threading.Condition)
    _is_ended: bool = False
    _receive: Callable[[Event], object] | None = None
    _failure: str = ""

    def start(self) -> None:
        """Begin to hand on."""
        threading.Thread(target=self._work, name=f"events {self.listener.name}", daemon=True).start()

    def put(self, events: Sequence[Event]) -> None:
        """More events; the oldest are dropped where too many wait. Those of one update are never too many."""
        with self._changed:
            while self._waiting and len(self._waiting) + len(events) > limits.MAX_EVENTS_FOR_LISTENER:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.extend(events)
            self._changed.notify()

    def end(self) -> None:
        """Hand on no more."""
        with self._changed:
            self._is_ended = True
            self._changed.notify()

    def _next(self) -> Event | None:
        """Wait for an event. None at the end."""
        with self._changed:
            while not self._waiting and not self._is_ended:
                self._changed.wait()
            if self._dropped:
                logger.warning("%s is slow: %d events were dropped", self.listener, self._dropped)
                self._dropped = 0
            return self._waiting.popleft() if self._waiting and not self._is_ended else None

    def _work(self) -> None:
        while (event := self._next()) is not None:
            self._hand_on(event)

    def _hand_on(self, event: Event) -> None:
        try:
            if self._receive is None:
                self._receive = self.listener.item.create(self.context)
            self._receive(event)
        except BaseException as error:
            # whatever it is: it ends neither this thread nor the program
            reason = reason_of(error, self.listener.item.create)
            if reason != self._failure:
                logger.warning("%s failed: %s", self.listener, reason)
            logger.debug("where it happened", exc_info=error)
            self._failure = reason
        else:
            self._failure = ""


@contextmanager
def listening(listeners: Sequence[Contribution[EventListener]], context: ServiceContext) -> Iterator[None]:
    """Within, the listeners hear each event of the status."""
    threads = [ListeningThread(each, context) for each in listeners]

    def take(update: Update) -> None:
        for each in threads:
            each.put(update.events)

    unsubscribe = context.status.subscribe(take) if threads else lambda: None
    for each in threads:
        each.start()
    try:
        yield
    finally:
        unsubscribe()
        for each in threads:
            each.end()

"""The engine's events: read at once whatever else goes on, and handed on together with those that came meanwhile.

An engine drops events for a listener that reads slowly (Docker Engine 20.10: a thousand wait for it, a tenth of a second
long), so nobody reads them who has something else to do.
"""

import contextlib
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from dockcaddy.backoff import pause_after
from dockcaddy.engine.work import Threads, Work
from dockcaddy.logs import report_own_fault
from dockcaddy.settings import limits

logger = logging.getLogger("dockcaddy")

# engine API 1.24, GET /events
CONTAINER_EVENTS = [
    "create",
    "start",
    "stop",
    "die",
    "kill",
    "destroy",
    "pause",
    "unpause",
    "rename",
    "update",
    "health_status",
    "oom",
]
NETWORK_EVENTS = ["create", "connect", "disconnect", "destroy", "remove"]
FILTERS = {"type": ["container", "network"], "event": sorted({*CONTAINER_EVENTS, *NETWORK_EVENTS})}

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 0.75
# a storm is over when nothing came for so many seconds
CALM = 0.5


@frozen
class Event:
    """What happened. `container` is the id of the container that it is about, empty where a network came or went.

    `network` is the id of the network that it is about, where it is about one.
    """

    kind: str
    action: str
    container: str
    attributes: Mapping[str, str]
    network: str = ""

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> "Event":
        """An event as the engine tells it. Raises AttributeError where the message is none."""
        kind, actor = str(message.get("Type")), message.get("Actor") or {}
        attributes = actor.get("Attributes") or {}
        id = str(actor.get("ID") or "")
        action = str(message.get("Action") or "")
        if kind == "network":
            return cls(kind, action, str(attributes.get("container") or ""), attributes, id)
        return cls(kind, action, id, attributes)

    @property
    def verb(self) -> str:
        """The action without its detail: `health_status: healthy` is a `health_status`."""
        return self.action.partition(": ")[0]

    @property
    def detail(self) -> str:
        """What stands behind the verb."""
        return self.action.partition(": ")[2]


@define(eq=False)
class EventStream:
    """Listens to one engine, in two loops that go on aside: one reads, one reacts.

    `subscribe` asks for the events. `react` is given what came since it was called last, and tells whether that was
    too much. `missed` is called where something may not have come: the stream begins anew, or a storm is over.
    """

    name: str
    subscribe: Callable[[], Any]
    react: Callable[[Sequence[Event]], bool]
    missed: Callable[[], None]
    work: Work = field(factory=Threads)
    _waiting: deque[Event] = field(factory=lambda: deque(maxlen=limits.MAX_WAITING_EVENTS))
    _condition: threading.Condition = field(factory=threading.Condition)
    _ended: threading.Event = field(factory=threading.Event)
    _response: Any = None
    _is_storm: bool = False

    def start(self) -> None:
        """Begin to listen."""
        for purpose, loop in (("events", self._read_all), ("reactions", self._react_to_all)):
            self.work.go_on(f"{purpose} of {self.name}", loop)

    def close(self) -> None:
        """Stop listening."""
        self._ended.set()
        with self._condition:
            self._condition.notify_all()
        if self._response is not None:
            _hang_up(self._response)

    def _read_all(self) -> None:
        failures = 0
        while not self._ended.is_set():
            try:
                self.begin()
                for message in _messages(self._response):
                    failures = 0
                    self.hear(message)
                reason = "it ended"
            except Exception as error:
                reason = " ".join(str(error).split())[:200]
            if self._ended.is_set():
                return
            self.lost(reason)
            failures += 1
            self._ended.wait(pause_after(failures, FIRST_PAUSE, LONGEST_PAUSE))

    def begin(self) -> None:
        """Have events come. Raises what `subscribe` raises."""
        self._response = self.subscribe()
        self.missed()

    def hear(self, message: Mapping[str, Any]) -> None:
        """An event has come. Raises AttributeError where it is none."""
        event = Event.of(message)
        with self._condition:
            self._waiting.append(event)
            self._condition.notify_all()

    def lost(self, reason: str) -> None:
        """Events come no more."""
        logger.debug("engine %s: the event stream was lost: %s", self.name, reason)
        self._tell_of_missed()

    def _react_to_all(self) -> None:
        while not self._ended.is_set():
            with self._condition:
                self._condition.wait_for(lambda: self._waiting or self._ended.is_set(), self.patience)
            self.react_to_waiting()

    @property
    def patience(self) -> float | None:
        """How long to wait for another event, in seconds: after so long a storm is over."""
        return CALM if self._is_storm else None

    def react_to_waiting(self) -> None:
        """React to what has come; where nothing has, a storm is over."""
        with self._condition:
            events = list(self._waiting)
            self._waiting.clear()
        if not events:
            self._is_storm = False
            self._tell_of_missed()
            return
        try:
            self._is_storm |= self.react(events) or len(events) == limits.MAX_WAITING_EVENTS
        except Exception as error:
            logger.debug("engine %s: an event is not understood: %s", self.name, error)
            self._tell_of_missed()

    def _tell_of_missed(self) -> None:
        """Whatever goes wrong there, events are listened to as before."""
        try:
            self.missed()
        except Exception as error:
            report_own_fault(f"engine {self.name}", error)


def _messages(response: Any) -> Iterator[Mapping[str, Any]]:
    """The lines of a chunked answer as they come, without waiting for a buffer to fill."""
    buffered = b""
    while True:
        piece = response.raw.read1(65536) if hasattr(response.raw, "read1") else response.raw.read(1)
        if not piece:
            return
        buffered += piece
        *lines, buffered = buffered.split(b"\n")
        yield from (json.loads(line) for line in lines if line.strip())


def no_timeout(response: Any) -> None:
    """Once a stream has begun it may be silent for as long as it likes."""
    sock = _socket_of(response)
    if sock is not None:
        sock.settimeout(None)


def _socket_of(response: Any) -> Any:
    return getattr(getattr(response.raw, "_connection", None), "sock", None)


def _hang_up(response: Any) -> None:
    """End a read that another thread is waiting in."""
    sock = _socket_of(response)
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(2)

"""The engine's event stream: one loop reads events, another one handles all that have come since.

An engine drops events if the listener reads too slowly (Docker Engine 20.10 keeps a thousand, for 100 ms), so the loop that
reads them does nothing else.
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
from dockcaddy.engine.api import podman
from dockcaddy.engine.api.work import Threads, Work
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
# of the managers of a Swarm: these have no container
SWARM_TYPES = ["service", "node", "config"]
SWARM_EVENTS = ["create", "update", "remove"]
# configs that several controllers agree by, which change all the time and say nothing about sites
LOCK_PREFIX = "dockcaddy-leader-"
FILTERS = {
    "type": ["container", "network", *SWARM_TYPES],
    "event": sorted({*CONTAINER_EVENTS, *NETWORK_EVENTS, *SWARM_EVENTS, *podman.EVENTS}),
}

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 0.75
# a storm is over when no event comes for this long, in seconds
CALM = 0.5


@frozen
class Event:
    """An event. `container` is the id of the container, empty in events about a network or the Swarm as a whole.

    `network` is the id of the network, in events about networks; `""` if the engine does not say it. `time` is in seconds
    since the epoch, 0 if it is not given.
    """

    kind: str
    action: str
    container: str
    attributes: Mapping[str, str]
    network: str = ""
    time: float = 0.0

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> "Event":
        """The event of a message of the engine. Raises AttributeError if the message is not an event."""
        message = podman.event(message)
        kind, actor = str(message.get("Type")), message.get("Actor") or {}
        attributes = actor.get("Attributes") or {}
        id = str(actor.get("ID") or "")
        action = str(message.get("Action") or "")
        if kind == "network":
            return cls(kind, action, str(attributes.get("container") or ""), attributes, id)
        if kind in SWARM_TYPES:
            return cls(kind, action, "", attributes)
        return cls(kind, action, id, attributes, time=float(message.get("timeNano") or 0) / 1e9)

    @property
    def verb(self) -> str:
        """The action without its detail: `health_status: healthy` is a `health_status`."""
        return self.action.partition(": ")[0]

    @property
    def detail(self) -> str:
        """The detail of the action: `healthy`."""
        return self.action.partition(": ")[2]


@define(eq=False)
class EventStream:
    """Listens to the events of one engine, in two loops of their own.

    `subscribe` opens the stream. `handle` gets all events since its last call, and returns whether they were too many.
    `missed` is called when events may have been lost: after every subscription, and after a storm.
    """

    name: str
    subscribe: Callable[[], Any]
    handle: Callable[[Sequence[Event]], bool]
    missed: Callable[[], None]
    work: Work = field(factory=Threads)
    _waiting: deque[Event] = field(factory=lambda: deque(maxlen=limits.MAX_WAITING_EVENTS))
    _condition: threading.Condition = field(factory=threading.Condition)
    _ended: threading.Event = field(factory=threading.Event)
    _response: Any = None
    _is_storm: bool = False

    def start(self) -> None:
        """Start to listen."""
        for purpose, loop in (("events", self._read_all), ("event handling", self._handle_all)):
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
        """Subscribe. Raises what `subscribe` raises."""
        self._response = self.subscribe()
        self.missed()

    def hear(self, message: Mapping[str, Any]) -> None:
        """Queue an event. Raises AttributeError if the message is not an event."""
        event = Event.of(message)
        with self._condition:
            self._waiting.append(event)
            self._condition.notify_all()

    def lost(self, reason: str) -> None:
        """The stream ended."""
        logger.debug("engine %s: the event stream was lost: %s", self.name, reason)
        self._tell_of_missed()

    def _handle_all(self) -> None:
        while not self._ended.is_set():
            with self._condition:
                self._condition.wait_for(lambda: self._waiting or self._ended.is_set(), self.patience)
            self.handle_waiting()

    @property
    def patience(self) -> float | None:
        """How long to wait for another event before a storm is over, in seconds; None without a storm."""
        return CALM if self._is_storm else None

    def handle_waiting(self) -> None:
        """Handle the events that have come. If there are none, a storm is over."""
        with self._condition:
            events = list(self._waiting)
            self._waiting.clear()
        if not events:
            self._is_storm = False
            self._tell_of_missed()
            return
        try:
            self._is_storm |= self.handle(events) or len(events) == limits.MAX_WAITING_EVENTS
        except Exception as error:
            logger.debug("engine %s: an event cannot be handled: %s", self.name, error)
            self._tell_of_missed()

    def _tell_of_missed(self) -> None:
        """Call `missed`. An exception in it does not end the loop."""
        try:
            self.missed()
        except Exception as error:
            report_own_fault(f"engine {self.name}", error)


def _messages(response: Any) -> Iterator[Mapping[str, Any]]:
    """The lines of a chunked response as they arrive, without waiting for a full buffer."""
    buffered = b""
    while True:
        piece = response.raw.read1(65536) if hasattr(response.raw, "read1") else response.raw.read(1)
        if not piece:
            return
        buffered += piece
        *lines, buffered = buffered.split(b"\n")
        yield from (json.loads(line) for line in lines if line.strip())


def no_timeout(response: Any) -> None:
    """Remove the timeout: a stream may be silent for any time."""
    sock = _socket_of(response)
    if sock is not None:
        sock.settimeout(None)


def _socket_of(response: Any) -> Any:
    return getattr(getattr(response.raw, "_connection", None), "sock", None)


def _hang_up(response: Any) -> None:
    """End a read in another thread."""
    sock = _socket_of(response)
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(2)

"""A live engine: its inventory, and a call when that may have changed."""

import json
import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from attrs import define, field

from dockcaddy.engine.api import podman
from dockcaddy.engine.api.connection import Connection
from dockcaddy.engine.api.endpoint import DEFAULT_SOCKET
from dockcaddy.engine.api.engine_api import EngineApi
from dockcaddy.engine.api.failures import failure_of
from dockcaddy.engine.api.work import Threads, Work
from dockcaddy.engine.builder import InventoryBuilder
from dockcaddy.engine.problems import EngineProblems
from dockcaddy.engine.reach.neighbours import Neighbours, written
from dockcaddy.engine.reach.own_container import OwnContainer
from dockcaddy.engine.recording import add_inspects, record
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.records.unlabelled import warnings
from dockcaddy.engine.watch.event_handler import EventHandler
from dockcaddy.engine.watch.events import FILTERS, EventStream, no_timeout
from dockcaddy.engine.watch.reflector import Reflector
from dockcaddy.errors import one_line
from dockcaddy.model import EngineInventory, EngineSilent, Problem
from dockcaddy.settings import limits

logger = logging.getLogger("dockcaddy")


@define(eq=False, repr=False)
class Engine:
    """One engine endpoint. `name` is its name in messages. All times are in seconds."""

    connection: Connection = field(factory=Connection)
    options: EngineOptions = field(factory=EngineOptions)
    name: str = "local"
    clock: Callable[[], float] = time.monotonic
    work: Work = field(factory=Threads)
    lock: threading.Condition = field(factory=threading.Condition)
    neighbours: Neighbours = field(factory=Neighbours)
    _reflector: Reflector = field(init=False)
    _event_handler: EventHandler = field(init=False)
    _events: EventStream = field(init=False)
    _wake: Callable[..., None] = lambda **_: None
    _server: str = ""
    _has_subscribed: bool = False

    def __attrs_post_init__(self) -> None:
        builder, own = InventoryBuilder(self.name, self.options, self.neighbours), OwnContainer(self.connection)
        self._reflector = Reflector(self.connection, builder, own, self.clock, self._changed, self.lock, self.work)
        self._event_handler = EventHandler(self._reflector, self._changed, self._missed)
        self._events = EventStream(self.name, self._subscribed, self._event_handler.handle, self._missed, self.work)

    @property
    def description(self) -> str:
        """Its product and version, once it has answered, and its URL: `docker 20.10.24 at tcp://manager:2375`."""
        product, _, version = re.split("[ +]", self._server)[0].partition("/")
        url = self.connection.endpoint.url
        said = f"{podman.product(product.lower()) or 'docker'} {version}".strip()
        return said if url == DEFAULT_SOCKET and not self.connection.url else f"{said} at {url}"

    @property
    def unlabelled(self) -> int:
        """How many containers without labels of ours the last full list had."""
        return len(self._reflector.store.without_labels)

    @property
    def progress(self) -> tuple[int, int] | None:
        """How many of its labelled containers are read, and how many there are; None before it has answered."""
        with self.lock:
            count, unread = len(self._reflector.store.ids), len(self._reflector.store.uninspected())
        return (count - unread, count) if count or self._has_subscribed else None

    def start(self, wake: Callable[..., None]) -> None:
        """Start to listen to events. `wake` is called when the inventory may have changed."""
        self._wake = wake
        self.neighbours.listeners.append(wake)
        self._reflector.is_watching = True
        if self.neighbours.are_several:
            self._reflector.first_patience = limits.FIRST_PATIENCE_OF_SEVERAL
        self._events.start()

    def inventory(self) -> EngineInventory:
        """The inventory of the engine. Raises EngineSilent with the last known inventory, or EngineUnreachable."""
        failure = self._reflector.read()
        known = self._reflector.inventory()
        if failure is not None:
            raise EngineSilent(failure, known) from failure
        return known

    def resync(self) -> None:
        """List everything at the next `inventory`."""
        self._reflector.all_changed()

    def snapshot(self) -> dict[str, Any]:
        """The engine's part of a snapshot document. Raises EngineUnreachable."""
        problems = EngineProblems(self.name)
        try:
            api = EngineApi(self.connection, self.options)
            recorded = record(api, self._reflector.own, self._reflector.store.wants, problems)
        except Exception as error:
            raise self.connection.unreachable(error) from error
        for problem in problems:
            logger.warning("%s", problem)
        near, name = self.neighbours, self.name
        return recorded | {"reach": written(near.reach(name), near.place, near.order(name), recorded["networks"] or ())}

    def overlooked(self) -> tuple[Problem, ...]:
        """Warnings about containers without labels of ours that were probably meant for us.

        Inspects the containers for their environment, so it is for `check` and not for every pass. A container that cannot
        be inspected is checked by its labels alone.
        """
        items = [dict(item) for item in self._reflector.store.without_labels[: limits.MAX_INSPECTED_UNLABELLED]]
        add_inspects(EngineApi(self.connection, self.options), items, EngineProblems(self.name))
        return warnings(items, self.options.label_prefix)

    def close(self) -> None:
        """Stop watching."""
        self._events.close()
        self._reflector.close()

    def _changed(self, *, urgent: bool = False) -> None:
        self._wake(urgent=urgent)

    def _missed(self) -> None:
        """Events may have been lost."""
        self._reflector.events_lost()
        self._wake()

    def _subscribed(self) -> Any:
        """Subscribe to events. Returns the streaming response."""
        client = self.connection.renewed()
        try:
            response = client._get(
                client._url("/events"),
                params={"filters": json.dumps(FILTERS)},
                stream=True,
                timeout=limits.ENGINE_CALL_TIMEOUT,
            )
            client._raise_for_status(response)
        except Exception as error:
            failure = failure_of(error)
            if failure.is_forbidden:
                self._reflector.report("events", f"{failure.cause}; changes are found by polling only")
            raise
        self._reflector.report("events", "")
        self._server = one_line(str(response.headers.get("Server") or ""))
        no_timeout(response)
        if self._has_subscribed:
            # events were lost in the meantime, and a list may not show their changes yet
            self._reflector.list_again()
        self._has_subscribed = True
        return response

"""A live engine: what it has now, and a word when that may have changed."""

import json
import os
import re
import time
from collections.abc import Callable
from typing import Any

from attrs import define, field

from dockcaddy.engine.connection import CALL_TIMEOUT, Connection
from dockcaddy.engine.events import FILTERS, EventStream
from dockcaddy.engine.own_container import OwnContainer, as_listed
from dockcaddy.engine.reactions import Reactions
from dockcaddy.engine.reader import Reader
from dockcaddy.engine.records import EngineOptions, container
from dockcaddy.engine.store import ContainerStore
from dockcaddy.engine.strangers import warnings
from dockcaddy.engine.unreachable import advice
from dockcaddy.errors import one_line
from dockcaddy.model import EngineInventory, EngineSilent, Problem, Resource

# so many are looked at for what others say in their environment
MOST_STRANGERS = 100


@define(eq=False)
class Engine:
    """One engine endpoint; `name` is how errors call it. All times are in seconds."""

    connection: Connection = field(factory=Connection)
    options: EngineOptions = field(factory=EngineOptions)
    name: str = "local"
    clock: Callable[[], float] = time.monotonic
    _reader: Reader = field(init=False)
    _reactions: Reactions = field(init=False)
    _events: EventStream = field(init=False)
    _wake: Callable[..., None] = lambda **_: None
    _caddy: tuple[Any, Resource] | None = None
    _inventory: EngineInventory | None = None
    _server: str = ""

    def __attrs_post_init__(self) -> None:
        store, own = ContainerStore(self.name, self.options), OwnContainer(self.connection)
        self._reader = Reader(self.connection, store, own, self.clock, self._changed)
        self._reactions = Reactions(self._reader, self._changed, self._missed)
        self._events = EventStream(self.name, self._subscribed, self._reactions.react, self._missed)

    @property
    def description(self) -> str:
        """What it says it is, once it has answered, and where: `docker 20.10.24 at tcp://manager:2375`."""
        product, _, version = re.split("[ +]", self._server)[0].partition("/")
        url = self.connection.url or os.environ.get("DOCKER_HOST", "")
        said = f"{product.lower() or 'docker'} {version}".strip()
        return f"{said} at {url}" if url else said

    @property
    def unlabelled(self) -> int:
        """How many containers had no labels of ours when all were listed last."""
        return self._reader.store.unlabelled

    def start(self, wake: Callable[..., None]) -> None:
        """Listen to events from now on; `wake` is called when the inventory may have changed."""
        self._wake = wake
        self._reader.is_watching = True
        self._events.start()

    def inventory(self) -> EngineInventory:
        """What the engine has now. Raises EngineUnreachable, with what is known of it where anything is."""
        failure = self._reader.read()
        with self._reader.lock:
            resources = self._reader.store.resources(self.clock())
            problems = (*self._reader.problems.values(), *self._reader.store.overlooked)
            caddy = self._own_resource()
            told = advice(self._reader.store.ingress, self.name)
        last = self._inventory
        if last is None or (last.resources, last.problems, last.caddy, last.advice) != (
            resources,
            problems,
            caddy,
            told,
        ):
            last = EngineInventory(self.name, resources, caddy=caddy, problems=problems, advice=told)
            self._inventory = last
        if failure is not None:
            raise EngineSilent(str(failure), last) from failure
        return last

    def resync(self) -> None:
        """List everything anew at the next `inventory`."""
        self._reader.all_changed()

    def snapshot(self) -> dict[str, Any]:
        """The engine's part of a snapshot document. Raises EngineUnreachable."""
        try:
            client, own = self.connection.client(), self._reader.own
            containers = client.containers(all=True)
            own.take(own.ask())
            for item in containers:
                if self._reader.store.wants(item.get("Labels") or {}) or own.has_id(item["Id"]):
                    item["Inspect"] = client.inspect_container(item["Id"])
            return {
                "name": self.name,
                "info": {},
                "self": own.found["Id"] if own.found else None,
                "containers": containers,
                "networks": client.networks(),
            }
        except Exception as error:
            raise self.connection.unreachable(error) from error

    def overlooked(self) -> tuple[Problem, ...]:
        """What was probably meant for us of containers without labels of ours, by their environment too.

        Each is inspected, so this is not for every day. Raises EngineUnreachable.
        """
        strangers = self._reader.store.strangers[:MOST_STRANGERS]
        try:
            client = self.connection.client()
            items = [{**item, "Inspect": client.inspect_container(item["Id"])} for item in strangers]
        except Exception as error:
            raise self.connection.unreachable(error) from error
        return warnings(items, self.options.label_prefix)

    def close(self) -> None:
        """Stop watching."""
        self._events.close()
        self._reader.close()

    def _own_resource(self) -> Resource | None:
        """The container that the program, and its Caddy, run in."""
        own = self._reader.own.found
        if own is None:
            return None
        if self._caddy is None or self._caddy[0] is not own:
            self._caddy = own, container(as_listed(own), own, self._reader.store.ingress, self.name)
        return self._caddy[1]

    def _changed(self, *, urgent: bool = False) -> None:
        self._wake(urgent=urgent)

    def _missed(self) -> None:
        """Something may have changed unheard."""
        self._reader.events_lost()
        self._wake()

    def _subscribed(self) -> Any:
        """The answer that events come in."""
        client = self.connection.renewed()
        response = client._get(
            client._url("/events"), params={"filters": json.dumps(FILTERS)}, stream=True, timeout=CALL_TIMEOUT
        )
        response.raise_for_status()
        self._server = one_line(str(response.headers.get("Server") or ""))
        # the stream may be silent for as long as it likes
        client._disable_socket_timeout(response.raw._fp.fp)
        return response

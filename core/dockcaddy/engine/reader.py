"""What is asked of an engine: one list call, looks at what changed, an inspect in each labelled container's life."""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from attrs import define, field

from dockcaddy.engine.connection import Connection, cause_of
from dockcaddy.engine.ingress import ingress_networks
from dockcaddy.engine.own_container import OwnContainer
from dockcaddy.engine.store import ContainerStore
from dockcaddy.model import Problem

logger = logging.getLogger("dockcaddy")

INSPECTS_AT_ONCE = 8
# how long a cycle waits for the inspects of newcomers, in seconds; the others must not wait longer for them
INSPECT_PATIENCE = 0.3
# more containers than that are not named in one call, as a URL has its limits: everything is listed
ASKED_BY_NAME = 256


@define(eq=False)
class Reader:
    """Keeps the store true to what the engine answers. `clock` gives seconds.

    `wake` is called when something came for which nobody waited any more. Whoever looks at the store holds `lock`.
    """

    connection: Connection
    store: ContainerStore
    own: OwnContainer
    clock: Callable[[], float]
    wake: Callable[[], None]
    lock: threading.RLock = field(factory=threading.RLock)
    problems: dict[str, Problem] = field(factory=dict)
    _everything: bool = True
    _dirty: dict[str, None] = field(factory=dict)
    _networks: list[dict[str, Any]] | None = None
    _has_waited: bool = False
    _inspecting: "dict[str, Future[None]]" = field(factory=dict)
    _pool: ThreadPoolExecutor = field(factory=lambda: ThreadPoolExecutor(INSPECTS_AT_ONCE, "inspects"))

    def read(self) -> None:
        """Ask for whatever may have changed. Raises EngineUnreachable, and then nothing that is known is lost."""
        with self.lock:
            try:
                if self._everything or len(self._dirty) > ASKED_BY_NAME:
                    self._list_everything()
                elif self._dirty or self._networks is None:
                    self._list_dirty()
            except Exception as error:
                raise self.connection.unreachable(error) from error
        self._inspect_missing()

    def all_changed(self) -> None:
        """Have everything listed anew by the next `read`."""
        self._everything = True

    def networks_changed(self) -> None:
        """Have the networks listed anew by the next `read`."""
        self._networks = None

    def changed(self, id: str) -> None:
        """Have a look at this container with the next `read`."""
        self._dirty[id] = None

    def look(self, id: str) -> None:
        """Have a look at a container now, its inspect included; where that fails, with the next `read`."""
        try:
            self._fetch([id])
            self._dirty.pop(id, None)
            if self.store.needs_inspect(id):
                self._inspect(id)
        except Exception as error:
            logger.debug("engine %s: container %s cannot be read yet: %s", self.store.engine, id[:12], error)
            self.changed(id)

    def look_again(self, id: str) -> bool:
        """The same for one that is known; whether something is different, or remains to be looked at."""
        before = self.store.resource(id, self.clock())
        self.look(id)
        return id in self._dirty or self.store.resource(id, self.clock()) is not before

    def close(self) -> None:
        """Wait for no answer any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    # --- lists

    def _list_everything(self) -> None:
        self._everything = False
        self._dirty, dirty = {}, self._dirty
        try:
            self.own.look()
            self._know_networks(anew=True)
            items = self.connection.client().containers(all=self.store.options.scan_stopped_containers)
        except BaseException:
            self._everything, self._dirty = True, dirty
            raise
        self.store.replace_all(items)

    def _list_dirty(self) -> None:
        wanted, self._dirty = self._dirty, {}
        try:
            self._know_networks()
            if wanted:
                self._fetch(list(wanted))
        except BaseException:
            self._dirty = {**wanted, **self._dirty}
            raise

    def _know_networks(self, *, anew: bool = False) -> None:
        """Have the networks that there are, and what of them is ours; asked for where some came or went."""
        if self._networks is None or anew:
            self._networks = self.connection.client().networks()
            chosen = self.store.options.ingress_networks
            self.store.set_ingress(ingress_networks(self._networks or (), chosen, self.own.found))

    def _fetch(self, ids: Sequence[str]) -> None:
        """The present items of some containers, by one call."""
        self._know_networks()
        items = self.connection.client().containers(all=True, filters={"id": list(ids)})
        found = {item["Id"]: item for item in items}
        for id in ids:
            if id not in found:
                self.store.drop(id)
            elif self.store.wants(found[id].get("Labels") or {}):
                self.store.put(found[id])

    # --- inspects

    def _inspect_missing(self) -> None:
        """Have newcomers inspected, and wait a moment for it; at the very first everything is waited for."""
        with self.lock:
            missing = [id for id in self.store.uninspected() if id not in self._inspecting]
            for id in missing:
                self._inspecting[id] = self._pool.submit(self._inspect_late, id)
            pending = list(self._inspecting.values())
        if pending:
            wait(pending, INSPECT_PATIENCE if self._has_waited else None)
        self._has_waited = True

    def _inspect_late(self, id: str) -> None:
        """Inspect off the loop's way; what comes when it has lost its patience wakes it."""
        asked = self.clock()
        try:
            self._inspect(id)
        finally:
            with self.lock:
                self._inspecting.pop(id, None)
        if self.clock() >= asked + INSPECT_PATIENCE * 0.9:
            self.wake()

    def _inspect(self, id: str) -> None:
        from docker.errors import NotFound  # noqa: PLC0415

        try:
            answer = self.connection.client().inspect_container(id)
        except NotFound:
            with self.lock:
                self.problems.pop(id, None)
                self.store.drop(id)
        except Exception as error:
            with self.lock:
                owner = f"container {self.store.name(id)}"
                self.problems[id] = Problem(owner, "", f"cannot be inspected: {cause_of(error)}", "warning")
                self.store.mark_unreadable(id)
        else:
            with self.lock:
                self.problems.pop(id, None)
                self.store.put_inspect(id, answer)

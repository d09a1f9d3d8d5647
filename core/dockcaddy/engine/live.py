"""A live engine: one list call, an inspect in each labelled container's life, and events that say what changed."""

import contextlib
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from attrs import define, field

from dockcaddy.engine.events import FILTERS, Event, EventStream
from dockcaddy.engine.ingress import ingress_networks
from dockcaddy.engine.records import EngineOptions, container
from dockcaddy.engine.store import ContainerStore
from dockcaddy.errors import EngineUnreachable, one_line
from dockcaddy.model import EngineInventory, Problem, Resource

logger = logging.getLogger("dockcaddy")

CALL_TIMEOUT = 30
INSPECTS_AT_ONCE = 8
# how long a cycle waits for the inspects of newcomers, in seconds; the others must not wait longer for them
INSPECT_PATIENCE = 0.3
# more containers than that are not named in one call, as a URL has its limits: everything is listed
ASKED_BY_NAME = 256

# so many events that nobody reacted to yet are not looked at one by one
STORM = 50
# requests would go to what is about to end
URGENT = frozenset(("kill", "die", "stop", "pause", "health_status"))
_CONTAINER_ID = re.compile(r"/containers/([0-9a-f]{64})/")
_CGROUP_ID = re.compile(r"[/-]([0-9a-f]{64})(?:\.scope)?$", re.MULTILINE)


@define(eq=False)
class Engine:
    """One engine endpoint. `url` is a DOCKER_HOST value, `""` the environment's; all times are in seconds."""

    url: str = ""
    options: EngineOptions = field(factory=EngineOptions)
    name: str = "local"
    certs_path: str = ""
    api_version: str = ""
    clock: Callable[[], float] = time.monotonic
    _client: Any = None
    _store: ContainerStore = field(init=False)
    _lock: threading.RLock = field(factory=threading.RLock)
    _wake: Callable[..., None] = lambda **_: None
    _everything: bool = True
    _dirty: dict[str, None] = field(factory=dict)
    _networks: list[dict[str, Any]] | None = None
    _own: Mapping[str, Any] | None = None
    _caddy: Resource | None = None
    _looked_for_self: bool = False
    _problems: dict[str, Problem] = field(factory=dict)
    _events: EventStream = field(init=False)
    _pool: ThreadPoolExecutor = field(init=False)
    _inspecting: "dict[str, Future[None]]" = field(factory=dict)
    _inventory: EngineInventory | None = None

    def __attrs_post_init__(self) -> None:
        self._store = ContainerStore(self.name, self.options)
        self._pool = ThreadPoolExecutor(INSPECTS_AT_ONCE, f"inspects of {self.name}")
        self._events = EventStream(self.name, self._subscribed, self._react, self._missed)

    # --- what the loop calls

    def start(self, wake: Callable[..., None]) -> None:
        """Listen to events from now on; `wake` is called when the inventory may have changed."""
        self._wake = wake
        self._events.start()

    def inventory(self) -> EngineInventory:
        """What the engine has now. Raises EngineUnreachable, and then nothing that is known is lost."""
        with self._lock:
            try:
                if self._everything or len(self._dirty) > ASKED_BY_NAME:
                    self._list_everything()
                elif self._dirty or self._networks is None:
                    self._list_dirty()
            except EngineUnreachable:
                raise
            except Exception as error:
                raise self._unreachable(error) from error
        self._inspect_missing()
        with self._lock:
            return self._frozen()

    def resync(self) -> None:
        """List everything anew at the next `inventory`."""
        self._everything = True

    def snapshot(self) -> dict[str, Any]:
        """The engine's part of a snapshot document. Raises EngineUnreachable."""
        try:
            client = self._connected()
            containers = client.containers(all=True)
            own = self._find_self()
            for item in containers:
                if self._store.wants(item.get("Labels") or {}) or (own and item["Id"] == own["Id"]):
                    item["Inspect"] = client.inspect_container(item["Id"])
            return {
                "name": self.name,
                "info": {},
                "self": own["Id"] if own else None,
                "containers": containers,
                "networks": client.networks(),
            }
        except EngineUnreachable:
            raise
        except Exception as error:
            raise self._unreachable(error) from error

    def close(self) -> None:
        """Stop watching."""
        self._events.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    # --- asking

    def _connected(self) -> Any:
        if self._client is None:
            self._client = self._new_client(CALL_TIMEOUT)
        return self._client

    def _new_client(self, timeout: int) -> Any:
        import docker  # noqa: PLC0415  a slow import that offline commands do not need
        from docker.utils import kwargs_from_env  # noqa: PLC0415

        settings: dict[str, Any] = dict(kwargs_from_env()) if not self.url else {"base_url": self.url}
        if self.certs_path:
            folder = Path(self.certs_path)
            settings["tls"] = docker.tls.TLSConfig(
                client_cert=(str(folder / "cert.pem"), str(folder / "key.pem")),
                ca_cert=str(folder / "ca.pem"),
                verify=True,
            )
        try:
            return docker.APIClient(
                version=self.api_version or "auto", timeout=timeout, num_pools=INSPECTS_AT_ONCE + 2, **settings
            )
        except Exception as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: BaseException) -> EngineUnreachable:
        where = self.url or "the default docker socket"
        return EngineUnreachable(f"{where} does not answer: {_cause(error)}")

    def _list_everything(self) -> None:
        client = self._connected()
        self._everything = False
        self._dirty, dirty = {}, self._dirty
        try:
            self._find_self()
            self._know_networks(anew=True)
            items = client.containers(all=self.options.scan_stopped_containers)
        except BaseException:
            self._everything, self._dirty = True, dirty
            raise
        self._store.replace_all(items)

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
            self._networks = self._connected().networks()
            found = ingress_networks(self._networks or (), self.options.ingress_networks, self._own)
            self._store.set_ingress(found)

    def _fetch(self, ids: Sequence[str]) -> None:
        """The present items of some containers, by one call."""
        self._know_networks()
        items = self._connected().containers(all=True, filters={"id": list(ids)})
        found = {item["Id"]: item for item in items}
        for id in ids:
            if id in found:
                if self._store.wants(found[id].get("Labels") or {}):
                    self._store.put(found[id])
            else:
                self._store.drop(id)

    def _inspect_missing(self) -> None:
        """Have newcomers inspected, and wait a moment for it; at the very first everything is waited for."""
        with self._lock:
            missing = [id for id in self._store.uninspected() if id not in self._inspecting]
            for id in missing:
                self._inspecting[id] = self._pool.submit(self._inspect_late, id)
            pending = list(self._inspecting.values())
        if pending:
            wait(pending, None if self._inventory is None else INSPECT_PATIENCE)

    def _inspect_late(self, id: str) -> None:
        """Inspect off the loop's way; what comes when it has lost its patience wakes it."""
        asked = self.clock()
        try:
            self._inspect(id)
        finally:
            with self._lock:
                self._inspecting.pop(id, None)
        if self.clock() >= asked + INSPECT_PATIENCE * 0.9:
            self._wake()

    def _inspect(self, id: str) -> None:
        from docker.errors import NotFound  # noqa: PLC0415

        try:
            answer = self._connected().inspect_container(id)
        except NotFound:
            with self._lock:
                self._problems.pop(id, None)
                self._store.drop(id)
        except Exception as error:
            with self._lock:
                owner = f"container {self._store.name(id)}"
                self._problems[id] = Problem(owner, "", f"cannot be inspected: {_cause(error)}", "warning")
                self._store.mark_unreadable(id)
        else:
            with self._lock:
                self._problems.pop(id, None)
                self._store.put_inspect(id, answer)

    def _find_self(self) -> Mapping[str, Any] | None:
        """The container we run in, None on a host. Looked for once, and again when its networks change."""
        from docker.errors import NotFound  # noqa: PLC0415

        if not self._looked_for_self:
            own = None
            for candidate in own_container_ids():
                try:
                    own = self._connected().inspect_container(candidate)
                    break
                except NotFound:
                    continue
            self._own, self._caddy, self._looked_for_self = own, None, True
        return self._own

    def _forget_self(self) -> None:
        """Our own container has other networks, so that others may be reached."""
        self._looked_for_self = False
        self._missed()

    def _frozen(self) -> EngineInventory:
        resources = self._store.resources(self.clock())
        problems = tuple(self._problems.values())
        if self._own is not None and self._caddy is None:
            self._caddy = self._resource_of(self._own)
        last = self._inventory
        if last is None or (last.resources, last.problems, last.caddy) != (resources, problems, self._caddy):
            self._inventory = EngineInventory(self.name, resources, (), self._caddy, problems)
        assert self._inventory is not None
        return self._inventory

    def _resource_of(self, own: Mapping[str, Any]) -> Resource:
        item = {
            "Id": own["Id"],
            "Names": [own.get("Name", "")],
            "State": "running",
            "Labels": (own.get("Config") or {}).get("Labels"),
            "NetworkSettings": own.get("NetworkSettings"),
        }
        return container(item, own, self._store.ingress, self.name)

    # --- events

    def _subscribed(self) -> Any:
        """The answer that events come in."""
        # what was connected before the last stream ended may not be any more
        self._client = client = self._new_client(CALL_TIMEOUT)
        response = client._get(
            client._url("/events"), params={"filters": json.dumps(FILTERS)}, stream=True, timeout=None
        )
        response.raise_for_status()
        return response

    def _missed(self) -> None:
        """Something may have changed unheard."""
        self.resync()
        self._wake()

    def _react(self, events: Sequence[Event]) -> bool:
        """React to each, or where they are too many for that, look once at each container that they are about.

        Tells whether they were too many.
        """
        ours = self._ours(events)
        if len(ours) > STORM:
            self._react_to_storm(ours)
            return True
        for event in ours:
            if event.kind == "network":
                self._react_to_network(event)
            else:
                self._react_to_container(event)
        return False

    def _ours(self, events: Sequence[Event]) -> list[Event]:
        """What is about a labelled container, our own one, or a network that came or went."""
        labelled = {event.container for event in events if self._store.wants(event.attributes)}
        return [
            event
            for event in events
            if event.container in labelled
            or event.container in self._store
            or (event.kind == "network" and (not event.container or self._is_own(event.container)))
        ]

    def _is_own(self, id: str) -> bool:
        return self._own is not None and id == self._own["Id"]

    def _react_to_storm(self, events: Sequence[Event]) -> None:
        with self._lock:
            for event in events:
                if event.kind == "network" and (not event.container or self._is_own(event.container)):
                    self._react_to_network(event)
                    continue
                self._dirty[event.container] = None
                # that one was told to stop is in no list
                if event.verb == "kill":
                    self._told_to_stop(event)
                elif event.verb in ("die", "start"):
                    self._store.set_stopping(event.container, 0.0)
        self._wake(urgent=any(event.verb in URGENT for event in events))

    def _react_to_network(self, event: Event) -> None:
        id = event.container
        with self._lock:
            if not id:
                self._networks = None
                return
            if self._is_own(id):
                self._forget_self()
                return
            if id not in self._store:
                return
            if not self._running(id):
                # one that died is disconnected while the list still calls it running
                if event.action == "connect":
                    self._prefetch(id)
                return
            self._dirty[id] = None
        self._wake()

    def _running(self, id: str) -> bool:
        resource = self._store.resource(id, self.clock())
        return resource is not None and resource.running

    def _react_to_container(self, event: Event) -> None:
        verb, id = event.verb, event.container
        is_known_early = verb == "start" and self._store.has_address(id)
        with self._lock:
            if verb == "create":
                self._prefetch(id)
                changed = self.options.scan_stopped_containers
            elif verb == "start":
                changed = self._started(id)
            elif verb == "destroy":
                self._store.drop(id)
                changed = True
            elif verb in ("die", "stop", "oom"):
                changed = verb != "oom" and self._store.set_state(id, "exited")
            elif verb == "kill":
                changed = self._told_to_stop(event)
            elif verb == "health_status":
                changed = self._store.set_health(id, event.detail)
            elif verb in ("pause", "unpause"):
                changed = self._store.set_state(id, "paused" if verb == "pause" else "running")
            else:
                # a rename or an update shows in the list; inspect has nothing new
                self._dirty[id] = None
                changed = True
        if changed:
            # what begins can wait a moment, requests to what ends cannot
            self._wake(urgent=verb in URGENT)
        if is_known_early:
            self._confirm(id)

    def _started(self, id: str) -> bool:
        """Publish from what was fetched at `create` and `network connect`, where that shows an address."""
        if self._store.has_address(id):
            self._store.set_state(id, "running")
            return True
        self._dirty[id] = None
        return True

    def _confirm(self, id: str) -> None:
        """Read a started container again, off the way of its first answer."""
        with self._lock:
            before = self._store.resource(id, self.clock())
            self._dirty[id] = None
            with contextlib.suppress(Exception):
                self._fetch([id])
                del self._dirty[id]
            changed = id in self._dirty or self._store.resource(id, self.clock()) is not before
        if changed:
            self._wake()

    def _prefetch(self, id: str) -> None:
        try:
            self._fetch([id])
            if self._store.needs_inspect(id):
                self._inspect(id)
        except Exception as error:
            logger.debug("engine %s: container %s cannot be read yet: %s", self.name, id[:12], error)
            self._dirty[id] = None

    def _told_to_stop(self, event: Event) -> bool:
        signal = _signal_number(str(event.attributes.get("signal") or ""))
        stop_signal, timeout = self._store.stop_signal(event.container)
        if signal not in {2, 3, 9, 15, _signal_number(stop_signal)}:
            return False
        return self._store.set_stopping(event.container, self.clock() + timeout + 5)


def _cause(error: BaseException) -> str:
    """What went wrong at the bottom: requests and urllib3 wrap it several times, the engine explains its own errors."""
    while not getattr(error, "explanation", None):
        inner = next((each for each in (*error.args, error.__cause__) if isinstance(each, BaseException)), None)
        if inner is None:
            break
        error = inner
    said = getattr(error, "explanation", None) or getattr(error, "strerror", None) or str(error)
    return one_line(str(said) or type(error).__name__)


def own_container_ids() -> Iterable[str]:
    """Ids that may be our own container's: from the mounts and control groups that only a container has."""
    for path, pattern in (("/proc/self/mountinfo", _CONTAINER_ID), ("/proc/self/cgroup", _CGROUP_ID)):
        try:
            text = Path(path).read_text()
        except OSError:
            continue
        if path.endswith("mountinfo"):
            # a host's mounts name containers too; only a container has one of its own files mounted from there
            text = "\n".join(line for line in text.splitlines() if " /etc/host" in line or " /etc/resolv.conf" in line)
        yield from dict.fromkeys(pattern.findall(text))
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        import socket  # noqa: PLC0415

        yield socket.gethostname()


def _signal_number(name: str) -> int:
    import signal  # noqa: PLC0415

    if name.isdecimal():
        return int(name)
    spelled = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    return int(getattr(signal, spelled, 0))

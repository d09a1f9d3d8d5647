"""A Docker Engine that is told what runs: the part of the Engine API that is asked for, and every way to fail.

It listens at a unix socket, from a thread of its own. With a `port` its running containers answer HTTP on their own
loopback addresses with that address, so that a visitor of a site sees which container answered.

    with StandInEngine("/tmp/engine.sock", port=8000) as engine:
        engine.add("web", {"caddy": "http://web.test", "caddy.reverse_proxy": "{{upstreams 8000}}"})
        engine.crash("web")
"""

import asyncio
import contextlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from attrs import define, field
from stand_in_container import NETWORK, StandInContainer, network, network_id
from stand_in_swarm import StandInSwarm

API_VERSION = "1.41"
VERSION = {"Version": "20.10.24", "ApiVersion": API_VERSION, "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64"}
INFO = {"ID": "stand-in", "Name": "stand-in", "OSType": "linux"}
# what HAProxy says, of which the usual socket proxies are made
FORBIDDEN = b"<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n"
_CONTAINER = re.compile(r"/containers/([0-9a-f]{64})/json")


@define(eq=False)
class StandInEngine:
    """The engine. `counts` has how often each call was answered, `refused` how often it was made to fail, `held` which
    kinds of calls were made to hang.

    `faults` says how calls fail, by kind (`list`, `inspect`, `networks`, `version`, `events`, `info`, `services` ...) or
    `all`: `error`, `garbage`, `forbidden` as by a socket proxy, or `hang`, which lasts until the fault is taken away. `inspect NAME` is the inspecting of one container.
    `delay` (seconds) goes before each answer. While it `drops` events, nobody hears of them. Lists and inspects show a
    change so many seconds after its event as `lag` says.
    """

    path: str
    port: int = 0
    delay: float = 0.0
    lag: float = 0.0
    drops: bool = False
    containers: dict[str, StandInContainer] = field(factory=dict)
    swarm: StandInSwarm = field(factory=StandInSwarm)
    faults: dict[str, str] = field(factory=dict)
    counts: Counter[str] = field(factory=Counter)
    refused: Counter[str] = field(factory=Counter)
    held: set[str] = field(factory=set)
    _by_id: dict[str, StandInContainer] = field(factory=dict)
    _shown: dict[str, tuple[bytes, bytes] | None] = field(factory=dict)
    _networks: dict[str, dict[str, Any]] = field(factory=lambda: {"bridge": NETWORK})
    _number: int = 0
    _loop: asyncio.AbstractEventLoop = field(factory=asyncio.new_event_loop)
    _server: asyncio.Server | None = None
    _streams: dict[asyncio.StreamWriter, dict[str, set[str]]] = field(factory=dict)
    _connections: set[asyncio.StreamWriter] = field(factory=set)

    def __enter__(self) -> Self:
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.start_answering()
        if self.port:
            self._run(self._serve_sites())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_answering()
        self._loop.call_soon_threadsafe(self._loop.stop)

    # --- what runs

    def add(self, name: str, labels: Mapping[str, str] | None = None, **more: Any) -> StandInContainer:
        """Create a container and start it."""
        made = self.create(name, labels, **more)
        self.start(name)
        return made

    def create(self, name: str, labels: Mapping[str, str] | None = None, **more: Any) -> StandInContainer:
        """Create a container."""
        self._number += 1
        made = StandInContainer(name, dict(labels or {}), self._number, **more)
        self.containers[name] = self._by_id[made.id] = made
        self.tell(made, "create")
        return made

    def connect(self, name: str) -> None:
        """Give a container that is about to start its address."""
        self.containers[name].connected = True
        self.containers[name].joins += 1
        self._tell_network(self.containers[name], "connect")

    def add_network(self, name: str) -> None:
        """`docker network create`."""
        made = network(name)
        self.emit("network", "create", made["Id"], {"name": name, "type": "bridge"})
        self._later(lambda: self._networks.update({name: made}))

    def remove_network(self, name: str) -> None:
        """`docker network rm`."""
        self.emit("network", "destroy", network(name)["Id"], {"name": name, "type": "bridge"})
        self._later(lambda: self._networks.pop(name, None))

    def join(self, name: str, network: str, address: str) -> None:
        """`docker network connect` of a running container."""
        container = self.containers[name]
        container.joins += 1
        container.also_on = {**container.also_on, network: address}
        self._tell_network(container, "connect", network)

    def part(self, name: str, network: str) -> None:
        """`docker network disconnect` of a running container; told twice, as Docker does."""
        container = self.containers[name]
        container.also_on = {each: address for each, address in container.also_on.items() if each != network}
        for _ in range(2):
            self._tell_network(container, "disconnect", network)

    def rename(self, name: str, new: str) -> None:
        """`docker rename`."""
        container = self.containers[new] = self.containers.pop(name)
        container.name = new
        self.tell(container, "rename", oldName=f"/{name}")

    def start(self, name: str) -> None:
        """Start a container that is there."""
        container = self.containers[name]
        if not container.connected:
            self.connect(name)
        container.state = "running"
        container.lives += 1
        self.tell(container, "start")

    def crash(self, name: str) -> None:
        """The container's process ends by itself; its restart policy waits."""
        container = self.containers[name]
        container.state, container.connected = "restarting", False
        self.tell(container, "die", exitCode="1")
        self._tell_network(container, "disconnect")

    def remove(self, name: str) -> None:
        """`docker rm -f`."""
        container = self.containers[name]
        self.tell(container, "kill", signal="9")
        del self.containers[name], self._by_id[container.id]
        container.connected = False
        self.tell(container, "die", exitCode="137")
        self._tell_network(container, "disconnect")
        self.tell(container, "destroy")

    def set_state(self, name: str, state: str, action: str) -> None:
        """Another state, told by the event `action`."""
        self.containers[name].state = state
        self.tell(self.containers[name], action)

    def set_health(self, name: str, status: str) -> None:
        """Another result of the health check."""
        self.containers[name].health = status
        self.tell(self.containers[name], f"health_status: {status}")

    def tell(self, container: StandInContainer, action: str, **attributes: str) -> None:
        """An event of the container."""
        named = {**container.labels, "image": "acme/app:1.2", "name": container.name, **attributes}
        self._show(container)
        self.emit("container", action, container.id, named)

    def emit(self, kind: str, action: str, id: str, attributes: Mapping[str, str]) -> None:
        """Any event, to all who subscribed to such ones."""
        if self.drops:
            return
        now = time.time_ns()
        event = {"Type": kind, "Action": action, "Actor": {"ID": id, "Attributes": dict(attributes)}, "scope": "local"}
        line = json.dumps({**event, "time": now // 10**9, "timeNano": now}).encode() + b"\n"
        self._loop.call_soon_threadsafe(self._send, kind, action, line)

    def _tell_network(self, container: StandInContainer, action: str, network: str = "bridge") -> None:
        self._show(container)
        attributes = {"container": container.id, "name": network, "type": "bridge"}
        self.emit("network", action, network_id(network), attributes)

    def _show(self, container: StandInContainer) -> None:
        """Have lists and inspects show the container as it is now, when the lag is over."""
        id, is_there = container.id, container.id in self._by_id
        now = (container.answer("list"), container.answer("inspect")) if is_there else None
        self._later(lambda: self._shown.update({id: now}))

    def _later(self, change: Callable[[], Any]) -> None:
        if self.lag:
            self._loop.call_soon_threadsafe(self._loop.call_later, self.lag, change)
        else:
            change()

    def _answer_about(self, id: str, kind: str) -> bytes | None:
        """What a list or an inspect shows of a container."""
        if self.lag:
            shown = self._shown.get(id)
            return shown[kind == "inspect"] if shown else None
        return self._by_id[id].answer(kind) if id in self._by_id else None

    # --- ways to fail

    def stop_answering(self) -> None:
        """The engine ends: no socket, no connection is left. What it was told of stays."""
        self._run(self._stop())

    def start_answering(self) -> None:
        """The engine is back."""
        self._run(self._start())

    def cut_streams(self) -> None:
        """End every event stream in the middle."""
        self._loop.call_soon_threadsafe(lambda: [writer.transport.abort() for writer in list(self._streams)])

    def send_garbage(self) -> None:
        """Write something that is no event into every event stream."""
        self._loop.call_soon_threadsafe(lambda: [_chunk(writer, b"<html>\n") for writer in list(self._streams)])

    @property
    def streams(self) -> int:
        """How many event streams are open."""
        return len(self._streams)

    # --- the loop's thread

    def _run(self, work: Awaitable[Any]) -> None:
        async def awaited() -> None:
            await work

        asyncio.run_coroutine_threadsafe(awaited(), self._loop).result(10)

    async def _start(self) -> None:
        self._server = await asyncio.start_unix_server(self._converse, self.path, backlog=1024, limit=2**21)

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        Path(self.path).unlink(missing_ok=True)
        for writer in list(self._connections):
            writer.transport.abort()

    def _send(self, kind: str, action: str, line: bytes) -> None:
        verb = action.partition(":")[0]
        for writer, wanted in list(self._streams.items()):
            if kind in wanted.get("type", {kind}) and not wanted.get("event", {verb}).isdisjoint((verb, action)):
                _chunk(writer, line)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode()
                if not await self._answer(target, reader, writer):
                    break
        self._connections.discard(writer)
        self._streams.pop(writer, None)
        writer.close()

    async def _answer(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one call; whether the connection goes on."""
        parts = urlsplit(target)
        path = re.sub(r"^/v[0-9.]+", "", parts.path)
        query = parse_qs(parts.query)
        filters = {key: set(values) for key, values in json.loads(query.get("filters", ["{}"])[0]).items()}
        kind = _kind(path, filters)
        while fault := self._fault(kind, path):
            if fault == "hang":
                self.held.add(kind)
                await asyncio.sleep(0.01)
                continue
            self.refused[kind] += 1
            if fault == "forbidden":
                await _reply(writer, FORBIDDEN, "403 Forbidden", "text/html")
                return False
            if fault == "error":
                return await _reply(writer, b'{"message":"the stand-in was told to fail"}', "500 Internal Server Error")
            return await _reply(writer, b"<html>nothing that an engine says</html>")
        if self.delay:
            await asyncio.sleep(self.delay)
        self.counts[kind] += 1
        if kind == "events":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
            self._streams[writer] = filters
            await reader.read()
            return False
        answer = self._content(kind, path, query, filters)
        if answer is None and kind in ("services", "tasks", "configs"):
            return await _reply(writer, b'{"message":"This node is not a swarm manager."}', "503 Service Unavailable")
        if answer is None:
            return await _reply(writer, b'{"message":"No such container"}', "404 Not Found")
        return await _reply(writer, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def _fault(self, kind: str, path: str) -> str:
        found = _CONTAINER.fullmatch(path)
        name = self._by_id[found[1]].name if found and found[1] in self._by_id else ""
        faults = self.faults
        return faults.get(f"{kind} {name}", faults.get(kind, faults.get("all", "")))

    def _content(self, kind: str, path: str, query: Mapping[str, list[str]], filters: Mapping[str, set[str]]) -> Any:
        if kind in ("list", "small list"):
            every = query.get("all", ["0"])[0].lower() in ("1", "true")
            if self.lag:
                return self._late_list(filters.get("id", set(self._shown)), every=every)
            chosen = filters.get("id", self._by_id)
            known = [self._by_id[id] for id in chosen if id in self._by_id]
            listed = [each for each in known if every or each.state in ("running", "paused", "restarting")]
            return b"[%b]" % b",".join(each.answer("list") for each in sorted(listed, key=lambda each: -each.number))
        if kind == "inspect":
            found = _CONTAINER.fullmatch(path)
            return self._answer_about(found[1], "inspect") if found else None
        if kind in ("services", "tasks", "configs"):
            return self.swarm.answer(kind)
        networks = [*self._networks.values(), *self.swarm.networks]
        info = {**INFO, "Swarm": self.swarm.info}
        return {"networks": networks, "version": VERSION, "info": info, "ping": b"OK"}.get(kind)

    def _late_list(self, ids: set[str], *, every: bool) -> bytes:
        answers = [answer for id in ids if (answer := self._answer_about(id, "list"))]
        states = ("running", "paused", "restarting")
        listed = [item for item in map(json.loads, answers) if every or item["State"] in states]
        return json.dumps(sorted(listed, key=lambda item: -item["Created"])).encode()

    async def _serve_sites(self) -> None:
        await asyncio.start_server(self._serve_site, ["0.0.0.0", "::1"], self.port, backlog=1024)

    async def _serve_site(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = writer.get_extra_info("sockname")[0]
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                await _reply(writer, address.encode())
        writer.close()


def _kind(path: str, filters: Mapping[str, set[str]]) -> str:
    if path == "/containers/json":
        return "small list" if "id" in filters else "list"
    known: Mapping[str, str] = {
        "/_ping": "ping",
        **{f"/{each}": each for each in ("events", "networks", "version", "info", "services", "tasks", "configs")},
    }
    return known.get(path, "inspect" if _CONTAINER.fullmatch(path) else "other")


async def _reply(
    writer: asyncio.StreamWriter, body: bytes, status: str = "200 OK", kind: str = "application/json"
) -> bool:
    head = f"HTTP/1.1 {status}\r\nApi-Version: {API_VERSION}\r\nContent-Type: {kind}\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()
    return True


def _chunk(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(content), content))


def paced(action: Callable[[int], object], times: int, rate: float) -> None:
    """Do something `times` times, `rate` times a second, in steps of ten milliseconds; late ones are caught up with."""
    begun = time.monotonic()
    for number in range(times):
        ahead = number / rate - (time.monotonic() - begun)
        if ahead > 0.01:
            time.sleep(ahead)
        action(number)

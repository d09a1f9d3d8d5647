"""An engine that is simulated at the level of its API's JSON: containers, services, events, and every way to fail."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

from attrs import define, field
from stand_in_container import NETWORK, StandInContainer

from simulated.schedule import Schedule
from simulated.swarm import SimulatedSwarm

LISTED = ("running", "paused", "restarting")
FIRST_ADDRESS, ADDRESSES = 2, 250


class Hangs(Exception):
    """The call is not answered for now."""


@define(eq=False, on_setattr=None)
class SimulatedContainer(StandInContainer):
    """A container, with what the invariants are to know of it: its site, and what kind of labels it has."""

    site: str = ""
    kind: str = ""
    created: int = 0
    is_stopping: bool = False
    stops_at: float = 0.0
    has_begun_at: float = 0.0
    shows_at: float = 0.0

    @property
    def serves(self) -> bool:
        """Whether requests may be sent to it."""
        return self.state == "running" and not self.is_stopping and bool(self.given)

    def shown(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a list and an inspect show of it now."""
        moment = f"{datetime.fromtimestamp(self.created, UTC):%Y-%m-%dT%H:%M:%S}.{self.number:09}".rstrip("0")
        inspected = {**self.inspected(), "Created": f"{moment}Z"}
        if self.kind == "gated":
            inspected["Config"] = {**inspected["Config"], "Healthcheck": {"Test": ["CMD", "true"]}}
        return {**self.item(), "Created": self.created}, inspected


@define(eq=False)
class Faults:
    """What is wrong with the engine, each until a time of its own. `calls` are by kind: fail, truncate, hang, slow."""

    calls: dict[str, tuple[str, float]] = field(factory=dict)
    slow_by: float = 0.0
    drop_until: float = 0.0
    double_until: float = 0.0
    late_until: float = 0.0
    late_by: float = 0.0
    reorder_until: float = 0.0
    deaf_until: float = 0.0
    down_until: float = 0.0
    lag_until: float = 0.0
    lag_by: float = 0.0


@define(eq=False, repr=False)
class SimulatedEngine:
    """What runs, and what it tells of it. `changed` hears of each change; `counts` has how often each call was made."""

    schedule: Schedule
    random: Random
    changed: Callable[[], None] = lambda: None
    containers: dict[str, SimulatedContainer] = field(factory=dict)
    swarm: SimulatedSwarm = field(factory=SimulatedSwarm)
    faults: Faults = field(factory=Faults)
    counts: Counter[str] = field(factory=Counter)
    listeners: list[Callable[[Mapping[str, Any]], None]] = field(factory=list)
    cuts: list[Callable[[], None]] = field(factory=list)
    behind: int = 0
    _shown: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(factory=dict)
    _addresses: dict[str, SimulatedContainer] = field(factory=dict)
    _number: int = 0
    _numbers: dict[str, tuple[int, int]] = field(factory=dict)

    # --- lives

    def up(self, name: str, labels: Mapping[str, str], site: str, kind: str) -> None:
        if name in self.containers:
            return
        self._number += 1
        created = 1_700_000_000 + int(self.schedule.now) - self.behind
        made = SimulatedContainer(name, dict(labels), self._number, site=site, kind=kind, created=created)
        self.containers[name] = made
        self._numbers[made.id] = created, self._number
        self._tell(made, "create")
        self.start(name)

    def start(self, name: str) -> None:
        container = self.containers.get(name)
        if container is None or container.state in ("running", "paused"):
            return
        container.given, container.connected = self._free_address(container), True
        container.joins += 1
        self._tell_network(container, "connect")
        container.state, container.is_stopping = "running", False
        container.has_begun_at = self.schedule.now
        container.health = "starting" if container.kind == "gated" else ""
        self._tell(container, "start")

    def stop(self, name: str, grace: float, *, remove: bool = False) -> None:
        """`docker stop`, `docker rm -f`: it is told to, and ends after so many seconds."""
        container = self.containers.get(name)
        if container is None:
            return
        if container.state == "running" and not container.is_stopping:
            container.is_stopping, container.stops_at = True, self.schedule.now + grace
            self._tell(container, "kill", signal="9" if remove else "15")
            self.schedule.after(grace, lambda: self._end(container, "exited", remove=remove))
        elif remove and container.state not in LISTED:
            self._destroy(container)

    def crash(self, name: str, state: str) -> None:
        """Its process ends by itself; a restart policy waits (`restarting`) or there is none (`exited`)."""
        container = self.containers.get(name)
        if container is not None and container.state == "running" and not container.is_stopping:
            self._end(container, state)

    def pause(self, name: str) -> None:
        container = self.containers.get(name)
        if container is not None and container.state in ("running", "paused") and not container.is_stopping:
            pausing = container.state == "running"
            container.state = "paused" if pausing else "running"
            self._tell(container, "pause" if pausing else "unpause")

    def health(self, name: str, status: str) -> None:
        container = self.containers.get(name)
        if container is not None and container.state == "running" and container.kind == "gated":
            container.health = status
            self._tell(container, f"health_status: {status}")

    def rename(self, name: str, new: str) -> None:
        container = self.containers.get(name)
        if container is not None and new not in self.containers:
            self.containers[new] = self.containers.pop(name)
            container.name = new
            self._tell(container, "rename", oldName=f"/{name}")

    def _end(self, container: SimulatedContainer, state: str, *, remove: bool = False) -> None:
        if container.state not in ("running", "paused"):
            return
        container.state, container.is_stopping, container.connected, container.health = state, False, False, ""
        del self._addresses[container.given]
        container.given = ""
        self._tell(container, "die", exitCode="1")
        self._tell_network(container, "disconnect")
        if remove:
            self._destroy(container)

    def _destroy(self, container: SimulatedContainer) -> None:
        if self.containers.get(container.name) is container:
            del self.containers[container.name]
            self._tell(container, "destroy")

    def _free_address(self, container: SimulatedContainer) -> str:
        """The lowest that nobody has, so that it is reused as soon as may be."""
        found = next(each for n in range(ADDRESSES) if (each := f"172.17.0.{n + FIRST_ADDRESS}") not in self._addresses)
        self._addresses[found] = container
        return found

    def lags(self, since: float) -> bool:
        """Whether something has happened that the list did not show then."""
        return any(each.shows_at > since for each in self.containers.values())

    def holder(self, address: str) -> SimulatedContainer | None:
        """Who has an address now."""
        return self._addresses.get(address)

    # --- events

    def _tell(self, container: SimulatedContainer, action: str, **attributes: str) -> None:
        named = {**container.labels, "image": "acme/app:1.2", "name": container.name, **attributes}
        self._emit(
            container, {"Type": "container", "Action": action, "Actor": {"ID": container.id, "Attributes": named}}
        )

    def _tell_network(self, container: SimulatedContainer, action: str) -> None:
        attributes = {"container": container.id, "name": "bridge", "type": "bridge"}
        self._emit(
            container, {"Type": "network", "Action": action, "Actor": {"ID": NETWORK["Id"], "Attributes": attributes}}
        )

    def _emit(self, container: SimulatedContainer, message: Mapping[str, Any]) -> None:
        container.written.clear()
        is_there = self.containers.get(container.name) is container
        shown = container.shown() if is_there else None
        now, faults = self.schedule.now, self.faults
        lag = self.random.uniform(0.0, 0.02) + (faults.lag_by if now < faults.lag_until else 0.0)
        # it shows what happened in the order in which it did
        container.shows_at = max(container.shows_at, now + lag)
        self.schedule.at(container.shows_at, lambda: self._show(container.id, shown))
        self.publish(message)

    def publish(self, message: Mapping[str, Any]) -> None:
        """Tell of something that has happened."""
        now, faults = self.schedule.now, self.faults
        self.changed()
        for _ in range(2 if now < faults.double_until else 1):
            if now >= faults.drop_until and self.listeners:
                self.schedule.after(self._delay(now), lambda: self._deliver(message))

    def _show(self, id: str, shown: tuple[dict[str, Any], dict[str, Any]] | None) -> None:
        if shown is None:
            self._shown.pop(id, None)
        else:
            self._shown[id] = shown

    def _delay(self, now: float) -> float:
        """A stream keeps the order but where that is the fault."""
        faults = self.faults
        delay = faults.late_by if now < faults.late_until else 0.001
        return delay + (self.random.uniform(0.0, 0.5) if now < faults.reorder_until else 0.0)

    def _deliver(self, message: Mapping[str, Any]) -> None:
        for listener in tuple(self.listeners):
            listener(message)

    def cut_streams(self) -> None:
        for cut in tuple(self.cuts):
            cut()

    # --- answers

    def answer(self, kind: str, **asked: Any) -> Any:
        """What the API gives. Raises what docker's client does, and Hangs."""
        self.counts[kind] += 1
        self._fail(kind)
        return self._answer(kind, self._shown, **asked)

    def answer_truly(self, kind: str) -> Any:
        """The same, now, of all that there is."""
        return self._answer(kind, {each.id: each.shown() for each in self.containers.values()}, all=True)

    def _answer(self, kind: str, shown: Mapping[str, Any], **asked: Any) -> Any:
        if kind in ("list", "look"):
            wanted = asked.get("ids")
            found = [item for id, (item, _) in shown.items() if wanted is None or id in wanted]
            listed = [item for item in found if asked["all"] or item["State"] in LISTED]
            return sorted(listed, key=lambda item: self._numbers[item["Id"]], reverse=True)
        if kind == "inspect":
            return self._inspected(asked["id"])
        if kind == "networks":
            return [NETWORK, *self.swarm.networks]
        if kind == "events":
            return None
        if kind == "info":
            return {"Swarm": self.swarm.info}
        return self.swarm.answer(kind)

    def _inspected(self, id: str) -> dict[str, Any]:
        from docker.errors import NotFound

        if id not in self._shown:
            raise NotFound("404 Client Error", explanation=f"No such container: {id}")
        return self._shown[id][1]

    def _fail(self, kind: str) -> None:
        from docker.errors import APIError
        from requests.exceptions import ChunkedEncodingError, ConnectionError

        now, faults = self.schedule.now, self.faults
        if now < faults.down_until or (kind == "events" and now < faults.deaf_until):
            raise ConnectionError("Connection refused")
        fault, until = faults.calls.get(kind, faults.calls.get("all", ("", 0.0)))
        if now >= until:
            return
        if fault == "fail":
            raise APIError("500 Server Error", explanation="the simulation has it fail")
        if fault == "truncate":
            raise ChunkedEncodingError("Connection broken: IncompleteRead(512 bytes read, 512 more expected)")
        if fault == "hang":
            raise Hangs

    def slowness(self, kind: str) -> float:
        """How many seconds an answer of this kind is on its way besides."""
        fault, until = self.faults.calls.get(kind, self.faults.calls.get("all", ("", 0.0)))
        return self.faults.slow_by if fault == "slow" and self.schedule.now < until else 0.0

    # --- truth

    def serving(self) -> Iterator[SimulatedContainer]:
        """All containers that requests may be sent to."""
        return (each for each in self.containers.values() if each.serves)

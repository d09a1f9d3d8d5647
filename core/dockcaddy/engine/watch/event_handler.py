"""Handles events: updates the store directly, or lets the reflector look at the container."""

import signal
from collections.abc import Callable, Sequence

from attrs import define

from dockcaddy.engine.store import ContainerStore
from dockcaddy.engine.watch.events import LOCK_PREFIX, SWARM_TYPES, Event
from dockcaddy.engine.watch.reflector import Reflector

# more unhandled events than this are a storm, and are not handled one by one
STORM = 50
# events after which requests would go to a container that is ending
URGENT = frozenset(("kill", "die", "stop", "pause", "health_status"))
# Docker's default, in seconds
_STOP_TIMEOUT = 10
# a container that still runs this long after its stop timeout was not stopped after all, in seconds
_STOPPED_AFTER = 5


@define(eq=False)
class EventHandler:
    """Handles the events of one engine. `wake` is called when the inventory may have changed."""

    reflector: Reflector
    wake: Callable[..., None]
    missed: Callable[[], None]

    @property
    def _store(self) -> ContainerStore:
        return self.reflector.store

    def handle(self, events: Sequence[Event]) -> bool:
        """Handle each event. If there are too many, look once at each of their containers, and return True."""
        ours = self._ours(events)
        if len(ours) > STORM:
            self._handle_storm(ours)
            return True
        changing = [event for event in ours if self._handle_one(event)]
        if changing:
            # a container that starts can wait a moment, requests to one that ends cannot
            self.wake(urgent=any(event.kind == "network" or event.verb in URGENT for event in changing))
        return False

    def _handle_one(self, event: Event) -> bool:
        """Handle one event. Returns whether the store changed."""
        if event.kind in SWARM_TYPES:
            self.reflector.swarm_changed(event.kind)
            return False
        if event.kind == "network":
            return self._handle_network(event)
        with self.reflector.lock:
            return self._take(event)

    def _ours(self, events: Sequence[Event]) -> list[Event]:
        """The events about labelled containers, our own container, the Swarm, and networks that come or go."""
        labelled = {event.container for event in events if self._store.wants(event.attributes)}
        return [
            event
            for event in events
            if event.container in labelled or self._store.knows(event.container) or self._is_of_ours(event)
        ]

    def _is_of_ours(self, event: Event) -> bool:
        """Whether the event changes the Swarm, the networks, or those of our own container."""
        if event.kind == "network":
            return not event.container or self.reflector.own.has_id(event.container)
        is_lock = event.kind == "config" and str(event.attributes.get("name") or "").startswith(LOCK_PREFIX)
        return event.kind in SWARM_TYPES and not is_lock

    def _handle_storm(self, events: Sequence[Event]) -> None:
        ended = {event.container: event for event in events if event.verb in ("die", "start")}
        with self.reflector.lock:
            for event in events:
                if self._is_of_ours(event):
                    self._handle_one(event)
                    continue
                self.reflector.changed(event.container, in_storm=True)
                # no list shows that a container is stopping
                if event.verb == "kill":
                    self._signalled(event)
                elif event.verb == "start":
                    self._store.set_stopping(event.container, 0.0)
            for id, event in ended.items():
                # until the next list says so, it would count as one that runs and has no address
                if event.verb == "die":
                    self._store.set_state(id, self._state_after(event))
        self.wake(urgent=any(event.verb in URGENT for event in events))

    def _handle_network(self, event: Event) -> bool:
        """Handle a network event. Returns whether an address is lost, which may soon belong to another container."""
        if not event.container:
            self.reflector.network_changed(event.network, there=_is_there(event))
            return False
        with self.reflector.lock:
            return self._take_network(event)

    def _take_network(self, event: Event) -> bool:
        """Update the store. Returns whether an address is lost."""
        id, network = event.container, event.network
        is_own = self.reflector.own.has_id(id)
        if not is_own and id not in self._store:
            return False
        expected = self.reflector.expect(id)
        if not network:
            # the list says which
            pass
        elif event.action == "connect":
            expected.connect(network, str(event.attributes.get("type") or ""))
        else:
            expected.disconnect(network, self._store.item(id))
        if is_own:
            # on another network, Caddy may reach other containers
            self.reflector.own.forget()
            self.missed()
        elif event.action == "connect" or self._is_running(id):
            # a container that died leaves its networks, which needs no look
            self.reflector.look(id)
        return event.action != "connect" and self._store.disconnect(id, network)

    def _is_running(self, id: str) -> bool:
        resource = self._store.resource(id, self.reflector.clock())
        return resource is not None and resource.running

    def _take(self, event: Event) -> bool:
        """Update the store, or look at the container if the event does not say enough. Returns whether the store changed."""
        id = event.container
        match event.verb:
            case "oom":
                return False
            case "kill":
                return self._signalled(event)
            case "die":
                return self._ended(event)
            case "stop":
                self.reflector.expect(id).end(self._store.item(id), "exited")
                return self._store.set_state(id, "exited")
            case "destroy" | "remove":
                self.reflector.expect(id).there = False
                self._store.drop(id)
                return True
            case "pause" | "unpause":
                state = "paused" if event.verb == "pause" else "running"
                self.reflector.expect(id).state = state
                return self._store.set_state(id, state)
            case "health_status":
                if not event.detail:
                    self.reflector.inspect_again(id)
                    return False
                self.reflector.expect(id).health = event.detail
                return self._store.set_health(id, event.detail)
            case "start":
                return self._started(event)
            case "create":
                self.reflector.expect(id).there = True
            case "rename":
                self.reflector.expect(id).name = str(event.attributes.get("name") or "").lstrip("/")
            case _:
                # an `update` event does not say what changed, so a list may or may not show it already
                self.reflector.changed(id)
                self.reflector.look_later(id)
                return True
        self.reflector.look(id)
        return False

    def _started(self, event: Event) -> bool:
        """Publish the container from what was fetched at `create` and `network connect`, and look at it to confirm."""
        id = event.container
        self.reflector.expect(id).state = "running"
        self._store.set_started(id, event.time)
        self.reflector.look(id)
        return self._store.has_address(id) and self._store.set_state(id, "running")

    def _ended(self, event: Event) -> bool:
        """Take its addresses away. Whether it is really started again, a look will show."""
        id, state = event.container, self._state_after(event)
        self.reflector.expect(id).end(self._store.item(id), state)
        is_changed = self._store.set_state(id, state)
        if state == "restarting":
            self.reflector.look(id)
        return is_changed

    def _state_after(self, event: Event) -> str:
        """What becomes of a container that ended: `restarting` if its policy says so and nobody stopped it, else `exited`."""
        resource = self._store.resource(event.container, self.reflector.clock())
        policy = self._store.inspected(event.container).get("RestartPolicy")
        has_failed = str(event.attributes.get("exitCode") or "0") != "0"
        is_again = policy in ("always", "unless-stopped") or (policy == "on-failure" and has_failed)
        return "restarting" if is_again and resource is not None and not resource.stopping else "exited"

    def _signalled(self, event: Event) -> bool:
        number = _signal_number(str(event.attributes.get("signal") or ""))
        config = self._store.inspected(event.container).get("Config") or {}
        timeout = float(config.get("StopTimeout") or _STOP_TIMEOUT)
        if number not in {2, 3, 9, 15, _signal_number(str(config.get("StopSignal") or "SIGTERM"))}:
            return False
        return self._store.set_stopping(event.container, self.reflector.clock() + timeout + _STOPPED_AFTER)


def _is_there(event: Event) -> bool | None:
    """Whether a network is there after an event about it, None if that is unknown.

    An overlay is also destroyed on a node when its last task there has ended, and created for the next one.
    """
    if event.action == "create":
        return True
    is_gone = event.action == "remove" or event.attributes.get("type") != "overlay"
    return False if is_gone and event.action != "update" else None


def _signal_number(name: str) -> int:
    if name.isdecimal():
        return int(name)
    spelled = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    return int(getattr(signal, spelled, 0))

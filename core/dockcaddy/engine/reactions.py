"""What an event changes, told to the store at once or to the reader as something to look at."""

import signal
from collections.abc import Callable, Sequence

from attrs import define

from dockcaddy.engine.events import Event
from dockcaddy.engine.reader import Reader
from dockcaddy.engine.store import ContainerStore

# so many events that nobody reacted to yet are not looked at one by one
STORM = 50
# requests would go to what is about to end
URGENT = frozenset(("kill", "die", "stop", "pause", "health_status"))
# a container that was told to stop and is there so many seconds after its time was not stopped
_STOPPED_AFTER = 5


@define(eq=False)
class Reactions:
    """Reacts to the events of one engine; `wake` says that the inventory may have changed."""

    reader: Reader
    wake: Callable[..., None]
    missed: Callable[[], None]

    @property
    def _store(self) -> ContainerStore:
        return self.reader.store

    def react(self, events: Sequence[Event]) -> bool:
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
            if event.container in labelled or event.container in self._store or self._is_of_ours(event)
        ]

    def _is_of_ours(self, event: Event) -> bool:
        """Whether it says which networks there are, or which of them our own container is on."""
        return event.kind == "network" and (not event.container or self.reader.own.has_id(event.container))

    def _react_to_storm(self, events: Sequence[Event]) -> None:
        with self.reader.lock:
            for event in events:
                if self._is_of_ours(event):
                    self._react_to_network(event)
                    continue
                self.reader.changed(event.container)
                # that one was told to stop is in no list
                if event.verb == "kill":
                    self._told_to_stop(event)
                elif event.verb in ("die", "start"):
                    self._store.set_stopping(event.container, 0.0)
        self.wake(urgent=any(event.verb in URGENT for event in events))

    def _react_to_network(self, event: Event) -> None:
        id = event.container
        with self.reader.lock:
            if not id:
                self.reader.networks_changed()
                return
            if self.reader.own.has_id(id):
                # with another network others may be reached
                self.reader.own.forget()
                self.missed()
                return
            if id not in self._store:
                return
            if not self._is_running(id):
                # one that died is disconnected while the list still calls it running
                if event.action == "connect":
                    self.reader.look(id)
                return
            self.reader.changed(id)
        self.wake()

    def _is_running(self, id: str) -> bool:
        resource = self._store.resource(id, self.reader.clock())
        return resource is not None and resource.running

    def _react_to_container(self, event: Event) -> None:
        verb, id = event.verb, event.container
        is_known_early = verb == "start" and self._store.has_address(id)
        with self.reader.lock:
            changed = self._take(event)
        if changed:
            # what begins can wait a moment, requests to what ends cannot
            self.wake(urgent=verb in URGENT)
        if is_known_early:
            self._confirm(id)

    def _take(self, event: Event) -> bool:
        """Tell the store; whether that is a change."""
        id = event.container
        match event.verb:
            case "create":
                self.reader.look(id)
                return self._store.options.scan_stopped_containers
            case "start":
                return self._started(id)
            case "destroy":
                self._store.drop(id)
                return True
            case "die" | "stop":
                return self._store.set_state(id, "exited")
            case "oom":
                return False
            case "kill":
                return self._told_to_stop(event)
            case "health_status":
                return self._store.set_health(id, event.detail)
            case "pause" | "unpause":
                return self._store.set_state(id, "paused" if event.verb == "pause" else "running")
        # a rename or an update shows in the list; inspect has nothing new
        self.reader.changed(id)
        return True

    def _started(self, id: str) -> bool:
        """Publish from what was fetched at `create` and `network connect`, where that shows an address."""
        if self._store.has_address(id):
            self._store.set_state(id, "running")
        else:
            self.reader.changed(id)
        return True

    def _confirm(self, id: str) -> None:
        """Read a started container again, off the way of its first answer."""
        with self.reader.lock:
            is_different = self.reader.look_again(id)
        if is_different:
            self.wake()

    def _told_to_stop(self, event: Event) -> bool:
        number = _signal_number(str(event.attributes.get("signal") or ""))
        stop_signal, timeout = self._store.stop_signal(event.container)
        if number not in {2, 3, 9, 15, _signal_number(stop_signal)}:
            return False
        return self._store.set_stopping(event.container, self.reader.clock() + timeout + _STOPPED_AFTER)


def _signal_number(name: str) -> int:
    if name.isdecimal():
        return int(name)
    spelled = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    return int(getattr(signal, spelled, 0))

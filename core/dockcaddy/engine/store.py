"""The containers of one engine: the engine's JSON, and the resources made from it. No I/O."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field

from dockcaddy.engine.expectations import ended
from dockcaddy.engine.ingress import IngressNetworks
from dockcaddy.engine.records import EngineOptions, container, container_name, has_prefix, needed
from dockcaddy.engine.unlabelled import warnings
from dockcaddy.model import Problem, Resource

Json = Mapping[str, Any]

_HEALTH = re.compile(r"\((?:(healthy|unhealthy)|health: starting)\)")
# keys whose values change all the time
_VOLATILE = ("Status", "SizeRw", "SizeRootFs")
# a snapshot written by hand may leave out the state
_LISTED = frozenset(("running", "paused", "restarting", None))


@define(eq=False)
class _Known:
    item: dict[str, Any]
    rank: int
    inspect: Json | None = None
    unreadable: bool = False
    stopping_until: float = 0.0
    resource: Resource | None = None
    is_excluded: bool | None = None


@define(eq=False)
class ContainerStore:
    """The labelled containers of one engine by id. A new resource is made only when something about it changes.

    `unlabelled` is how many other containers the last full list had, `without_labels` are their items, and `overlooked` are
    warnings about those that were probably meant for us. `changes` counts changes.
    """

    engine: str
    options: EngineOptions
    ingress: IngressNetworks = field(factory=IngressNetworks)
    unlabelled: int = 0
    without_labels: Sequence[Json] = ()
    overlooked: tuple[Problem, ...] = ()
    changes: int = 0
    _known: dict[str, _Known] = field(factory=dict)
    _highest_rank: int = 0
    _in_order: list[_Known] | None = None

    def __contains__(self, id: object) -> bool:
        return id in self._known

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all containers in the store."""
        return tuple(self._known)

    def item(self, id: str) -> Json | None:
        """A container's last list item, None if it is not in the store."""
        return self._known[id].item if id in self._known else None

    def wants(self, labels: Mapping[str, str]) -> bool:
        """Whether a container with these labels belongs in the store."""
        return self.options.wants(labels)

    def set_ingress(self, ingress: IngressNetworks) -> None:
        """Use other ingress networks, which may change every address."""
        before, self.ingress = self.ingress, ingress
        if ingress != before:
            for known in self._known.values():
                self._changed(known)

    def set_others(self, items: Sequence[Json]) -> None:
        """Take the containers without labels of ours from a full list."""
        prefix = self.options.label_prefix
        self.without_labels = [item for item in items if not has_prefix(item.get("Labels") or {}, prefix)]
        self.unlabelled = sum(not self.wants(item.get("Labels") or {}) for item in items)
        running = [item for item in self.without_labels if item.get("State") in ("running", None)]
        overlooked = warnings([item for item in running if not self.options.excludes(item)], prefix)
        if overlooked != self.overlooked:
            self.overlooked = overlooked
            self.changes += 1

    def replace_all(self, items: Iterable[Json]) -> None:
        """Take a full list, newest first. A container that is not in it is removed."""
        ours = [item for item in items if self.wants(item.get("Labels") or {})]
        listed = {item["Id"] for item in ours}
        self._in_order = None
        for id in [id for id in self._known if id not in listed]:
            self.drop(id)
        self._highest_rank += len(ours)
        for offset, item in enumerate(ours):
            self.put(item, self._highest_rank - offset)

    def put(self, item: Json, rank: int = 0) -> None:
        """Take a container's current list item."""
        known = self._known.get(item["Id"])
        if known is None:
            if not rank:
                self._highest_rank += 1
            self._in_order = None
            self._known[item["Id"]] = _Known(dict(item), rank or self._highest_rank)
            self.changes += 1
            return
        known.rank = rank or known.rank
        if _steady(known.item) != _steady(item):
            known.item = dict(item)
            self._changed(known)
        # a list has the health as text: `Up 2 minutes (healthy)`
        if found := _HEALTH.search(str(item.get("Status") or "")):
            self._set_health(known, found[1] or "starting")

    def put_inspect(self, id: str, inspect: Json | None) -> None:
        """Take a container's inspect response."""
        known = self._known.get(id)
        if known is not None:
            known.inspect = None if inspect is None else needed(inspect)
            self._in_order = None
            known.unreadable = False
            self._changed(known)

    def mark_unreadable(self, id: str) -> None:
        """The container cannot be inspected: use its list item alone."""
        known = self._known.get(id)
        if known is not None and not known.unreadable:
            known.unreadable = True
            self._changed(known)

    def name(self, id: str) -> str:
        """The container's name, or its short id if it is not in the store."""
        known = self._known.get(id)
        names = known.item.get("Names") if known else None
        return names[0].lstrip("/") if names else id[:12]

    def drop(self, id: str) -> None:
        """Remove a container."""
        if self._known.pop(id, None) is not None:
            self._in_order = None
            self.changes += 1

    def needs_inspect(self, id: str) -> bool:
        """Whether the container is in the store and was never inspected."""
        known = self._known.get(id)
        return known is not None and known.inspect is None and not self._is_excluded(known)

    def uninspected(self) -> list[str]:
        """The ids without an inspect response."""
        return [id for id, known in self._known.items() if known.inspect is None and self._counts(known)]

    def set_state(self, id: str, state: str) -> bool:
        """Set the state from an event. Returns whether it changes."""
        known = self._known.get(id)
        if known is None or (known.item.get("State") == state and not known.stopping_until):
            return False
        known.item = {**known.item, "State": state}
        if state == "exited":
            # only a list has its next address
            known.item = ended(known.item)
            self._set_health(known, "starting")
        known.stopping_until = 0.0
        self._changed(known)
        return True

    def disconnect(self, id: str, network: str) -> bool:
        """Remove a network from a container. Returns whether it was on that network."""
        known = self._known.get(id)
        networks = ((known.item.get("NetworkSettings") or {}).get("Networks") or {}) if known else {}
        kept = {name: each for name, each in networks.items() if (each or {}).get("NetworkID") != network}
        if known is None or len(kept) == len(networks):
            return False
        known.item = {**known.item, "NetworkSettings": {**known.item["NetworkSettings"], "Networks": kept}}
        self._changed(known)
        return True

    def set_health(self, id: str, status: str) -> bool:
        """Set the health from an event. Returns whether it changes."""
        known = self._known.get(id)
        return known is not None and self._set_health(known, status)

    def set_stopping(self, id: str, until: float) -> bool:
        """The container is stopping. If it still runs at `until` (seconds of the clock), it counts as running again."""
        known = self._known.get(id)
        if known is None or known.item.get("State") != "running":
            return False
        known.stopping_until = until
        self._changed(known)
        return True

    def stop_signal(self, id: str) -> tuple[str, float]:
        """The container's stop signal and its stop timeout in seconds."""
        known = self._known.get(id)
        config = ((known.inspect if known else None) or {}).get("Config") or {}
        return str(config.get("StopSignal") or "SIGTERM"), float(config.get("StopTimeout") or 10)

    def has_address(self, id: str) -> bool:
        """Whether the container's last list item has an address on any network."""
        known = self._known.get(id)
        networks = ((known.item.get("NetworkSettings") or {}).get("Networks") or {}) if known else {}
        return any((endpoint or {}).get("IPAddress") for endpoint in networks.values())

    def resources(self, now: float) -> tuple[Resource, ...]:
        """The current resources, newest first as the engine lists them, without those not yet inspected."""
        if self._in_order is None:
            self._in_order = sorted(self._known.values(), key=_age, reverse=True)
        found = [self._resource_of(known, now) for known in self._in_order]
        return tuple([each for each in found if each is not None])

    @property
    def excluded(self) -> tuple[str, ...]:
        """The names of the containers that the constraint excludes."""
        return tuple(sorted(container_name(known.item) for known in self._known.values() if self._is_excluded(known)))

    def _is_excluded(self, known: _Known) -> bool:
        if known.is_excluded is None:
            known.is_excluded = self.options.excludes(known.item)
        return known.is_excluded

    def resource(self, id: str, now: float) -> Resource | None:
        """The current resource of a container, None if there is none."""
        known = self._known.get(id)
        return None if known is None else self._resource_of(known, now)

    def _resource_of(self, known: _Known, now: float) -> Resource | None:
        if not self._counts(known):
            return None
        if known.stopping_until and known.stopping_until <= now:
            known.stopping_until, known.resource = 0.0, None
        if known.resource is None and (known.inspect is not None or known.unreadable):
            stopping = known.stopping_until > now
            known.resource = container(known.item, known.inspect, self.ingress, self.engine, stopping=stopping)
        return known.resource

    def _counts(self, known: _Known) -> bool:
        is_there = self.options.scan_stopped_containers or known.item.get("State") in _LISTED
        return is_there and not self._is_excluded(known)

    def _changed(self, known: _Known) -> None:
        known.resource = known.is_excluded = None
        self.changes += 1

    def _set_health(self, known: _Known, status: str) -> bool:
        """Set the health of a container that has a health check. Returns whether it changes."""
        before = ((known.inspect or {}).get("State") or {}).get("Health", {}).get("Status")
        if known.inspect is None or before in (None, "", "none", status):
            return False
        known.inspect = {**known.inspect, "State": {"Health": {"Status": status}}}
        self._changed(known)
        return True


def _age(known: _Known) -> tuple[int, str, int]:
    """A sort key by age. A list has seconds only; within a second, the inspect response is more precise."""
    created = str((known.inspect or {}).get("Created") or "")
    return known.item.get("Created") or 0, created.rstrip("Z"), known.rank


def _steady(item: Json) -> dict[str, Any]:
    steady = {key: value for key, value in item.items() if key not in _VOLATILE}
    # a list has mounts in random order
    steady["Mounts"] = sorted(item.get("Mounts") or (), key=lambda mount: str(mount.get("Destination")))
    return steady

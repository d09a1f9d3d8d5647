"""The containers of one engine: the engine's JSON, and the resources made from it. No I/O."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, evolve, field

from dockcaddy.engine.api.podman import completed
from dockcaddy.engine.known_container import ByAge, Known
from dockcaddy.engine.reach import shared_networks
from dockcaddy.engine.reach.ingress import IngressNetworks
from dockcaddy.engine.reach.shared_networks import Link, Owners, UsedNetwork
from dockcaddy.engine.records.resources import (
    VOLATILE,
    EngineOptions,
    container,
    container_name,
    has_prefix,
    is_as,
    needed,
)
from dockcaddy.engine.records.unlabelled import warnings
from dockcaddy.engine.records.unserved import unserved_container, unserved_containers
from dockcaddy.engine.servers import Counts, is_server, servers_of_containers
from dockcaddy.engine.watch.expectations import ended
from dockcaddy.model import ControlledServer, Problem, Resource, Unserved

Json = Mapping[str, Any]

_HEALTH = re.compile(r"\((?:(healthy|unhealthy)|health: starting)\)")


@define(eq=False)
class ContainerStore:
    """The labelled containers of one engine by id, and those whose networks they use.

    A new resource is made only when something about it changes. `owners` are containers whose networks are used.
    `without_labels` are the items of the other containers that the last full list had, and `overlooked` are
    warnings about those that were probably meant for us. `unserved` is what it had that is no resource. `changes` counts
    changes.
    """

    engine: str
    options: EngineOptions
    ingress: IngressNetworks = field(factory=IngressNetworks)
    without_labels: Sequence[Json] = ()
    overlooked: tuple[Problem, ...] = ()
    unserved: tuple[Unserved, ...] = ()
    changes: int = 0
    owners: Owners = field(factory=Owners)
    _known: dict[str, Known] = field(factory=dict)
    _highest_rank: int = 0
    _by_age: ByAge = field(factory=ByAge)
    _without_inspect: dict[str, Known] = field(factory=dict)
    _are_all_resources: bool = False

    def __contains__(self, id: object) -> bool:
        return id in self._known

    def knows(self, id: str) -> bool:
        """Whether events of this container change something: it is in the store, or its network is used."""
        return id in self._known or self.owners.has(id)

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

    def chosen(self, items: Sequence[Json]) -> list[Json]:
        """Those of a full list that belong in the store."""
        ours = [item for item in items if self.wants(item.get("Labels") or {})]
        uses_others = self.owners.names or any(map(shared_networks.owner_of, ours))
        return shared_networks.with_owners(ours, items, self.owners.names) if uses_others else ours

    def follows(self, item: Json) -> bool:
        """Whether a container belongs in the store: it has labels of ours, or its network is used."""
        return self.wants(item.get("Labels") or {}) or self.owners.owns(item)

    def owner_ids(self, ids: Iterable[str] = ()) -> set[str]:
        """The containers whose networks are used, by these or by any; a name where the engine gives no id."""
        found = {name: self._find(name) for name in (self.owners.of(ids) if ids else self.owners.names)}
        return {name if known is None else str(known.item["Id"]) for name, known in found.items()}

    def used_network(self, item: Json) -> UsedNetwork:
        """The network that a container uses, which need not be in the store."""
        known = self._known.get(item["Id"])
        is_linked = known is not None and bool(shared_networks.owner_of(item))
        link = self._link(known) if known and is_linked else Link(item, container_name(item))
        return shared_networks.used_network(link, self._found)

    def _found(self, name: str) -> Link | None:
        known = self._find(name)
        return None if known is None else self._link(known)

    def _find(self, name: str) -> Known | None:
        if name in self._known:
            return self._known[name]
        return next((each for each in self._known.values() if name in shared_networks.names_of(each.item)), None)

    def _link(self, known: Known) -> Link:
        return Link(known.item, container_name(known.item), known.start, known.stopping_until > 0.0)

    def set_ingress(self, ingress: IngressNetworks) -> None:
        """Use other ingress networks, which may change every address."""
        before, self.ingress = self.ingress, ingress
        if ingress != before:
            self.changes += 1
            for known in self._known.values():
                known.is_made = False

    def set_others(self, items: Sequence[Json]) -> None:
        """Take the containers without labels of ours from a full list."""
        prefix = self.options.label_prefix
        self.without_labels = [item for item in items if not has_prefix(item.get("Labels") or {}, prefix)]
        self.unserved = unserved_containers(items, self.options)
        running = [item for item in self.without_labels if item.get("State") in ("running", None)]
        overlooked = warnings([item for item in running if not self.options.excludes(item)], prefix)
        if overlooked != self.overlooked:
            self.overlooked = overlooked
            self.changes += 1

    def replace_all(self, items: Iterable[Json]) -> None:
        """Take a full list, newest first. A container that is not in it is removed."""
        ours = self.chosen(tuple(items))
        listed = {item["Id"] for item in ours}
        self._by_age.forget()
        for id in [id for id, known in self._known.items() if id not in listed and not self.owners.owns(known.item)]:
            self.drop(id)
        # a list has no stopped containers; one whose network is used still has a name
        for id in [id for id in self._known if id not in listed]:
            self.set_state(id, "exited")
        self._highest_rank += len(ours)
        for offset, item in enumerate(ours):
            self.put(item, self._highest_rank - offset)

    def put(self, item: Json, rank: int = 0) -> None:
        """Take a container's current list item."""
        known = self._known.get(item["Id"])
        if known is None:
            if not rank:
                self._highest_rank += 1
            known = self._known[item["Id"]] = Known(item, rank or self._highest_rank, is_server=self._is_server(item))
            self._by_age.put(known)
            self._without_inspect[item["Id"]] = known
            self.owners.put(item)
            self._changed(known)
            return
        known.rank = rank or known.rank
        item = completed(item, known.item)
        if not is_as(known.item, item) and _steady(known.item) != _steady(item):
            known.item, known.is_server = item, self._is_server(item)
            self.owners.put(item)
            self._changed(known)
        # a list has the health as text: `Up 2 minutes (healthy)`
        if found := _HEALTH.search(str(item.get("Status") or "")):
            self._set_health(known, found[1] or "starting")

    def put_inspect(self, id: str, inspect: Json | None) -> None:
        """Take a container's inspect response."""
        known = self._known.get(id)
        if known is not None:
            before = known.inspect, known.unreadable, known.start.at
            if inspect is None:
                self._without_inspect[id] = known
            else:
                self._without_inspect.pop(id, None)
            known.inspect, known.unreadable = None if inspect is None else needed(inspect), False
            known.start.inspected(inspect)
            known.item = completed(known.item, inspect)
            self._by_age.drop(known)
            self._by_age.put(known)
            self.owners.put(known.item)
            if before != (known.inspect, False, known.start.at):
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
        return container_name(known.item) if known else id[:12]

    def drop(self, id: str) -> None:
        """Remove a container."""
        if (known := self._known.pop(id, None)) is not None:
            self.owners.drop(id)
            self._by_age.drop(known)
            self._without_inspect.pop(id, None)
            self._changed(known)

    def needs_inspect(self, id: str) -> bool:
        """Whether the container is in the store and was never inspected, or it matters when it started."""
        known = self._known.get(id)
        return known is not None and self._is_uninspected(known)

    def uninspected(self) -> list[str]:
        """The ids that need an inspect response."""
        maybe = self._known if self.owners.are_any else self._without_inspect
        return [id for id, known in maybe.items() if self._is_uninspected(known) and self._is_there(known)]

    def _is_uninspected(self, known: Known) -> bool:
        if known.inspect is None:
            return self.owners.shares(known.item) or not self._is_excluded(known)
        return not known.start.is_asked and self.owners.shares(known.item)

    def set_started(self, id: str, at: float) -> None:
        """An event says that a container started, in seconds since the epoch; 0 if the event does not say when."""
        if known := self._known.get(id):
            known.start.heard(at)
            if self.owners.shares(known.item):
                self._changed(known)

    def ask_for_starts(self) -> None:
        """Events may be lost: inspect again what shares a network."""
        for known in self._known.values():
            known.start.is_asked = False

    def is_checked(self, id: str) -> bool:
        """Whether the container runs and has a health check."""
        known = self._known.get(id)
        return bool(known and known.item.get("State") == "running" and known.health not in (None, "", "none"))

    def set_state(self, id: str, state: str) -> bool:
        """Set the state from an event. Returns whether it changes."""
        known = self._known.get(id)
        if known is None or (known.item.get("State") == state and not known.stopping_until):
            return False
        known.item = {**known.item, "State": state}
        if state in ("exited", "restarting"):
            # only a list has its next address
            known.item = ended(known.item, state)
            self._set_health(known, "starting")
        known.stopping_until = 0.0
        self._changed(known)
        return True

    def disconnect(self, id: str, network: str) -> bool:
        """Remove a network from a container. Returns whether it was on that network."""
        known = self._known.get(id)
        networks = shared_networks.endpoints(known.item) if known else {}
        kept = {name: each for name, each in networks.items() if each.get("NetworkID") != network}
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

    def inspected(self, id: str) -> Json:
        """What is kept of the inspect response of a container, empty if there is none."""
        known = self._known.get(id)
        return (known.inspect if known else None) or {}

    def has_address(self, id: str) -> bool:
        """Whether the container's last list item has an address on any network."""
        known = self._known.get(id)
        networks = shared_networks.endpoints(known.item) if known else {}
        return any(each.get("IPAddress") or each.get("GlobalIPv6Address") for each in networks.values())

    def resources(self, now: float) -> tuple[Resource, ...]:
        """The current resources, newest first as the engine lists them, without those not yet inspected."""
        in_order = self._by_age.of(self._known.values())
        for known in [each for each in in_order if each.stopping_until]:
            if known.stopping_until <= now:
                self._go_on(known)
        found = [each.resource if each.is_made else self._resource_of(each, now) for each in reversed(in_order)]
        made = tuple([each for each in found if each is not None])
        self._are_all_resources = len(made) == len(found)
        return made

    @property
    def stopped(self) -> tuple[Unserved, ...]:
        """The containers with labels of ours that have stopped since the last full list, as of the last `resources`."""
        if self._are_all_resources:
            return ()
        gone = [each for each in self._known.values() if each.resource is None and not self._is_there(each)]
        listed = {each.id for each in self.unserved} if gone else set()
        ours = [each.item for each in gone if each.item["Id"] not in listed and not self._is_excluded(each)]
        wanted = [each for each in ours if self.wants(each.get("Labels") or {})]
        return tuple([unserved_container(each, self.options, "Stopped") for each in wanted])

    @property
    def excluded(self) -> tuple[str, ...]:
        """The names of the containers that the constraint excludes, and that would count without it."""
        if not self.options.constraint.text:
            return ()
        items = [
            each.item for each in self._known.values() if each.is_excluded is not False and self._is_excluded(each)
        ]
        return tuple(sorted(container_name(each) for each in items if self.options.stopped.counts(each)))

    def _is_server(self, item: Json) -> bool:
        return is_server(item.get("Labels"), self.options.label_prefix)

    def _is_excluded(self, known: Known) -> bool:
        if known.is_excluded is None:
            known.is_excluded = self.options.excludes(known.item) and self.wants(known.item.get("Labels") or {})
        return known.is_excluded

    def servers(self, own: Iterable[str], counts: Counts) -> tuple[ControlledServer, ...]:
        """The containers that are servers. See `servers_of_containers`."""
        asked = [known for known in self._known.values() if known.is_server]
        items = [known.item for known in asked if not self._is_excluded(known)]
        return servers_of_containers(items, self.options.label_prefix, own, counts)

    def resource(self, id: str, now: float) -> Resource | None:
        """The current resource of a container, None if there is none."""
        known = self._known.get(id)
        if known is not None and 0.0 < known.stopping_until <= now:
            self._go_on(known)
        return None if known is None else self._resource_of(known, now)

    def _go_on(self, known: Known) -> None:
        """The container has not stopped after all."""
        known.stopping_until = 0.0
        self._changed(known)

    def _resource_of(self, known: Known, now: float) -> Resource | None:
        if not known.is_made:
            known.resource, known.is_made = self._made(known, now), True
        return known.resource

    def _made(self, known: Known, now: float) -> Resource | None:
        is_wanted = self._is_there(known) and self.wants(known.item.get("Labels") or {})
        if not is_wanted or self._is_excluded(known) or (known.inspect is None and not known.unreadable):
            return None
        used = self.used_network(known.item)
        stopping = known.stopping_until > now or used.stopping
        made = container(known.item, known.inspect, self.ingress, self.engine, used, stopping=stopping)
        shows_page = self.options.stopped.shows_page(made.labels, made.state, stopping=stopping)
        return evolve(made, shows_page=True) if shows_page else made

    def _is_there(self, known: Known) -> bool:
        return self.options.stopped.counts(known.item)

    def _changed(self, known: Known) -> None:
        self.changes += 1
        changed = [known]
        for each in changed:
            each.is_made, each.is_excluded = False, None
            users = (self._known[id] for id in self.owners.users_of(each.item))
            changed += [user for user in users if user not in changed]

    def _set_health(self, known: Known, status: str) -> bool:
        """Set the health of a container that has a health check. Returns whether it changes."""
        before = known.health
        if known.inspect is None or before in (None, "", "none", status):
            return False
        known.inspect = {**known.inspect, "State": {"Health": {"Status": status}}}
        self._changed(known)
        return True


def _steady(item: Json) -> dict[str, Any]:
    steady = {key: value for key, value in item.items() if key not in VOLATILE}
    # a list has mounts in random order
    steady["Mounts"] = sorted(item.get("Mounts") or (), key=lambda mount: str(mount.get("Destination")))
    return steady

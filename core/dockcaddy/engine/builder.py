"""Builds the inventory of one engine from its JSON, for live engines and snapshots alike. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, evolve, field

from dockcaddy.engine.reach.ingress import ingress_networks
from dockcaddy.engine.reach.neighbours import ON_A_HOST, Neighbours, Place, facts_of
from dockcaddy.engine.reach.shared_networks import endpoints, owner_of
from dockcaddy.engine.reach.unreachable import advice, away_from_caddy
from dockcaddy.engine.records.resources import EngineOptions, container
from dockcaddy.engine.records.soundness import OddContainers
from dockcaddy.engine.services import ServiceStore, may_be_in_swarm
from dockcaddy.engine.store import ContainerStore
from dockcaddy.errors import one_line
from dockcaddy.model import ControlledServer, EngineInventory, Problem, Resource

Json = Mapping[str, Any]


@define(eq=False)
class InventoryBuilder:
    """Takes an engine's JSON and builds its inventory, which is the same object as long as nothing changes.

    The container that Caddy runs in is given as a list item, and with its inspect response if there is one.
    """

    name: str
    options: EngineOptions
    neighbours: Neighbours = field(factory=Neighbours)
    containers: ContainerStore = field(init=False)
    services: ServiceStore = field(init=False)
    odd: OddContainers = field(factory=OddContainers)
    _networks: Sequence[Json] | None = ()
    _own: tuple[Json, Json | None] | None = None
    _caddy: tuple[object, Resource] | None = None
    _last: tuple[object, EngineInventory] | None = None
    _seen: tuple[int, Place] = (0, ON_A_HOST)
    _sought: set[str] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        self.containers = ContainerStore(self.name, self.options)
        self.services = ServiceStore(self.name, self.options)

    @property
    def changes(self) -> int:
        """Counts changes."""
        return self.containers.changes + self.services.changes + self.odd.changes

    @property
    def may_have_services(self) -> bool:
        """Whether the engine may be part of a Swarm. While it has services, only the engine says that it is no more."""
        services = self.services
        return services.has_services or bool(services.configs) or may_be_in_swarm(self._networks)

    def sound(self, items: Iterable[Json], *, are_all: bool = True) -> list[Json]:
        """The containers of a list, of those with unexpected values the last known items. `are_all` if it is a full list."""
        return self.odd.sound(items, self.containers.item, are_all=are_all)

    def set_networks(self, networks: Sequence[Json] | None) -> None:
        """Set the networks, None if listing them is forbidden."""
        self._networks = networks
        self._sought -= {str(network["Name"]) for network in networks or ()}
        self._set_ingress()

    def lacks_networks(self, items: Iterable[Json]) -> bool:
        """Whether these containers are on networks that are not known and were not sought yet.

        An engine says that a network was created, except Podman before 5.4.
        """
        if self._networks is None:
            return False
        known = {network["Name"] for network in self._networks} | self._sought
        foreign = ((name, item) for item in items for name in endpoints(item) if name not in known)
        unknown = {name for name, item in foreign if self.containers.wants(item.get("Labels") or {})}
        self._sought |= unknown
        return bool(unknown)

    def set_own(self, item: Json | None, inspect: Json | None = None) -> None:
        """Set the container that Caddy runs in, None if it runs on the host."""
        self._own = None if item is None else (item, inspect)
        self.containers.owners.own = "" if item is None else owner_of(item)
        self._set_ingress()

    def inventory(self, now: float, problems: Iterable[Problem] = ()) -> EngineInventory:
        """The inventory at `now`, in seconds of the clock. `problems` are those of calls to the engine."""
        # addresses change too: Podman makes a network's interface with its first container
        if self._seen != (self.neighbours.changes, self.neighbours.place) or self.containers.owners.own:
            self._set_ingress()
        ingress = self.containers.ingress
        names = {network["Id"]: network["Name"] for network in self._networks or ()}
        resources = self.containers.resources(now) + self.services.resources(ingress, names)
        every = (*problems, *self.services.problems, *self.containers.overlooked, *self.odd.problems.values())
        excluded = tuple(f"container {one_line(name)}" for name in self.containers.excluded)
        excluded += tuple(f"service {one_line(name)}" for name in self.services.excluded(names))
        caddy, configs = self._caddy_resource(), self.services.configs
        advised = (*advice(ingress, self.name), *away_from_caddy(ingress, resources))
        are_old = self.services.are_old
        servers = self._servers(names)
        unserved = self.containers.unserved + self.containers.stopped + self.services.unserved(names)
        known = resources, configs, caddy, every, advised, are_old, servers, excluded, unserved
        if self._last is None or self._last[0] != known:
            made = EngineInventory(
                self.name,
                resources,
                configs,
                caddy,
                every,
                advice=advised,
                has_old_services=are_old,
                excluded=excluded,
                servers=servers,
                unserved=unserved,
            )
            self._last = known, made
        return self._last[1]

    def _set_ingress(self) -> None:
        own = self.containers.used_network(self._own[0]).item if self._own is not None else None
        names, near = self.options.ingress_networks, self.neighbours
        place = near.place
        near.learn(self.name, facts_of(near.reach(self.name), self._networks, own, names, place))
        self._seen = near.changes, place
        found = ingress_networks(self._networks, names, own, near.rule(self.name))
        self.containers.set_ingress(evolve(found, takes_all=self.options.all_addresses))

    def _servers(self, names: Mapping[str, str]) -> tuple[ControlledServer, ...]:
        own = endpoints(self._own[0]) if self._own is not None else {}
        rule = self.neighbours.rule(self.name)
        # an overlay network is the same on every node of a Swarm; what is on the host's networks is that engine's own
        overlays = {each["Id"] for each in self._networks or () if each.get("Scope") == "swarm"}
        servers = self.containers.servers(own, lambda network: network in overlays or rule.counts(network))
        return (*servers, *self.services.servers(own, names))

    def _caddy_resource(self) -> Resource | None:
        if self._own is None:
            return None
        used = self.containers.used_network(self._own[0])
        basis = self._own, self.containers.ingress, used
        if self._caddy is None or self._caddy[0] != basis:
            self._caddy = basis, container(*self._own, self.containers.ingress, self.name, used)
        return self._caddy[1]

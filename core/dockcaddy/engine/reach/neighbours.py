"""How Caddy reaches the containers of an engine: their own addresses, or ports that are published on the engine's host.

Engines on different machines give their containers the same addresses, so an address counts only on the engine that Caddy
is on. An overlay network of a Swarm is the same network on every node, by its id.
"""

import contextlib
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from dockcaddy.engine.reach.host_gateway import LOOPBACK, gateways_of, host_gateway, subnets_of
from dockcaddy.engine.reach.shared_networks import endpoints
from dockcaddy.settings.reach import ReachKind, is_address

Subnet = ipaddress.IPv4Network | ipaddress.IPv6Network


@frozen
class Reach:
    """How an engine's containers are reached, as the settings say. `host` is where its published ports are, `""` unknown.

    `is_local` if the engine runs on this machine. `is_rootless` if its networks are in a namespace of their own, and
    `has_own_host` if even the containers that use its host's network are. `is_proxied` if the host of its URL may be
    that of a socket proxy.
    """

    kind: ReachKind = "auto"
    host: str = ""
    is_local: bool = True
    is_rootless: bool = False
    has_own_host: bool = False
    is_proxied: bool = False


@frozen
class Rule:
    """Which addresses of an engine count: on networks with these ids (`shared`; None: on its own ingress networks).

    `taken` are ids of networks whose addresses may be another engine's, `away` of those that are on no interface here.
    Where no address counts, published ports are used at `host`, if it is known. `host_network` is where Caddy, if it has
    no container on this engine, reaches those that use the host's network, `""` if it does not.
    """

    shared: frozenset[str] | None = None
    taken: frozenset[str] = frozenset()
    away: frozenset[str] = frozenset()
    host: str = ""
    host_network: str = ""

    def counts(self, network_id: str) -> bool:
        """Whether addresses on this network count."""
        is_here = network_id not in self.taken and network_id not in self.away
        return is_here and (self.shared is None or network_id in self.shared)

    def uses_ports(self, *, is_published: bool) -> bool:
        """Whether a resource without an address is reached at published ports; `is_published` if it has some."""
        return bool(self.host) and (is_published or self.shared is not None)


@frozen
class Place:
    """Where Caddy runs. `addresses` are those of its network namespace, None if they are unknown."""

    in_container: bool = False
    addresses: frozenset[str] | None = None

    def is_away(self, network: Mapping[str, Any]) -> bool:
        """Whether a network of an engine that Caddy has no container on is none of this namespace's.

        An interface here has to be on it. A container may be on another engine's network with the same addresses, so there
        it has to have the address of the gateway, which is the first one where the engine names none.
        """
        if self.in_container:
            named = [_plain(each) for each in gateways_of(network) if each]
            gateways = named or [str(each[1]) for each in _subnets(network) if each.num_addresses > 1]
            return bool(gateways) and (self.addresses is None or self.addresses.isdisjoint(gateways))
        return not self.may_be_on(tuple(_subnets(network)))

    def may_be_on(self, subnets: Sequence[Subnet]) -> bool:
        """Whether one of the addresses is in one of these subnets, or that is unknown."""
        if self.addresses is None or not subnets:
            return True
        return any(_is_in(address, subnets) for address in self.addresses)


ON_A_HOST = Place()


@frozen
class Facts:
    """What is known of one engine: its networks, and whether Caddy's container is on it.

    `overlays` are the ids of the engine's Swarm networks, `joined` of those that Caddy is on, and `near` of those that it may
    be on: those of the option, otherwise those in whose subnets it has an address. `subnets` are those of the other
    networks by id (None if networks cannot be listed), and `away` the ids of those that are not here. `has_host_here` if
    the engine's host is this one. `gateway` is the engine's host as Caddy's container sees it, `""` if it does not.
    """

    reach: Reach
    has_caddy: bool = False
    overlays: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()
    near: frozenset[str] = frozenset()
    subnets: Mapping[str, tuple[Subnet, ...]] | None = field(factory=dict)
    away: frozenset[str] = frozenset()
    has_host_here: bool = False
    gateway: str = ""

    @property
    def may_be_here(self) -> bool:
        """Whether the engine's networks are on this machine, if no engine has Caddy's container."""
        return self.reach.is_local and not self.reach.is_rootless

    @property
    def subnets_here(self) -> tuple[Subnet, ...]:
        """The subnets of the networks that are here."""
        return tuple(one for id, each in (self.subnets or {}).items() if id not in self.away for one in each)


@define(eq=False)
class Neighbours:
    """The engines that one dockcaddy watches, by name in the order of the settings. `changes` counts changes.

    Several threads use it. `in_container` if Caddy runs in a container, whose `addresses` are asked for, as they change.
    `names_networks` if the option names networks. `listeners` are called when something else is known.
    """

    in_container: bool = False
    names_networks: bool = False
    addresses: Callable[[], frozenset[str] | None] = lambda: None
    changes: int = 0
    listeners: list[Callable[[], None]] = field(factory=list)
    _facts: dict[str, Facts] = field(factory=dict)

    def join(self, name: str, reach: Reach) -> None:
        """An engine is watched."""
        self._facts[name] = Facts(reach)

    @property
    def are_several(self) -> bool:
        """Whether there are other engines."""
        return len(self._facts) > 1

    @property
    def place(self) -> Place:
        """Where Caddy runs."""
        return Place(self.in_container, self.addresses())

    def learn(self, name: str, facts: Facts) -> None:
        """Something about an engine is known now."""
        if self._facts.get(name) != facts:
            self._facts[name] = facts
            self.changes += 1
            for wake in self.listeners if self.are_several else ():
                wake()

    def reach(self, name: str) -> Reach:
        """How the settings say that an engine is reached."""
        return self._facts[name].reach if name in self._facts else Reach()

    def order(self, name: str) -> int:
        """The engine's place among the engines: addresses that several have are those of the first one."""
        return list(self._facts).index(name) if name in self._facts else 0

    def rule(self, name: str) -> Rule:
        """Which addresses of an engine count."""
        facts = dict(self._facts)
        own = facts.get(name, Facts(Reach()))
        host = own.reach.host or self._host(own, facts)
        shared = frozenset(id for other, each in facts.items() if other != name for id in each.joined)
        match own.reach.kind:
            case "containers":
                return Rule(host_network="" if self.names_networks else _host_network(own, host))
            case "overlay":
                return Rule(shared)
            case "ports":
                return Rule(frozenset(), host=host, host_network=_host_network(own, host))
        if own.has_caddy or (len(facts) < 2 and self.names_networks and own.reach.is_local):
            return Rule()
        if len(facts) < 2 and not own.reach.is_local and (self.names_networks or self.in_container):
            # a manager that knows nothing of the containers on this node, which may be on its networks
            shared = own.near
        if own.reach.is_proxied and own.overlays and self.in_container:
            host = ""
        return self._of_another(own, shared, host, _before(name, facts))

    def _of_another(self, own: Facts, shared: frozenset[str], host: str, before: Sequence[Facts] | None) -> Rule:
        """The rule of an engine that Caddy has no container on. `before` are those whose addresses count more."""
        is_unknown = own.subnets is None and (before or self.in_container)
        host_network = _host_network(own, host)
        if before is None or not own.may_be_here or is_unknown:
            return Rule(shared, host=host, host_network=host_network)
        taken = (id for id, subnets in (own.subnets or {}).items() if any(_overlap(subnets, each) for each in before))
        return Rule(None, frozenset(taken), own.away, host, "" if self.names_networks else host_network)

    def _host(self, own: Facts, facts: Mapping[str, Facts]) -> str:
        """The host of an engine on this machine, as Caddy sees it; `""` if it does not."""
        if not own.reach.is_local:
            return ""
        default = LOOPBACK if own.has_host_here or not self.in_container else ""
        return next((each.gateway for each in facts.values() if each.has_caddy), default)


def _host_network(own: Facts, host: str) -> str:
    """Where the containers are that use the host's network, `""` if Caddy does not reach them."""
    is_elsewhere = host == LOOPBACK and not own.has_host_here
    return "" if own.reach.has_own_host or is_elsewhere else host


def facts_of(
    reach: Reach,
    networks: Iterable[Mapping[str, Any]] | None,
    own: Mapping[str, Any] | None,
    names: Sequence[str] = (),
    place: Place = ON_A_HOST,
) -> Facts:
    """What the engine's networks, and the container that Caddy runs in, say. `names` are the networks of the option."""
    listed = tuple(networks or ())
    ids = {each.get("NetworkID") for each in endpoints(own or {}).values()}
    swarms = {str(each["Id"]): each for each in listed if each.get("Scope") == "swarm" and not each.get("Ingress")}
    others = {str(each["Id"]): each for each in listed if each.get("Scope") != "swarm"}
    named = {id for id, each in swarms.items() if each.get("Name") in names}
    away = frozenset(id for id, each in others.items() if place.is_away(each))
    is_here = bool(others.keys() - away) if place.in_container else not any(_is_default(others[id]) for id in away)
    return Facts(
        reach,
        own is not None,
        frozenset(swarms),
        frozenset(swarms.keys() & ids | (named if reach.is_local else set())),
        frozenset(named if names else (id for id, each in swarms.items() if place.may_be_on(tuple(_subnets(each))))),
        None if networks is None else {id: tuple(_subnets(each)) for id, each in others.items()},
        away,
        reach.is_local and is_here,
        "" if own is None else host_gateway(None if networks is None else listed, own),
    )


def _before(name: str, facts: Mapping[str, Facts]) -> list[Facts] | None:
    """The engines of this machine that come before one: addresses that both have are theirs. None if Caddy is on another."""
    if any(each.has_caddy for each in facts.values()):
        return None
    names = list(facts)
    return [facts[each] for each in names[: names.index(name)] if facts[each].may_be_here]


def _overlap(subnets: tuple[Subnet, ...], other: Facts) -> bool:
    """Whether a network may have addresses of another engine's networks. Ids tell nothing: an engine may be a copy."""
    if not subnets or other.subnets is None:
        return other.subnets is None or bool(other.subnets)
    return any(each.version == one.version and each.overlaps(one) for each in subnets for one in other.subnets_here)


def _is_default(network: Mapping[str, Any]) -> bool:
    """Whether it is the network that every Docker engine has on its host from its start."""
    return network.get("Name") == "bridge"


def _subnets(network: Mapping[str, Any]) -> Iterator[Subnet]:
    for each in subnets_of(network):
        with contextlib.suppress(ValueError):
            yield ipaddress.ip_network(str(each.get("Subnet")), strict=False)


def _plain(address: str) -> str:
    """An address as the kernel's are written."""
    return str(ipaddress.ip_address(address)) if is_address(address) else ""


def written(reach: Reach, place: Place, order: int, networks: Iterable[Mapping[str, Any]]) -> dict[str, object]:
    """How an engine with these networks is reached, for its part of a snapshot. Of the addresses, it has those on them.

    `order` is its place among the engines.
    """
    subnets = [subnet for each in networks for subnet in _subnets(each)]
    known = None if place.addresses is None else [each for each in place.addresses if _is_in(each, subnets)]
    return {
        "rule": reach.kind,
        "host": reach.host,
        "local": reach.is_local,
        "rootless": reach.is_rootless,
        "own_host": reach.has_own_host,
        "proxied": reach.is_proxied,
        "order": order,
        "in_container": place.in_container,
        "addresses": None if known is None else sorted(known),
    }


def _is_in(address: str, subnets: Iterable[Subnet]) -> bool:
    return any(ipaddress.ip_address(address) in subnet for subnet in subnets)

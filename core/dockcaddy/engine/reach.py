"""How Caddy reaches the containers of an engine: their own addresses, or ports that are published on the engine's host.

Engines on different machines give their containers the same addresses, so an address counts only on the engine that Caddy
is on. An overlay network of a Swarm is the same network on every node, by its id.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from dockcaddy.settings.reach import ReachKind

LOOPBACK = "127.0.0.1"
Subnet = ipaddress.IPv4Network | ipaddress.IPv6Network


@frozen
class Reach:
    """How an engine's containers are reached, as the settings say. `host` is where its published ports are, `""` unknown.

    `is_local` if the engine runs on this machine. `is_rootless` if its networks are in a namespace of their own.
    """

    kind: ReachKind = "auto"
    host: str = ""
    is_local: bool = True
    is_rootless: bool = False


@frozen
class Rule:
    """Which addresses of an engine count: on networks with these ids (`shared`; None: on its own ingress networks).

    `excluded` are ids of networks whose addresses may be another engine's. Where no address counts, published ports are
    used at `host`, if it is known.
    """

    shared: frozenset[str] | None = None
    excluded: frozenset[str] = frozenset()
    host: str = ""

    def counts(self, network_id: str) -> bool:
        """Whether addresses on this network count."""
        return network_id not in self.excluded and (self.shared is None or network_id in self.shared)

    def uses_ports(self, *, is_published: bool) -> bool:
        """Whether a resource without an address is reached at published ports; `is_published` if it has some."""
        return bool(self.host) and (is_published or self.shared is not None)


@frozen
class Facts:
    """What is known of one engine: its networks, and whether Caddy's container is on it.

    `overlays` are the ids of the engine's Swarm networks, `joined` of those that Caddy is on, `subnets` those of the other
    networks by id (None if networks cannot be listed), and `gateway` is the engine's host as Caddy's container sees it.
    """

    reach: Reach
    has_caddy: bool = False
    overlays: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()
    subnets: Mapping[str, tuple[Subnet, ...]] | None = field(factory=dict)
    gateway: str = ""


@define(eq=False)
class Neighbours:
    """The engines that one dockcaddy watches, by name in the order of the settings. `changes` counts changes.

    Several threads use it. `in_container` if Caddy runs in a container, `names_networks` if the option names networks.
    `listeners` are called when something else is known.
    """

    in_container: bool = False
    names_networks: bool = False
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

    def rule(self, name: str) -> Rule:
        """Which addresses of an engine count."""
        facts = dict(self._facts)
        own = facts.get(name, Facts(Reach()))
        shared = frozenset(id for other, each in facts.items() if other != name for id in each.joined)
        match own.reach.kind:
            case "containers":
                return Rule()
            case "overlay":
                return Rule(shared)
            case "ports":
                return Rule(frozenset(), host=own.reach.host or self._host(own, facts))
        is_single = len(facts) < 2
        if own.has_caddy or (is_single and self.names_networks):
            return Rule()
        if is_single and self.in_container and not own.reach.is_local:
            # a manager that knows nothing of the containers on this node, which may be on its networks
            shared = own.overlays
        before = _before(name, facts)
        if not _has_own_networks(own, facts) or (before and own.subnets is None):
            return Rule(shared, host=own.reach.host or self._host(own, facts))
        taken = (id for id, subnets in (own.subnets or {}).items() if any(_overlap(subnets, each) for each in before))
        return Rule(None, frozenset(taken), LOOPBACK)

    def _host(self, own: Facts, facts: Mapping[str, Facts]) -> str:
        """The host of an engine on this machine, as Caddy sees it."""
        if not own.reach.is_local:
            return ""
        return next((each.gateway for each in facts.values() if each.has_caddy), LOOPBACK)


def written(reach: Reach) -> dict[str, object]:
    """How an engine is reached, for its part of a snapshot."""
    return {"rule": reach.kind, "host": reach.host, "local": reach.is_local, "rootless": reach.is_rootless}


def facts_of(
    reach: Reach, networks: Iterable[Mapping[str, Any]] | None, own: Mapping[str, Any] | None, names: Sequence[str] = ()
) -> Facts:
    """What the engine's networks, and the container that Caddy runs in, say. `names` are the networks of the option."""
    listed = tuple(networks or ())
    attached = {
        name: each or {} for name, each in ((own or {}).get("NetworkSettings") or {}).get("Networks", {}).items()
    }
    ids = {each.get("NetworkID") for each in attached.values()}
    overlays = {
        str(each["Id"]): str(each.get("Name"))
        for each in listed
        if each.get("Scope") == "swarm" and not each.get("Ingress")
    }
    joined = {id for id, name in overlays.items() if id in ids or (name in names and reach.is_local)}
    subnets = {str(each["Id"]): _subnets(each) for each in listed if each.get("Scope") != "swarm"}
    return Facts(
        reach,
        own is not None,
        frozenset(overlays),
        frozenset(joined),
        None if networks is None else subnets,
        next((each["Gateway"] for each in attached.values() if each.get("Gateway")), LOOPBACK),
    )


def _has_own_networks(own: Facts, facts: Mapping[str, Facts]) -> bool:
    """Whether Caddy, on the host, reaches the networks of this engine."""
    is_elsewhere = any(each.has_caddy for each in facts.values())
    return own.reach.is_local and not own.reach.is_rootless and not is_elsewhere


def _before(name: str, facts: Mapping[str, Facts]) -> list[Facts]:
    """The engines of this machine that come before one: addresses that both have are theirs."""
    names = list(facts)
    return [facts[each] for each in names[: names.index(name)] if _has_own_networks(facts[each], facts)]


def _overlap(subnets: tuple[Subnet, ...], other: Facts) -> bool:
    """Whether a network may have addresses of another engine's networks. Ids tell nothing: an engine may be a copy."""
    if not subnets or other.subnets is None:
        return other.subnets is None or bool(other.subnets)
    others = [subnet for each in other.subnets.values() for subnet in each]
    return any(each.version == one.version and each.overlaps(one) for each in subnets for one in others)


def _subnets(network: Mapping[str, Any]) -> tuple[Subnet, ...]:
    found = [each.get("Subnet") for each in (network.get("IPAM") or {}).get("Config") or () if each]
    return tuple(ipaddress.ip_network(each, strict=False) for each in found if each and _is_network(each))


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True

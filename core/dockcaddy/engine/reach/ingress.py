"""Ingress networks: those over which Caddy reaches containers, and so which address of a container is used.

With networks from the option, or from the container that we run in, this works as in caddy-docker-proxy. On a host, and in
a container with the host's network, every network counts whose containers the host can reach. Each container has one
address.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve, field, frozen

from dockcaddy.engine.reach.host_gateway import host_gateway
from dockcaddy.engine.reach.neighbours import Rule
from dockcaddy.engine.reach.shared_networks import endpoints, uses_the_hosts
from dockcaddy.model import Attachment

NETWORK_LABEL = "caddy_ingress_network"
OPTION = "--ingress-networks"
# drivers whose containers the host can reach; it cannot reach overlay, macvlan and ipvlan addresses
_REACHABLE_DRIVERS = frozenset(("bridge", ""))


@frozen
class IngressNetworks:
    """The ingress networks of one engine.

    `ranks` are by id and by name; lower ranks are preferred. With `on_host`, these are all networks that the host can
    reach. `names` are those of the option (`by_option`), or of the networks of Caddy's container. `known` are the drivers
    of all networks by name, for messages only. With `is_any`, networks cannot be listed and every network counts.
    `never` are the ids of Swarm's ingress networks. The `rule` says which networks Caddy reaches on this engine.
    With `takes_all`, a container has all of its addresses on them, otherwise the first one.
    `host_address` is where Caddy reaches containers that use the host's network, `""` if it does not.
    """

    ranks: Mapping[str, int] = field(factory=dict)
    on_host: bool = False
    names: tuple[str, ...] = ()
    by_option: bool = False
    is_any: bool = False
    never: frozenset[str] = frozenset()
    rule: Rule = field(factory=Rule)
    host_address: str = ""
    takes_all: bool = False
    known: Mapping[str, str] = field(factory=dict, eq=False)

    def addresses(self, attachments: Sequence[Attachment], chosen: str) -> tuple[str, ...]:
        """The addresses of a container, none if it is on no ingress network. `chosen` is the network of its label.

        Of a network's two addresses, the IPv4 address is used.
        """
        fitting = [each for each in self.reached(attachments) if each.ipv4 or each.ipv6]
        if chosen:
            fitting = [each for each in fitting if each.network == chosen]
        else:
            fitting = [each for each in fitting if self._rank(each) is not None]
        return self.preferred(fitting, chosen)

    def preferred(self, fitting: Sequence[Attachment], chosen: str) -> tuple[str, ...]:
        """The addresses that are used of those on ingress networks."""

        def place(each: Attachment) -> tuple[int, bool, str, bool]:
            return 0 if chosen else self._rank(each) or 0, each.network == "bridge", each.network, not each.ipv4

        addresses = [each.ipv4 or each.ipv6 for each in sorted(fitting, key=place)]
        return tuple(addresses if self.takes_all else addresses[:1])

    def includes(self, network_id: str, name: str, chosen: str = "") -> bool:
        """Whether a network of this id and name is an ingress network, or the one that a label has `chosen`."""
        if not self.rule.counts(network_id):
            return False
        if chosen:
            return name == chosen
        if self.on_host or self.rule.shared is not None:
            return network_id not in self.never
        return network_id in self.ranks or name in self.ranks

    def reached(self, attachments: Sequence[Attachment]) -> tuple[Attachment, ...]:
        """The attachments without addresses that are not on this engine as Caddy sees it: they may be somebody else's."""
        return tuple(
            each if self.rule.counts(each.network_id) else evolve(each, ipv4="", ipv6="") for each in attachments
        )

    def _rank(self, attachment: Attachment) -> int | None:
        if self.is_any or self.rule.shared is not None:
            return 0
        by_id = self.ranks.get(attachment.network_id)
        return self.ranks.get(attachment.network) if by_id is None else by_id


def ingress_networks(
    listed: Iterable[Mapping[str, Any]] | None,
    names: Sequence[str],
    own: Mapping[str, Any] | None,
    rule: Rule,
) -> IngressNetworks:
    """The ingress networks by the `rule`, without which they are: those in `names`, else those of our `own` container, else those that the host can reach.

    `listed` are items of `GET /networks`, None if listing is forbidden. `own` is the container that we run in, as a list
    item or inspect response. Swarm's ingress network never counts.
    """
    networks = tuple(listed or ())
    known = [network for network in networks if not network.get("Ingress")]
    drivers = {str(network.get("Name")): str(network.get("Driver") or "") for network in known}
    host = host_gateway(None if listed is None else known, own) if own is not None else rule.host_network
    if names:
        wanted = {name: rank for rank, name in enumerate(names)}
        ranks = {network["Id"]: wanted[network["Name"]] for network in known if network["Name"] in wanted}
        return IngressNetworks(
            {**wanted, **ranks}, names=tuple(names), by_option=True, rule=rule, host_address=host, known=drivers
        )
    if own is not None and not uses_the_hosts(own):
        attached = endpoints(own)
        ranked = {name: rank for rank, name in enumerate(sorted(attached))}
        swarm = {network["Name"] for network in networks if network.get("Ingress")}
        by_id = {
            endpoint["NetworkID"]: ranked[name] for name, endpoint in attached.items() if endpoint.get("NetworkID")
        }
        ours = {name: rank for name, rank in ranked.items() if name not in swarm}
        return IngressNetworks({**by_id, **ours}, names=tuple(ours), rule=rule, host_address=host, known=drivers)
    reachable = [network for network in known if network.get("Driver", "") in _REACHABLE_DRIVERS]
    ranks = {key: 0 for network in reachable for key in (network["Id"], network["Name"])}
    never = frozenset(network["Id"] for network in networks if network.get("Ingress"))
    return IngressNetworks(
        ranks,
        on_host=rule.shared is None,
        is_any=listed is None,
        never=never,
        rule=rule,
        host_address=host,
        known=drivers,
    )

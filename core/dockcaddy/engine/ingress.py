"""Which of a resource's addresses traffic is sent to.

With chosen networks (the option, or those of the container we run in) as caddy-docker-proxy does it; on a host, and in
a container that uses the host's network, every network whose containers the host can reach counts, and each container
gives one address.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from dockcaddy.model import Attachment

NETWORK_LABEL = "caddy_ingress_network"
OPTION = "--ingress-networks"
# a host reaches the containers of these drivers; overlay, macvlan and ipvlan addresses do not answer it
_REACHABLE_DRIVERS = frozenset(("bridge", ""))


@frozen
class IngressNetworks:
    """The ingress networks of one engine: id -> rank, name -> rank. With `on_host` there is no choice but reach.

    `names` are those of the option (`by_option`), or of the networks that Caddy's container is on. `known` are the drivers
    of all networks by name, for explanations: addresses do not depend on them. `is_any` says that nobody knows which
    networks a host can reach: each of them counts. `never` are Swarm's own ones.
    """

    ranks: Mapping[str, int] = field(factory=dict)
    on_host: bool = False
    names: tuple[str, ...] = ()
    by_option: bool = False
    is_any: bool = False
    never: frozenset[str] = frozenset()
    known: Mapping[str, str] = field(factory=dict, eq=False)

    def address(self, attachments: Sequence[Attachment], chosen: str) -> str:
        """The address of a container, `""` where no network fits; `chosen` is its own label's network."""
        fitting = [each for each in attachments if each.ipv4 or each.ipv6]
        if chosen:
            fitting = [each for each in fitting if each.network == chosen]
        else:
            fitting = [each for each in fitting if self._rank(each) is not None]
        fitting.sort(key=lambda each: (0 if chosen else self._rank(each) or 0, each.network == "bridge", each.network))
        return (fitting[0].ipv4 or fitting[0].ipv6) if fitting else ""

    def includes(self, network_id: str, name: str) -> bool:
        """Whether a network of this id and name is an ingress network."""
        if self.on_host:
            return network_id not in self.never
        return network_id in self.ranks or name in self.ranks

    def _rank(self, attachment: Attachment) -> int | None:
        if self.is_any:
            return 0
        by_id = self.ranks.get(attachment.network_id)
        return self.ranks.get(attachment.network) if by_id is None else by_id


def ingress_networks(
    listed: Iterable[Mapping[str, Any]] | None, names: Sequence[str], own: Mapping[str, Any] | None
) -> IngressNetworks:
    """The ingress networks: those `names`d, else those of our `own` container, else what a host can reach.

    `listed` are items of `GET /networks`, None where nobody may ask for them; `own` is the container we run in, as a
    list or an inspect gives it. Swarm's own ingress network never counts.
    """
    networks = tuple(listed or ())
    known = [network for network in networks if not network.get("Ingress")]
    drivers = {str(network.get("Name")): str(network.get("Driver") or "") for network in known}
    if names:
        wanted = {name: rank for rank, name in enumerate(names)}
        ranks = {network["Id"]: wanted[network["Name"]] for network in known if network["Name"] in wanted}
        return IngressNetworks({**wanted, **ranks}, names=tuple(names), by_option=True, known=drivers)
    if own is not None and not _uses_the_hosts_network(own):
        attached = (own.get("NetworkSettings") or {}).get("Networks") or {}
        ranked = {name: rank for rank, name in enumerate(sorted(attached))}
        swarm = {network["Name"] for network in networks if network.get("Ingress")}
        by_id = {
            endpoint["NetworkID"]: ranked[name] for name, endpoint in attached.items() if endpoint.get("NetworkID")
        }
        ours = {name: rank for name, rank in ranked.items() if name not in swarm}
        return IngressNetworks({**by_id, **ours}, names=tuple(ours), known=drivers)
    reachable = [network for network in known if network.get("Driver", "") in _REACHABLE_DRIVERS]
    ranks = {key: 0 for network in reachable for key in (network["Id"], network["Name"])}
    never = frozenset(network["Id"] for network in networks if network.get("Ingress"))
    return IngressNetworks(ranks, on_host=True, is_any=listed is None, never=never, known=drivers)


def _uses_the_hosts_network(container: Mapping[str, Any]) -> bool:
    return (container.get("HostConfig") or {}).get("NetworkMode") == "host"

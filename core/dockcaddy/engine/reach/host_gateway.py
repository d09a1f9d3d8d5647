"""Where a container reaches the host of its engine: at the gateway of a bridge network that it is on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dockcaddy.engine.reach.shared_networks import endpoints, uses_the_hosts

LOOPBACK = "127.0.0.1"
# the bridge network of a Swarm node over which containers on overlay networks reach the host
_OVERLAY_GATEWAY = "docker_gwbridge"


def host_gateway(networks: Sequence[Mapping[str, Any]] | None, own: Mapping[str, Any]) -> str:
    """Where our `own` container reaches the host, `""` if it does not. `networks` are None if they cannot be listed.

    Only a bridge network has the host as its gateway; a container on an overlay network has that of `docker_gwbridge`.
    Where drivers are unknown, every network counts as a bridge network.
    """
    if uses_the_hosts(own):
        return LOOPBACK
    attached = endpoints(own)
    if networks is None:
        return _first(gateway for name in sorted(attached) for gateway in _gateways({}, attached[name]))
    by_name = {str(network.get("Name")): network for network in networks}
    bridges = [
        by_name[name] for name in sorted(attached) if name in by_name and by_name[name].get("Driver") == "bridge"
    ]
    bridges.sort(key=lambda network: bool(network.get("Internal")))
    if any(by_name.get(name, {}).get("Driver") == "overlay" for name in attached) and _OVERLAY_GATEWAY in by_name:
        bridges.append(by_name[_OVERLAY_GATEWAY])
    return _first(each for bridge in bridges for each in _gateways(bridge, attached.get(bridge["Name"]) or {}))


def subnets_of(network: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The configured subnets of a network."""
    return tuple(each for each in (network.get("IPAM") or {}).get("Config") or () if each)


def gateways_of(network: Mapping[str, Any]) -> tuple[str, ...]:
    """The gateways of a network's subnets."""
    return tuple(str(each.get("Gateway") or "").partition("/")[0] for each in subnets_of(network))


def _first(gateways: Iterable[str]) -> str:
    return min(filter(None, gateways), key=lambda address: ":" in address, default="")


def _gateways(network: Mapping[str, Any], endpoint: Mapping[str, Any]) -> Iterable[str]:
    """The gateways of a network: those of an endpoint on it, or of its subnets if the endpoint has none."""
    yield from (str(endpoint.get(key) or "") for key in ("Gateway", "IPv6Gateway"))
    yield from gateways_of(network)

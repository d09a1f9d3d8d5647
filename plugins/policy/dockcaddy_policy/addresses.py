"""Addresses that Caddy dials or listens on (https://caddyserver.com/docs/conventions#network-addresses)."""

import ipaddress
import re

from attrs import frozen
from dockcaddy import Context, Proxy

from dockcaddy_policy.folders import OF_THE_HOST, is_socket_file, wrong_socket

# Go accepts a plus sign before a port in some places
_PORTS = re.compile(r"\+?(\d+)(?:-\+?(\d+))?")
# text before a slash that begins like none of these is a host, not a network
_NETWORKS = ("tcp4/", "tcp6/", "udp4/", "udp6/", "unix+h2c/", "unixgram/", "unixpacket/", "fdgram/")
_DEFAULT_PORTS = {"https": "443"}
# on a Caddy that a controller configures: its port 2019 is an admin API
_SERVER_LABEL = "_controlled_server"
_CONTROL = re.compile(r"[\x00-\x1f]")


@frozen
class Address:
    """The parts of a network address or of a URL."""

    network: str
    host: str
    port: str
    scheme: str = ""

    @property
    def is_ip(self) -> bool:
        """Whether it is an IP address or host of the machine, which all sites share, rather than a socket or a plugin's network."""
        return re.fullmatch(r"(?:(?:tcp|udp)[46]?|ip[46]?(?::.*)?)?", self.network) is not None

    @property
    def is_socket(self) -> bool:
        """Whether it is a unix socket; its path is the `host`."""
        return self.network.startswith("unix")


def parsed(text: str) -> Address:
    """Parse an address as Caddy does: case and spaces of the network do not matter, and a scheme is possible."""
    scheme, has_scheme, _ = text.partition("://")
    if has_scheme:
        return Address("", *_host_and_port(_authority(text).rpartition("@")[2]), scheme.strip().lower())
    network, has_network, rest = text.partition("/")
    network = network.strip().lower()
    if not has_network:
        return Address("", *_host_and_port(text))
    if network.startswith(("unix", "fd")):
        return Address(network, rest, "")
    # a colon before the slash: a host and port with a path, as in a URL without a scheme
    return Address(network, *_host_and_port(network if ":" in network else rest))


def _authority(url: str) -> str:
    return re.split(r"[/?#\\]", url.partition("://")[2], maxsplit=1)[0]


def _host_and_port(text: str) -> tuple[str, str]:
    host, colon, port = text.rpartition(":")
    return (text, "") if not colon or text.endswith("]") else (host, port)


def wrong_upstream(word: str, context: Context) -> str:
    """Why Caddy may not dial this upstream; `""` if it may."""
    address = parsed(word)
    if address.is_socket:
        return wrong_socket(address.host, context.proxy)
    if address.network.startswith("fd"):
        return f"{word} is a file that Caddy has open"
    if "{" in (_without_safe_placeholders(address.host) if address.is_ip else word) or _CONTROL.search(word):
        return f"a visitor could choose {word}"
    if not address.port and "{" in address.host:
        return f"the port of {word} is not known beforehand"
    return _wrong_port_of(address, context)


def _without_safe_placeholders(host: str) -> str:
    """The host without placeholders that cannot turn it into a network or a socket."""
    plain = OF_THE_HOST.sub("host", host)
    beginning = plain.partition("{")[0].lower()
    is_host = beginning != "" and not any(network.startswith(beginning) for network in _NETWORKS)
    return beginning if is_host else plain


def wrong_url(word: str, context: Context) -> str:
    """Why Caddy may not send requests to this URL; `""` if it may."""
    address = parsed(word)
    if "{" in address.host:
        return f"a visitor could choose {word}"
    return wrong_socket(address.host, context.proxy) if address.is_socket else _wrong_port_of(address, context)


# https://docs.docker.com/reference/cli/dockerd/#daemon-socket-option
USUAL_ENGINE_PORTS = (2375, 2376)


def wrong_port(port: str, proxy: Proxy) -> str:
    """Why this port, or range of ports, may not be used; `""` if it may."""
    ports = _PORTS.fullmatch(port)
    if ports is None:
        return ""
    first, last = int(ports[1]), int(ports[2] or ports[1])
    if any(first <= engine <= last for engine in (*USUAL_ENGINE_PORTS, *proxy.engine_ports)):
        return f"port {port} is an engine's"
    status = int(proxy.status_listen.rpartition(":")[2] or 0)
    if status and first <= status <= last:
        return f"port {port} is that of the status (--status-listen)"
    return f"port {port} is the admin API's" if proxy.admin_port and first <= proxy.admin_port <= last else ""


def wrong_listener(word: str, proxy: Proxy) -> str:
    """Why a site may not listen at this address; `""` if it may."""
    address = parsed(word.rstrip(","))
    if address.is_socket:
        named = "" if is_socket_file(address.host) else f"Caddy would delete {address.host}, which is not named .sock"
        return wrong_socket(address.host, proxy) or named
    if address.network.startswith("fd"):
        return f"{word} is a file that Caddy has open"
    if "{" in address.port:
        return f"the port of {word} is not known beforehand"
    return wrong_port(address.port, proxy)


def _wrong_port_of(address: Address, context: Context) -> str:
    port = address.port or _DEFAULT_PORTS.get(address.scheme, "80")
    if "{" in port:
        return f"the port {port} is not known beforehand"
    reason = wrong_port(port, context.proxy)
    host = address.host.strip("[]").lower().rstrip(".")
    if (host, int(port) if port.isdecimal() else 0) in context.proxy.server_endpoints:
        reason = f"{address.host}:{port} is the admin API of a server"
    return reason if reason and (_is_server(context) or not _is_own(address.host, context)) else ""


def _is_server(context: Context) -> bool:
    return any(label.endswith(_SERVER_LABEL) for label in context.resource.labels)


def _is_own(host: str, context: Context) -> bool:
    """Whether the host is an address of the resource itself, and only of this resource."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    resource = context.resource
    own = {text for each in resource.attachments for text in (each.ipv4, each.ipv6)}
    own |= set() if resource.shares_network else set(resource.targets)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return str(address) in own and not (mapped.is_loopback or mapped.is_unspecified or mapped.is_link_local)

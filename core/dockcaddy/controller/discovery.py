"""Which servers there are: by the labels in an inventory, and by the URLs of the settings. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address, ip_network

from attrs import field, frozen

from dockcaddy.errors import one_line
from dockcaddy.model import ControlledServer, Inventory, Problem, bracketed

# Caddy's own (https://caddyserver.com/docs/api)
DEFAULT_PORT = 2019
# of a label: a port, or a URL in which the host may be left out
_PORT = re.compile(r":?(\d{1,5})")
_URL = re.compile(r"(https?)://(\[[^\]/]*\]|[^:/\[\]]*)(?::(\d{1,5}))?/?")


@frozen
class Target:
    """A server: the URL of its admin endpoint, which identifies it, and what it is (`container edge-1`), if it has a label."""

    url: str
    name: str = field(default="", eq=False)

    def __str__(self) -> str:
        """As messages name it."""
        return f"server {self.url} ({one_line(self.name)})" if self.name else f"server {self.url}"


def targets_of(
    inventory: Inventory, network: str = "", urls: Iterable[str] = ()
) -> tuple[tuple[Target, ...], tuple[Problem, ...]]:
    """The servers in a fixed order, and what keeps others from being one. `network` is the controller network."""
    found = {url: Target(url) for url in urls}
    engine_of: dict[str, str] = {}
    problems = []
    for engine, server in ((known.name, each) for known in inventory.engines for each in known.servers):
        try:
            url = _url_of(server, network)
        except ValueError as error:
            problems.append(Problem(server.name, "", f"it is not configured as a server: {error}"))
            continue
        found.setdefault(url, Target(url, server.name))
        other = engine_of.setdefault(url, engine)
        if other != engine and server.name.startswith("container "):
            problems.append(Problem(server.name, "", _is_taken(url, engine, other)))
    return tuple(sorted(found.values(), key=lambda target: target.url)), tuple(problems)


def _is_taken(url: str, engine: str, other: str) -> str:
    return (
        f"engine {engine}: it is not configured as a server: a server of engine {other} has the address {url} too, "
        "give the engines different networks, or name this server with --caddy-admin"
    )


def endpoints_of(inventory: Inventory, but: int) -> frozenset[tuple[str, int]]:
    """Addresses, names and ports of the admin endpoints of labelled servers, except those at the port `but`."""
    servers = (server for engine in inventory.engines for server in engine.servers)
    found = {
        (host.lower(), _endpoint(server.value)[2]) for server in servers for host in (*server.addresses, *server.hosts)
    }
    return frozenset((host, port) for host, port in found if port != but)


def _url_of(server: ControlledServer, network: str) -> str:
    """The URL of a server's admin endpoint: of its addresses, the first one in the controller network."""
    scheme, host, port = _endpoint(server.value)
    if host and host not in server.addresses:
        raise ValueError(f'"{one_line(server.value)}" names another host: write the port, or {scheme}://:{port}')
    address = host or next(_within(server.addresses, network), "")
    if not address:
        there = ", ".join(server.addresses) or "it has none"
        wanted = f"no address in the controller network {network} ({there})" if network else "no address"
        raise ValueError(f"{wanted}, connect it to that network")
    return f"{scheme}://{bracketed(address)}:{port}"


def _endpoint(value: str) -> tuple[str, str, int]:
    """Scheme, host (`""` for the server's own) and port of a label's value. Any other value means the default."""
    text = value.strip()
    if found := _PORT.fullmatch(text):
        return "http", "", _valid(found[1])
    if found := _URL.fullmatch(text):
        return found[1], found[2].strip("[]"), _valid(found[3] or "")
    return "http", "", DEFAULT_PORT


def _valid(port: str) -> int:
    return int(port) if port and 0 < int(port) < 65536 else DEFAULT_PORT


def _within(addresses: Sequence[str], network: str) -> Iterator[str]:
    wanted = ip_network(network, strict=False) if network else None
    return (each for each in addresses if wanted is None or ip_address(each) in wanted)

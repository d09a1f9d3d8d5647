"""Sites that need plain HTTP at a listener where Caddy would serve TLS. Pure.

Caddy serves one protocol at a listener. `conflicts.listeners` finds sites in labels before Caddy adapts them. Sites in
imported files, and ports from Caddy's environment, appear in its JSON only.
"""

from collections.abc import Iterator, Mapping
from typing import Any

# without this text no server has a name without TLS
SKIPPED_NAMES = b'"skip":['


def mixed_protocols(servers: Mapping[str, Any], http_port: int) -> Iterator[tuple[str, frozenset[str]]]:
    """A message for each listener where both are needed, and the hosts that turn TLS on."""
    for server in servers.values():
        automatic = server.get("automatic_https") or {}
        plain = [name for name in automatic.get("skip") or () if _is_kept(name)]
        listen = server.get("listen") or ()
        if not plain or automatic.get("disable") or all(address.endswith(f":{http_port}") for address in listen):
            continue
        hosts = {
            host for route in server.get("routes") or () for each in route.get("match") or () for host in _hosts(each)
        }
        others = frozenset(host for host in hosts if host not in plain)
        if others or server.get("tls_connection_policies"):
            reason = f"caddy would serve TLS at {', '.join(listen)} to clients of http://{plain[0]}"
            by = f" because of {min(others)}" if others else ""
            yield f"{reason}{by}: write http:// in front of every name there, or use another port", others


def _hosts(match: Mapping[str, Any]) -> Iterator[str]:
    yield from match.get("host") or ()


def _is_kept(name: str) -> bool:
    """Whether Caddy keeps it as it is written; it turns TLS on for other names."""
    return name.isascii() and "{" not in name

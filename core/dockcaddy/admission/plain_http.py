"""Names that are to be answered in plain HTTP, at a listener where Caddy would speak TLS. Pure.

Caddy speaks one of them to everybody at a listener. Of sites that stand in labels it is known before Caddy is asked; those
of imported files, and ports out of Caddy's environment, show in its JSON only.
"""

from collections.abc import Iterator, Mapping
from typing import Any

# without it no server has such a name beside others
MARK = b'"skip":['


def plain_names(servers: Mapping[str, Any], http_port: int) -> Iterator[tuple[str, frozenset[str]]]:
    """What is wrong where there are any, and the hosts that have TLS turned on."""
    for server in servers.values():
        automatic = server.get("automatic_https") or {}
        plain = [name for name in automatic.get("skip") or () if _is_itself(name)]
        listen = server.get("listen") or ()
        if not plain or automatic.get("disable") or all(address.endswith(f":{http_port}") for address in listen):
            continue
        hosts = {
            host for route in server.get("routes") or () for each in route.get("match") or () for host in _hosts(each)
        }
        others = frozenset(host for host in hosts if host not in plain)
        if others or server.get("tls_connection_policies"):
            reason = f"caddy would speak TLS at {', '.join(listen)} to the visitors of http://{plain[0]}"
            by = f" for {min(others)}" if others else ""
            yield f"{reason}{by}: write http:// in front of every name there, or take another port", others


def _hosts(match: Mapping[str, Any]) -> Iterator[str]:
    yield from match.get("host") or ()


def _is_itself(name: str) -> bool:
    """Whether it stays as it is written: others Caddy takes for names that are to have TLS."""
    return name.isascii() and "{" not in name

"""Sites that need plain HTTP at a listener where Caddy would serve TLS. Pure.

Caddy serves one protocol at a listener. `conflicts.listeners` finds sites in labels before Caddy adapts them. Sites in
imported files, and ports from Caddy's environment, appear in its JSON only.
"""

from collections.abc import Iterator

from dockcaddy.caddyjson.document import Document


def mixed_protocols(document: Document) -> Iterator[tuple[str, frozenset[str]]]:
    """A message for each listener where both are needed, and the hosts that turn TLS on."""
    http_port = document.app("http").get("http_port") or 80
    for server in document.servers.values():
        automatic = server.settings.get("automatic_https") or {}
        plain = [name for name in automatic.get("skip") or () if _is_kept(name)]
        listen = server.settings.get("listen") or ()
        if not plain or automatic.get("disable") or all(address.endswith(f":{http_port}") for address in listen):
            continue
        others = frozenset(server.hosts).difference(plain)
        if others or server.settings.get("tls_connection_policies"):
            reason = f"caddy would serve TLS at {', '.join(listen)} to clients of http://{plain[0]}"
            by = f" because of {min(others)}" if others else ""
            yield f"{reason}{by}: write http:// in front of every name there, or use another port", others


def _is_kept(name: str) -> bool:
    """Whether Caddy keeps it as it is written; it turns TLS on for other names."""
    return name.isascii() and "{" not in name

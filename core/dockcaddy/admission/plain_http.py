"""Sites that need plain HTTP at a listener where Caddy would serve TLS. Pure.

Caddy serves one protocol at a listener. `conflicts.listeners` compares resources. Sites in imported files appear in the
whole document only.
"""

from collections.abc import Iterator

from dockcaddy.caddyjson import Document
from dockcaddy.caddyjson.protocols import names_with_tls, plain_names


def mixed_protocols(document: Document) -> Iterator[tuple[str, frozenset[str]]]:
    """A message for each listener where both are needed, and the hosts that turn TLS on."""
    http_port = document.app("http").get("http_port") or 80
    for server in document.servers.values():
        automatic, listen = server.settings.get("automatic_https") or {}, server.settings.get("listen") or ()
        is_fixed = automatic.get("disable") or all(address.endswith(f":{http_port}") for address in listen)
        if is_fixed or not (plain := plain_names(server)):
            continue
        others = names_with_tls(server)
        if not others and not server.settings.get("tls_connection_policies"):
            continue
        reason = f"caddy would serve TLS at {', '.join(listen)} to clients of http://{plain[0]}"
        by = f" because of {min(others)}" if others else ""
        yield f"{reason}{by}: write http:// in front of every name there, or use another port", others

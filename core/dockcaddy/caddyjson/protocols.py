"""Which listeners of a document serve plain HTTP, and which TLS. Pure.

See https://caddyserver.com/docs/automatic-https#activation.
"""

from collections.abc import Iterator

from dockcaddy.caddyfile import DEFAULT_PORTS
from dockcaddy.caddyjson.document import Document, Server


def protocols_in(document: Document) -> Iterator[tuple[str, bool]]:
    """The listeners, each with whether it serves TLS; without those at the usual ports, where the protocol is fixed."""
    http_port, https_port = (
        str(document.app("http").get(f"{name}_port") or DEFAULT_PORTS[name]) for name in DEFAULT_PORTS
    )
    for server in document.servers.values():
        for listener in server.settings.get("listen") or ():
            port = listener.rpartition(":")[2]
            # Caddy never serves TLS at the port for HTTP
            if port != http_port and not (port == https_port and serves_tls(server)):
                yield listener, serves_tls(server)


def serves_tls(server: Server) -> bool:
    """Whether Caddy serves TLS at the listeners of a server."""
    return bool(server.settings.get("tls_connection_policies")) or bool(names_with_tls(server))


def names_with_tls(server: Server) -> frozenset[str]:
    """The names for which Caddy turns TLS on by itself."""
    automatic = server.settings.get("automatic_https") or {}
    return frozenset() if automatic.get("disable") else frozenset(server.hosts).difference(plain_names(server))


def plain_names(server: Server) -> list[str]:
    """The names that are written with `http://`. Of one that Caddy converts or fills in it does not know that later."""
    skipped: list[str] = (server.settings.get("automatic_https") or {}).get("skip") or []
    # thousands are looked at together, as hardly one is like that
    together = "".join(skipped)
    if together.isascii() and "{" not in together:
        return skipped
    return [name for name in skipped if name.isascii() and "{" not in name]

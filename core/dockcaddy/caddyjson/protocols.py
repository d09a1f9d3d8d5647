"""Which listeners of a document serve plain HTTP, and which TLS. Pure.

See https://caddyserver.com/docs/automatic-https#activation.
"""

from collections.abc import Iterator

from dockcaddy.caddyjson.document import Document, Server


def protocols_in(document: Document) -> Iterator[tuple[str, bool]]:
    """The listeners, each with whether it serves TLS; without those at the usual ports, where the protocol is fixed."""
    http_port, https_port = str(document.http_port), str(document.https_port)
    for server in document.servers.values():
        for listener in server.listen:
            port = listener.rpartition(":")[2]
            # Caddy never serves TLS at the port for HTTP
            if port != http_port and not (port == https_port and serves_tls(server)):
                yield listener, serves_tls(server)


def serves_tls(server: Server) -> bool:
    """Whether Caddy serves TLS at the listeners of a server."""
    return bool(server.connection_policies or names_with_tls(server))


def names_with_tls(server: Server) -> frozenset[str]:
    """The names for which Caddy turns TLS on by itself."""
    is_off = server.automatic_https.get("disable")
    return frozenset() if is_off else frozenset(server.hosts).difference(plain_names(server))


def plain_names(server: Server) -> list[str]:
    """The names that are written with `http://`. Of one that Caddy converts or fills in it does not know that later."""
    skipped: list[str] = server.automatic_https.get("skip") or []
    # thousands are looked at together, as hardly one is like that
    together = "".join(skipped)
    if together.isascii() and "{" not in together:
        return skipped
    return [name for name in skipped if name.isascii() and "{" not in name]

"""Requests to a site are redirected to HTTPS, whatever wildcard site there is for HTTP. Pure.

Caddy's redirects come after all sites with a host: a site for `http://*.example.com` would handle HTTP requests for
`app.example.com`. Sites without a host come after the redirects.
"""

from collections.abc import Collection, Iterator, Sequence, Set

from attrs import evolve

from dockcaddy.caddyfile import is_host_of
from dockcaddy.caddyjson.document import Document, Json, Route, Server, are_same, without_hosts


def with_own_redirects(document: Document, shared_hosts: Collection[str] = ()) -> Document:
    """The document, in which such sites do not handle redirected hosts; the same document where none does.

    Settings for the `shared_hosts` apply to all sites, because the operator wrote them.
    """
    plain = [each for each in document.servers.values() if each.listens_at(document.http_port)]
    wide = document.found(_has_patterns)
    if not wide or not any(route in wide for server in plain for route in server.routes):
        return document
    secure = [each for each in document.servers.values() if each.listens_at(document.https_port)]
    redirected = set(_redirected(secure)).difference(host for server in plain for host in server.hosts)
    return document.with_servers(
        lambda server: _isolated(server, redirected, shared_hosts) if server in plain else server
    )


def _redirected(servers: Sequence[Server]) -> Iterator[str]:
    for server in servers:
        automatic = server.automatic_https
        if not (automatic.get("disable") or automatic.get("disable_redirects")):
            yield from set(server.hosts).difference(automatic.get("skip") or ())


def _isolated(server: Server, redirected: Set[str], shared_hosts: Collection[str]) -> Server:
    routes = tuple(
        _excepted(each, redirected, shared_hosts) if _patterns(each.hosts) else each for each in server.routes
    )
    return server if are_same(routes, server.routes) else evolve(server, routes=routes)


def _excepted(route: Route, redirected: Set[str], shared_hosts: Collection[str]) -> Route:
    """The route without redirected hosts."""
    return route.with_matches(lambda match: _without_redirected(match, redirected, shared_hosts))


def _without_redirected(match: Json, redirected: Set[str], shared_hosts: Collection[str]) -> Json:
    patterns = _patterns(match.get("host") or ())
    others = [host for host in redirected if any("{" in each or is_host_of(host, each) for each in patterns)]
    if not others or not set(patterns).isdisjoint(shared_hosts):
        return match
    return without_hosts(match, others)


def _has_patterns(route: Route) -> bool:
    return bool(_patterns(route.hosts))


def _patterns(hosts: Sequence[str]) -> Sequence[str]:
    """Those that match other hosts: with stars, and with placeholders, whose values are unknown."""
    return [each for each in hosts if "*" in each or "{" in each]

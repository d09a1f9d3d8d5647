"""A site handles the errors of its own requests. Pure.

Caddy also uses the `handle_errors` of `*.example.com`, or of every host, for the errors of all sites below it that have
none. Then another resource would handle a failed login at `app.example.com`.
"""

from collections.abc import Collection

from attrs import evolve

from dockcaddy.caddyfile import is_host_of
from dockcaddy.caddyjson.document import Document, Json, Route, Server, are_same, without_hosts


def with_own_errors(document: Document, shared_hosts: Collection[str] = ()) -> Document:
    """The document, in which such sites do not handle other sites' errors; the same document where none does.

    Settings for the `shared_hosts` (`""` is every host) apply to all sites, because the operator wrote them.
    """
    return document.with_servers(lambda server: _isolated(server, shared_hosts))


def _isolated(server: Server, shared_hosts: Collection[str]) -> Server:
    if not any(_is_wide(each) for each in server.errors):
        return server
    hosts = frozenset(server.hosts)
    errors = tuple(_excepted(each, hosts, shared_hosts) if _is_wide(each) else each for each in server.errors)
    return server if are_same(errors, server.errors) else evolve(server, errors=errors)


def _is_wide(route: Route) -> bool:
    """Whether it may match the errors of sites that it does not name."""
    return not route.is_for_hosts or any("*" in host for host in route.hosts)


def _excepted(route: Route, hosts: frozenset[str], shared_hosts: Collection[str]) -> Route:
    """The route without the errors of other sites."""
    return route.with_matches(lambda match: _without_others(match, hosts, shared_hosts))


def _without_others(match: Json, hosts: frozenset[str], shared_hosts: Collection[str]) -> Json:
    own = match.get("host") or [""]
    others = {host for host in hosts.difference(own) if any(_covers(each, host) for each in own)}
    if not others or not set(own).isdisjoint(shared_hosts):
        return match
    return without_hosts(match, others)


def _covers(pattern: str, host: str) -> bool:
    return not pattern or is_host_of(host, pattern)

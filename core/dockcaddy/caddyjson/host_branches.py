"""Requests that do not slow down with the number of sites: routes stand in branches by their hosts. Pure.

Caddy tries the routes of a server one after the other. A route in front of some others, with all of their hosts, costs it
one look for all of them: among more than a hundred hosts it searches by halves. The order of routes stays, and a request that
none of a branch answers goes on to the next one, so every request finds the route that it found without branches.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from attrs import define, evolve

from dockcaddy.caddyjson.document import Document, Route, Server, encoded
from dockcaddy.settings import limits


@define(eq=False)
class Branch(Route):
    """A route with other routes in it, for requests to any of their hosts."""

    members: tuple[Route, ...] = ()

    @classmethod
    def of(cls, members: Sequence[Route]) -> "Branch":
        """The branch of these routes."""
        made = cls(None, tuple(members))
        made._hosts = tuple(dict.fromkeys(host for route in members for host in route.hosts))
        made._is_for_hosts = True
        # Caddy reads what is in a subroute once more for each subroute around it
        within = b",".join([route.flat for route in members])
        # the keys are in Caddy's own order
        handler = b'{"handler":"subroute","routes":[%b]}' % within
        made._flat = b'{"match":[{"host":%b}],"handle":[%b]}' % (encoded(made._hosts), handler)
        return made


def with_branches(document: Document, smallest: int = limits.BRANCHES_FROM, size: int = limits.BRANCH_SIZE) -> Document:
    """The document with branches of so many routes in every server that has not less than the `smallest` number of routes.

    The same document where there is no such server.
    """
    return document.with_servers(lambda server: _branched(server, size) if len(server.routes) >= smallest else server)


def _branched(server: Server, size: int) -> Server:
    runs = groupby(server.routes, _is_for_hosts)
    routes = [route for are_for_hosts, run in runs for route in (_branches(tuple(run), size) if are_for_hosts else run)]
    return evolve(server, routes=tuple(routes))


def _branches(routes: Sequence[Route], size: int) -> Sequence[Route]:
    if len(routes) < size:
        return routes
    return [Branch.of(_in_leaves(part)) for part in _parts(routes, size)]


def _parts(routes: Sequence[Route], size: int) -> Iterator[Sequence[Route]]:
    """So many routes each. The last part is not shorter than the others: a short list Caddy does not search by halves."""
    starts = range(0, len(routes) - size + 1, size)
    return (routes[start:end] for start, end in zip(starts, (*starts[1:], len(routes)), strict=True))


def _in_leaves(routes: Sequence[Route]) -> Sequence[Route]:
    """The routes of a branch in branches of their own, which have few of them: Caddy prepares all for each request."""
    size = limits.LEAF_SIZE
    if len(routes) < 2 * size:
        return routes
    return [Branch.of(routes[start : start + size]) for start in range(0, len(routes), size)]


def _is_for_hosts(route: Route) -> bool:
    """Whether it answers requests to certain hosts only.

    Not with a wildcard or a placeholder. Names that are not ASCII may be written in two ways, and Caddy refuses a list
    that has both.
    """
    return route.is_for_hosts and all(host.isascii() and "*" not in host and "{" not in host for host in route.hosts)

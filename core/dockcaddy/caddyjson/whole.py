"""The document of a whole Caddyfile: the skeleton, with the routes of all plain sites in Caddy's order. Pure.

Plain sites of its kinds may come and go: then only they are looked at.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Hashable, Mapping, Sequence
from itertools import chain
from math import inf
from operator import itemgetter

from attrs import define, evolve, field

from dockcaddy.caddyfile import Place
from dockcaddy.caddyjson.document import Document, Route, Server
from dockcaddy.caddyjson.plain_sites import PlainSite
from dockcaddy.caddyjson.skeleton import Kind, Names, NotSpliceable

Hosts = frozenset[str]
Routes = Mapping[PlainSite, Route]
# of sites that are not plain, in the Caddyfile, by host and port; and of the only one whose host is not known
Places = Mapping[tuple[str, str], Place]
UNKNOWN = ("", "")
# how early a route comes: those with longer hosts come first, among them those with longer paths, then as in the Caddyfile
_Rank = tuple[int, int, Place]

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


@define(eq=False)
class Whole:
    """The skeleton, the kinds of plain sites, and by name the servers with all routes."""

    skeleton: Document
    kinds: Mapping[Hashable, Kind]
    servers: Mapping[str, "_Order"]

    @classmethod
    def of(cls, skeleton: Document, kinds: Sequence[Kind], routes: Routes, places: Places) -> "Whole":
        """The whole with all sites of these kinds, which have these `routes`. `places` are those of the other sites.

        Raises NotSpliceable.
        """
        placed = _placed(skeleton, kinds)
        servers = {
            name: _Order.of(server, placed.get(name, {}), routes, places) for name, server in skeleton.servers.items()
        }
        return cls(skeleton, {kind.key: kind for kind in kinds}, servers)

    def document(self) -> Document:
        """The document. Raises NotSpliceable."""
        names = Names({name: (kind, suffix) for kind in self.kinds.values() for name, suffix in kind.forms()})
        rest = names.grown_rest(self.skeleton.rest)
        settings = {name: names.grown_server(server) for name, server in self.skeleton.servers.items()}
        if names.odd:
            raise NotSpliceable(names.odd)
        servers = {
            name: evolve(server, settings=settings[name], routes=self.servers[name].every_route)
            for name, server in self.skeleton.servers.items()
        }
        return evolve(self.skeleton, rest=rest, servers=servers)

    def add(self, kind: Kind, place: Place, site: PlainSite, route: Route) -> bool:
        """Add a site of a kind. Returns whether nobody else has its hosts."""
        order = self._order_of(kind)
        if not order.hosts.isdisjoint(site.hosts):
            return False
        at = bisect_left(order.ranks, _rank(site, place))
        order.ranks.insert(at, _rank(site, place))
        order.routes.insert(at, route)
        order.hosts.update(site.hosts)
        kind.put(place, site)
        return True

    def remove(self, kind: Kind, place: Place) -> None:
        """Remove the site of a kind that is at this place."""
        site, order = kind.take(place), self._order_of(kind)
        at = bisect_left(order.ranks, _rank(site, place))
        del order.ranks[at], order.routes[at]
        order.hosts.difference_update(site.hosts)

    def _order_of(self, kind: Kind) -> "_Order":
        return next(each for each in self.servers.values() if kind in each.kinds)


@define(eq=False)
class _Order:
    """The routes of a server and of all sites of its kinds, in Caddy's order; `hosts` are those of the routes with `ranks`.

    Sites with wildcards or without a host come `last` (https://caddyserver.com/docs/caddyfile/concepts#addresses).
    """

    kinds: Collection[Kind]
    ranks: list[_Rank]
    routes: list[Route]
    last: list[Route] = field(factory=list)
    hosts: set[str] = field(factory=set)

    @classmethod
    def of(cls, server: Server, kinds: Mapping[Hosts, Kind], routes: Routes, places: Places) -> "_Order":
        """The order of a server of the skeleton. Raises NotSpliceable."""
        last: list[Route] = []
        ranked = [(_rank(site, place), routes[site]) for kind in kinds.values() for place, site in kind.sites.items()]
        before: tuple[float, int] = (-inf, 0)
        for route in server.routes:
            lengths = _lengths(route)
            if lengths is None:
                last.append(route)
                continue
            if last or lengths < before:
                raise NotSpliceable
            before = lengths
            if frozenset(route.hosts) not in kinds:
                ranked.append(((*lengths, _place_of(server, route, places)), route))
        ranked.sort(key=itemgetter(0))
        made = cls(kinds.values(), [rank for rank, _ in ranked], [route for _, route in ranked], last)
        hosts = [host for route in made.routes for host in route.hosts]
        made.hosts.update(hosts)
        if len(made.hosts) < len(hosts) and kinds:
            raise NotSpliceable
        return made

    @property
    def every_route(self) -> tuple[Route, ...]:
        """All of them."""
        return tuple(chain(self.routes, self.last))


def _rank(site: PlainSite, place: Place) -> _Rank:
    return -site.length, 0, place


def _lengths(route: Route) -> tuple[int, int] | None:
    """How early the route comes: smaller is earlier. None for wildcards and for what has no host."""
    # Go counts bytes
    length = max((len(_PLACEHOLDER.sub("", host).encode()) for host in route.hosts), default=0)
    if not length or any("*" in host for host in route.hosts):
        return None
    paths = (path for match in route.value.get("match") or () for path in match.get("path") or ())
    return -length, -max(map(len, paths), default=0)


def _place_of(server: Server, route: Route, places: Places) -> Place:
    """Where in the Caddyfile the site of a route is that is not plain. Raises NotSpliceable where that is not known."""
    known = ((host, port) for host in route.hosts for port in server.ports)
    place = next((places[each] for each in known if each in places), places.get(UNKNOWN))
    if place is None:
        raise NotSpliceable
    return place


def _placed(skeleton: Document, kinds: Sequence[Kind]) -> dict[str, dict[Hosts, Kind]]:
    """The kinds by the server that has the route of their stub, and by the hosts of that. Raises NotSpliceable."""
    by_hosts = {frozenset(kind.stub[1].hosts): kind for kind in kinds if kind.stub is not None}
    placed: dict[str, dict[Hosts, Kind]] = {}
    found: dict[Hosts, int] = {}
    for name, server in skeleton.servers.items():
        for route in server.routes:
            hosts = frozenset(route.hosts)
            if hosts in by_hosts:
                placed.setdefault(name, {})[hosts] = by_hosts[hosts]
                found[hosts] = found.get(hosts, 0) + 1
    odd = [kind for hosts, kind in by_hosts.items() if found.get(hosts) != 1]
    if odd:
        raise NotSpliceable(odd)
    return placed

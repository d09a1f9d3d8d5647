"""The document of a whole Caddyfile: the skeleton, with the routes of all plain sites in Caddy's order. Pure.

Plain sites of its kinds may come and go: then only they are looked at.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import chain

from attrs import define, evolve, field

from dockcaddy.caddyjson.definitions import Place, Section
from dockcaddy.caddyjson.document import Document, Route, Server
from dockcaddy.caddyjson.skeleton import Kind, Member, Names, NotSpliceable, Placed

Hosts = frozenset[str]
# of sites that are not plain, in the Caddyfile, by host and port; and of the only one whose host is not known
Positions = Mapping[tuple[str, str], int]
UNKNOWN = ("", "")

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


@define(eq=False)
class Whole:
    """The skeleton, the kinds of plain sites, and by name the servers with all routes."""

    skeleton: Document
    kinds: Sequence[Kind]
    servers: Mapping[str, "_Order"]

    @classmethod
    def of(
        cls, skeleton: Document, kinds: Sequence[Kind], positions: Positions, sections: Sequence[Section] = ()
    ) -> "Whole":
        """The whole with all sites of these kinds. Raises NotSpliceable.

        `positions` are those of the other sites; with the sections of the Caddyfile, sites may come and go.
        """
        placed = _placed(skeleton, kinds)
        servers = {
            name: _Order.of(server, placed.get(name, {}), positions, sections)
            for name, server in skeleton.servers.items()
        }
        return cls(skeleton, kinds, servers)

    def document(self) -> Document:
        """The document. Raises NotSpliceable."""
        names = Names({name: (kind, suffix) for kind in self.kinds for name, suffix in kind.forms()})
        rest = names.grown_rest(self.skeleton.rest)
        settings = {name: names.grown_server(server) for name, server in self.skeleton.servers.items()}
        if names.odd:
            raise NotSpliceable(names.odd)
        servers = {
            name: evolve(server, settings=settings[name], routes=self.servers[name].routes)
            for name, server in self.skeleton.servers.items()
        }
        return evolve(self.skeleton, rest=rest, servers=servers)

    def add(self, kind: Kind, member: Member) -> bool:
        """Add a site of a kind. Returns whether nobody else has its hosts, or its place."""
        order = self._order_of(kind)
        run = order.by_length.setdefault(member.site.length, _Run())
        at = run.find(member)
        is_taken = at < len(run.members) and _key(run.members[at]) == _key(member)
        if is_taken or not order.hosts.isdisjoint(member.site.hosts):
            return False
        order.hosts.update(member.site.hosts)
        run.insert(at, member)
        kind.insert(bisect_left(kind.members, _key(member), key=_key), member)
        return True

    def remove(self, kind: Kind, member: Member) -> bool:
        """Remove a site of a kind, which is at the place of this one. Returns whether it is there."""
        at = bisect_left(kind.members, _key(member), key=_key)
        if at == len(kind.members) or kind.members[at].section is not member.section:
            return False
        found, order = kind.pop(at), self._order_of(kind)
        order.hosts.difference_update(found.site.hosts)
        return order.by_length[found.site.length].remove(found)

    def _order_of(self, kind: Kind) -> "_Order":
        return next(each for each in self.servers.values() if kind in each.kinds)


@define(eq=False)
class _Order:
    """The routes of a server and of all sites of its kinds, in Caddy's order; `hosts` are those of the routes `by_length`.

    Sites with longer hosts come first, among them those with longer paths, then as in the Caddyfile. Sites with wildcards
    or without a host come last (https://caddyserver.com/docs/caddyfile/concepts#addresses).
    """

    kinds: Sequence[Kind]
    by_length: "dict[int, _Run]" = field(factory=dict)
    last: list[Route] = field(factory=list)
    hosts: set[str] = field(factory=set)

    @classmethod
    def of(
        cls, server: Server, kinds: Mapping[Hosts, Kind], positions: Positions, sections: Sequence[Section]
    ) -> "_Order":
        """The order of a server of the skeleton. Raises NotSpliceable."""
        made = cls(list(kinds.values()))
        before: tuple[int, int] | None = None
        for route in server.routes:
            place = _place(route)
            if place is None:
                made.last.append(route)
            elif made.last or (before is not None and place < before):
                raise NotSpliceable
            elif frozenset(route.hosts) not in kinds:
                position = _position(server, route, positions)
                other = Placed(position, place[1], route, sections[position] if sections else None)
                made.by_length.setdefault(-place[0], _Run()).members.append(other)
            before = place or before
        for kind in made.kinds:
            for each in kind.members:
                made.by_length.setdefault(each.site.length, _Run()).members.append(each)
        for run in made.by_length.values():
            run.sort()
        hosts = [host for run in made.by_length.values() for each in run.routes for host in each.hosts]
        made.hosts.update(hosts)
        if len(made.hosts) < len(hosts) and kinds:
            raise NotSpliceable
        return made

    @property
    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        runs = [self.by_length[length].routes for length in sorted(self.by_length, reverse=True)]
        return tuple(chain(*runs, self.last))


@define(eq=False)
class _Run:
    """Sites of one length in their order, and their routes."""

    members: list[Placed] = field(factory=list)
    routes: list[Route] = field(factory=list)

    def sort(self) -> None:
        """Put them in order."""
        self.members.sort(key=_order)
        self.routes = [each.route for each in self.members]

    def find(self, member: Placed) -> int:
        """Where a site belongs."""
        return bisect_left(self.members, _key(member), key=_key)

    def insert(self, at: int, member: Placed) -> None:
        """Add a site."""
        self.members.insert(at, member)
        self.routes.insert(at, member.route)

    def remove(self, member: Placed) -> bool:
        """Take a site out. Returns whether it is where it belongs."""
        at = self.find(member)
        if at == len(self.members) or self.members[at] is not member:
            return False
        del self.members[at], self.routes[at]
        return True


def _position(server: Server, route: Route, positions: Positions) -> int:
    """Where in the Caddyfile the site of a route is that is not plain. Raises NotSpliceable where that is not known."""
    places = ((host, port) for host in route.hosts for port in server.ports)
    position = next((positions[place] for place in places if place in positions), positions.get(UNKNOWN))
    if position is None:
        raise NotSpliceable
    return position


def _placed(skeleton: Document, kinds: Sequence[Kind]) -> dict[str, dict[Hosts, Kind]]:
    """The kinds by the server that has the route of their stub, and by the hosts of that. Raises NotSpliceable."""
    by_hosts = {frozenset(kind.stub.site.hosts): kind for kind in kinds if kind.stub is not None}
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


def _key(placed: Placed) -> tuple[int, Place]:
    """Its place among sites that come and go: that of its section, as positions change."""
    assert placed.section is not None
    return placed.path, placed.section.place


def _order(placed: Placed) -> tuple[int, int]:
    return placed.path, placed.position


def _place(route: Route) -> tuple[int, int] | None:
    """How early the route comes: smaller is earlier. None for wildcards and for what has no host."""
    # Go counts bytes
    length = max((len(_PLACEHOLDER.sub("", host).encode()) for host in route.hosts), default=0)
    if not length or any("*" in host for host in route.hosts):
        return None
    paths = (path for match in route.value.get("match") or () for path in match.get("path") or ())
    return -length, -max(map(len, paths), default=0)

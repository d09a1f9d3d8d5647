"""The document of a whole Caddyfile: the skeleton, with the routes of all plain sites in Caddy's order. Pure.

Plain sites of its kinds may come and go: then only they are looked at.
"""

import re
from bisect import insort
from collections.abc import Iterator, Mapping, Sequence

from attrs import define, evolve, field

from dockcaddy.caddyjson.definitions import Section
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
            name: evolve(server, settings=settings[name], routes=tuple(self.servers[name].routes))
            for name, server in self.skeleton.servers.items()
        }
        return evolve(self.skeleton, rest=rest, servers=servers)

    def add(self, kind: Kind, member: Member, positions: Mapping[Section, int]) -> bool:
        """Add a site of a kind. `positions` are those of all sections now. Returns whether nobody else has its hosts."""
        order = self._order_of(kind)
        if not order.hosts.isdisjoint(member.site.hosts):
            return False

        def place(each: Placed) -> tuple[int, int]:
            assert each.section is not None
            return each.path, positions[each.section]

        order.hosts.update(member.site.hosts)
        insort(order.by_length.setdefault(member.site.length, []), member, key=place)
        insort(kind.members, member, key=place)
        return True

    def remove(self, kind: Kind, section: Section) -> None:
        """Remove a site of a kind."""
        member = next(each for each in kind.members if each.section is section)
        order = self._order_of(kind)
        order.hosts.difference_update(member.site.hosts)
        order.by_length[member.site.length].remove(member)
        kind.members.remove(member)

    def _order_of(self, kind: Kind) -> "_Order":
        return next(each for each in self.servers.values() if kind in each.kinds)


@define(eq=False)
class _Order:
    """The routes of a server and of all sites of its kinds, in Caddy's order; `hosts` are those of the routes `by_length`.

    Sites with longer hosts come first, among them those with longer paths, then as in the Caddyfile. Sites with wildcards
    or without a host come last (https://caddyserver.com/docs/caddyfile/concepts#addresses).
    """

    kinds: Sequence[Kind]
    by_length: dict[int, list[Placed]] = field(factory=dict)
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
                made.by_length.setdefault(-place[0], []).append(other)
            before = place or before
        for kind in made.kinds:
            for each in kind.members:
                made.by_length.setdefault(each.site.length, []).append(each)
        for some in made.by_length.values():
            some.sort(key=_order)
        hosts = [host for some in made.by_length.values() for each in some for host in each.route.hosts]
        made.hosts.update(hosts)
        if len(made.hosts) < len(hosts) and kinds:
            raise NotSpliceable
        return made

    @property
    def routes(self) -> Iterator[Route]:
        """All of them."""
        for length in sorted(self.by_length, reverse=True):
            yield from [each.route for each in self.by_length[length]]
        yield from self.last


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

"""A configuration in which one site stands for all of its kind, and what becomes of it with all of them in their places. Pure.

Where the name of that site stands in Caddy's JSON, the names of all sites of its kind would stand: in the subjects of a
policy for certificates, or among the hosts that are not redirected. Where else it stands is not understood.
"""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import define, evolve, field, frozen

from dockcaddy.caddyjson.document import Document, Json, Route, Server
from dockcaddy.caddyjson.plain_sites import PlainSite

# of sites that are not plain, in the Caddyfile, by host and port; and of the only one whose host is not known
Positions = Mapping[tuple[str, str], int]
UNKNOWN = ("", "")

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


@frozen(eq=False)
class Member:
    """A plain site with its place in the Caddyfile and its route."""

    position: int
    site: PlainSite
    route: Route


@define(eq=False)
class Kind:
    """The plain sites of one kind in the order of the Caddyfile, and the one that stands for all of them.

    `is_covered` where wildcards of other sites cover their hosts.
    """

    key: Hashable
    is_covered: bool = False
    members: list[Member] = field(factory=list)
    stub: Member | None = None

    def names(self, suffix: str) -> list[str]:
        """The names of all its sites, each with a suffix such as a port."""
        return [f"{host}{suffix}" for each in self.members for host in each.site.hosts]

    def forms(self) -> Iterator[tuple[str, str]]:
        """Each name that stands for the kind in JSON, and the suffix that it has there."""
        assert self.stub is not None
        port = self.stub.site.port
        for suffix in ("", f":{port}") if port else ("",):
            for host in self.stub.site.hosts:
                yield f"{host}{suffix}", suffix


class NotSpliceable(Exception):
    """A kind whose sites do not only differ in their routes; without a kind, nothing can be put in place."""

    def __init__(self, kind: Kind | None = None) -> None:
        super().__init__()
        self.kind = kind


def choose_stubs(kinds: Iterable[Kind], taken: Iterable[str]) -> None:
    """Choose the site that stands for each kind: none with a host that another one in the skeleton has.

    `taken` are the hosts of the sites that are not plain. Raises NotSpliceable for a kind without such a site.
    """
    used = set(taken)
    for kind in kinds:
        kind.stub = next((each for each in kind.members if used.isdisjoint(each.site.hosts)), None)
        if kind.stub is None:
            raise NotSpliceable(kind)
        used.update(kind.stub.site.hosts)


def spliced(skeleton: Document, kinds: Sequence[Kind], positions: Positions) -> Document:
    """The document of the whole. Raises NotSpliceable."""
    names = _Names({name: (kind, suffix) for kind in kinds for name, suffix in kind.forms()})
    placed: dict[str, list[Kind]] = {}
    for kind in kinds:
        placed.setdefault(_server_of(kind, skeleton), []).append(kind)
    servers = {}
    for name, server in skeleton.servers.items():
        routes = tuple(_routes(server, placed.get(name, ()), positions))
        servers[name] = evolve(server, settings=names.grown_server(server), routes=routes)
    return evolve(skeleton, rest=names.grown_rest(skeleton.rest), servers=servers)


def _server_of(kind: Kind, skeleton: Document) -> str:
    """The one server that has the route of the kind's stub."""
    hosts = _stub_hosts(kind)
    found = [name for name, each in skeleton.servers.items() for route in each.routes if set(route.hosts) == hosts]
    if len(found) != 1:
        raise NotSpliceable(kind)
    return found[0]


def _stub_hosts(kind: Kind) -> set[str]:
    assert kind.stub is not None
    return set(kind.stub.site.hosts)


@frozen
class _Names:
    """The names of stubs: the kinds that they stand for, and their suffixes."""

    stubs: Mapping[str, tuple[Kind, str]]

    def grown_server(self, server: Server) -> Json:
        """The settings of a server with all names in them."""
        settings = server.settings
        skipped = self._grown_lists(settings.get("automatic_https"), "skip")
        logs = self._grown_lists(settings.get("logs"), "skip_hosts")
        if logs and "skip_hosts" in logs:
            logs["skip_hosts"] = sorted(logs["skip_hosts"])
        self._look(
            _without(settings, "automatic_https", "logs"),
            _without(skipped, "skip"),
            _without(logs, "skip_hosts"),
            *(route.value for route in (*server.errors, *server.named.values())),
        )
        return {**settings, **_given(automatic_https=skipped, logs=logs)}

    def grown_rest(self, rest: Json) -> Json:
        """What is not part of servers, with all names in it."""
        apps = rest.get("apps") or {}
        tls = apps.get("tls") or {}
        automation = tls.get("automation") or {}
        policies = [self._grown_lists(each, "subjects") or {} for each in automation.get("policies") or ()]
        self._check(policies)
        certificates = self._grown_lists(tls.get("certificates"), "automate")
        self._look(
            _without(rest, "apps"),
            _without(apps, "tls"),
            _without(tls, "automation", "certificates"),
            _without(automation, "policies"),
            _without(certificates, "automate"),
            *(_without(each, "subjects") for each in policies),
        )
        if not tls:
            return rest
        grown = _given(policies=policies)
        automation = {**automation, **grown} if automation else None
        return {**rest, "apps": {**apps, "tls": {**tls, **_given(automation=automation, certificates=certificates)}}}

    def _check(self, policies: Sequence[Json]) -> None:
        """Raises NotSpliceable where Caddy sorts policies by wildcards: what it keeps depends on the number of all of them."""
        if any("*" in host for each in policies for host in each.get("subjects") or ()):
            raise NotSpliceable
        covered = next((kind for kind, _ in self.stubs.values() if kind.is_covered), None)
        if policies and covered is not None:
            raise NotSpliceable(covered)

    def _grown_lists(self, settings: Json | None, key: str) -> dict[str, Any] | None:
        if not settings:
            return None
        if key not in settings:
            return dict(settings)
        return {**settings, key: list(self._grown(settings[key]))}

    def _grown(self, names: Iterable[str]) -> Iterator[str]:
        """The names, with those of the whole kind in the place of each stub's first one."""
        grown = set[int]()
        for name in names:
            kind, suffix = self.stubs.get(name, (None, ""))
            if kind is None:
                yield name
            elif id(kind) not in grown:
                grown.add(id(kind))
                yield from kind.names(suffix)

    def _look(self, *parts: Any) -> None:
        """Raises NotSpliceable where a stub's name stands in what is not understood."""
        waiting = list(parts)
        while waiting:
            node = waiting.pop()
            if isinstance(node, Mapping):
                waiting += node.keys()
                waiting += node.values()
            elif isinstance(node, list):
                waiting += node
            elif isinstance(node, str) and node in self.stubs:
                raise NotSpliceable(self.stubs[node][0])


def _without(settings: Json | None, *keys: str) -> Json:
    return {key: value for key, value in (settings or {}).items() if key not in keys}


def _given(**settings: Any) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if value}


def _routes(server: Server, kinds: Sequence[Kind], positions: Positions) -> Iterator[Route]:
    """The routes of the server and of all sites of these kinds, in Caddy's order.

    Sites with longer hosts come first, among them those with longer paths, then as in the Caddyfile. Sites with wildcards
    or without a host come last (https://caddyserver.com/docs/caddyfile/concepts#addresses).
    """
    by_length: dict[int, list[tuple[int, int, Route]]] = {}
    last: list[Route] = []
    before: tuple[int, int] | None = None
    for route in server.routes:
        place = _place(route)
        if place is None:
            last.append(route)
        elif last or (before is not None and place < before):
            raise NotSpliceable
        elif not any(set(route.hosts) == _stub_hosts(kind) for kind in kinds):
            places = ((host, port) for host in route.hosts for port in server.ports)
            position = next((positions[place] for place in places if place in positions), positions.get(UNKNOWN))
            if position is None:
                raise NotSpliceable
            by_length.setdefault(-place[0], []).append((place[1], position, route))
        before = place or before
    for kind in kinds:
        for each in kind.members:
            by_length.setdefault(each.site.length, []).append((0, each.position, each.route))
    made = [
        route for length in sorted(by_length, reverse=True) for _, _, route in sorted(by_length[length], key=_order)
    ]
    hosts = [host for route in made for host in route.hosts]
    if len(set(hosts)) < len(hosts) and kinds:
        raise NotSpliceable
    return iter((*made, *last))


def _order(placed: tuple[int, int, Route]) -> tuple[int, int]:
    return placed[:2]


def _place(route: Route) -> tuple[int, int] | None:
    """How early the route comes: smaller is earlier. None for wildcards and for what has no host."""
    length = max((len(_PLACEHOLDER.sub("", host)) for host in route.hosts), default=0)
    if not length or any("*" in host for host in route.hosts):
        return None
    paths = (path for match in route.value.get("match") or () for path in match.get("path") or ())
    return -length, -max(map(len, paths), default=0)

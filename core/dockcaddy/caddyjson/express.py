"""Changes of plain sites without another configuration: Caddy finds them in a folder, at each request. Pure.

In front of its sites, each server has a route for hosts that are folders there. In the folder of a host lies an empty file
whose name has a shape and the addresses of its upstreams, if any: `FOLDER/SERVER/HOST/ORDER,SHAPE,ADDRESS,ADDRESS`. Caddy
matches it by https://caddyserver.com/docs/caddyfile/matchers#file, which takes a host as it is and not as a pattern.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

from attrs import define, evolve, field, frozen

from dockcaddy.caddyjson.document import Document, Json, Route, Server, encoded
from dockcaddy.caddyjson.express_certificates import (
    HOST,
    in_folders,
    is_name,
    is_new_name,
    is_secure,
    with_certificates,
)
from dockcaddy.caddyjson.plain_proxies import COUNTS, PLACES, UPSTREAM, PlainProxy, Shape, plain_proxy
from dockcaddy.incremental import Difference
from dockcaddy.settings import limits

_FILE = "{http.matchers.file.relative}"
_NO_UPSTREAM = {"handler": "error", "error": "no upstreams available", "status_code": 503}
# what the name of a file says of upstreams, as placeholders
_ADDRESSES = {
    "handler": "map",
    "source": _FILE,
    "destinations": [f"{{{UPSTREAM % place}}}" for place in range(PLACES)],
    "mappings": [
        {
            "input_regexp": f"^/[^/]+/[0-9]+,[^,]+{',([^,]+)' * count}$",
            "outputs": [f"${{{place % count + 1}}}" for place in range(PLACES)],
        }
        for count in COUNTS
    ],
}


@frozen
class Place:
    """Where Caddy looks for a host: in a folder of a server's."""

    server: str
    host: str


@frozen
class Answer:
    """How requests to a host are answered: by the handlers of a shape, from these addresses."""

    shape: str
    addresses: tuple[str, ...] = ()


@frozen
class AnswerChanges:
    """The answers that differ between a document and the one that is loaded.

    Those that `ended` have a site in the loaded one only, so they answer as a site without upstreams.
    """

    answers: Mapping[Place, Answer] = field(factory=dict)
    ended: frozenset[Place] = frozenset()


def with_express(document: Document, folder: str) -> Document:
    """The document with routes for the sites that are in `folder`."""
    secure = [
        f"{folder}/{_name(server)}"
        for server in document.servers.values()
        if is_secure(document, server) and _shapes(document, server)
    ]
    made = with_certificates(document, secure) if secure else document
    return made.with_servers(lambda server: _with_route(document, server, folder))


@define
class Loaded:
    """The document that Caddy has loaded, and what it finds in the folder beside that."""

    document: Document
    _servers: dict[str, "_LoadedServer"] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._servers = {name: _LoadedServer.of(self.document, each) for name, each in self.document.servers.items()}
        # now, and not when the first site waits for it
        self.document.found(_names_not_only_hosts)

    def changes(self, wanted: Document, values: Mapping[str, str]) -> AnswerChanges | None:
        """How `wanted` differs, where answers of hosts are all of it; else None. `values` are what placeholders stand for."""
        if self.document.rest != wanted.rest or self.document.servers.keys() != wanted.servers.keys():
            return None
        answers: dict[Place, Answer] = {}
        ended: set[Place] = set()
        wide = wanted.found(_names_not_only_hosts)
        for name, server in self._servers.items():
            found = server.changes(wanted.servers[name], values, wide)
            if found is None:
                return None
            answers.update(found.answers)
            ended |= found.ended
        return AnswerChanges(answers, frozenset(ended))

    def handshake(self, place: Place) -> int:
        """The port at which a handshake has Caddy obtain the certificate of a site; 0 where it needs none."""
        is_new = any(
            each.is_secure and each.name == place.server and place.host not in each.by_host
            for each in self._servers.values()
        )
        return self.document.https_port if is_new else 0


def answers_of(document: Document, places: Iterable[Place], values: Mapping[str, str]) -> dict[Place, Answer | None]:
    """How a document itself answers requests to these places; None where by more than a plain proxy."""
    hosts: dict[str, set[str]] = {}
    for place in places:
        hosts.setdefault(place.server, set()).add(place.host)
    found: dict[Place, Answer | None] = {}
    for server in document.servers.values() if hosts else ():
        name = _name(server)
        for route in server.routes if name in hosts else ():
            for host in hosts[name].intersection(route.hosts):
                found[Place(name, host)] = _answer(route, values)
    return found


@frozen
class _LoadedServer:
    """A server as it is loaded: its name in the folder, its routes by host, and the shapes that it finds there.

    Of a host of several routes, there is None.
    """

    server: Server
    name: str
    by_host: Mapping[str, Route | None]
    shapes: frozenset[str]
    is_secure: bool
    has_certificate: Callable[[str], bool]

    @classmethod
    def of(cls, document: Document, server: Server) -> "_LoadedServer":
        """The server of a document."""
        by_host: dict[str, Route | None] = {}
        for route in server.routes:
            for host in route.hosts:
                by_host[host] = None if host in by_host else route
        shapes = frozenset(each.name for each in _shapes(document, server))
        has_certificate = partial(is_new_name, document)
        return cls(server, _name(server), by_host, shapes, is_secure(document, server), has_certificate)

    def changes(self, wanted: Server, values: Mapping[str, str], wide: Collection[Route]) -> AnswerChanges | None:
        """See Loaded. `wide` are the routes that do not only answer for hosts."""
        changes = _changes(self.server, wanted, wide)
        if changes is None:
            return None
        gone, new = changes
        free = {host for route in gone for host in route.hosts}
        answers: dict[str, Answer] = {}
        for route in new:
            answer = _answer(route, values)
            if answer is None or not all(each not in answers and self._can_answer(each, free) for each in route.hosts):
                return None
            answers.update(dict.fromkeys(route.hosts, answer))
        ended = free.difference(answers)
        for route in gone:
            answer = self._ended(route)
            answers.update((host, answer) for host in route.hosts if host in ended)
        if any(each.shape not in self.shapes for each in answers.values()):
            return None
        places = {Place(self.name, host): answer for host, answer in answers.items()}
        return AnswerChanges(places, frozenset(each for each in places if each.host in ended))

    def _can_answer(self, host: str, free: Collection[str]) -> bool:
        """Whether no other site has this host, and there is or will be a certificate for it."""
        if host in self.by_host:
            return host in free and self.by_host[host] is not None
        return not self.is_secure or self.has_certificate(host)

    def _ended(self, route: Route) -> Answer:
        """The answer of the hosts of a site that is gone. What is no plain proxy has a shape that is not known."""
        site = route.found(plain_proxy)
        is_alone = all(self.by_host[host] is not None for host in route.hosts)
        return Answer(site.shape.name if site is not None and is_alone else "")


def _answer(route: Route, values: Mapping[str, str]) -> Answer | None:
    site: PlainProxy | None = route.found(plain_proxy)
    addresses = site.addresses(values) if site is not None else None
    return None if site is None or addresses is None else Answer(site.shape.name, addresses)


def _name(server: Server) -> str:
    return sha256(encoded(sorted(server.listen))).hexdigest()[:16]


def _shapes(document: Document, server: Server) -> Sequence[Shape]:
    """The shapes of sites that the server finds in the folder: of those that it has, the most frequent ones."""
    if _has_patterns(server) or not (_is_plain_http(document, server) or is_secure(document, server)):
        return ()
    found = (route.found(plain_proxy) for route in server.routes)
    # bytes have their hash at hand
    counts = Counter(each.shape.handlers for each in found if each is not None)
    ranked = sorted(map(Shape, counts), key=lambda shape: (-counts[shape.handlers], shape.name))
    return ranked[: limits.MAX_EXPRESS_SHAPES]


def _is_plain_http(document: Document, server: Server) -> bool:
    """Whether a site can be added to it without a certificate."""
    skipped = set(server.automatic_https.get("skip") or ())
    is_off = bool(server.automatic_https.get("disable")) or skipped.issuperset(server.hosts)
    return server.ports == {str(document.http_port)} or (is_off and "tls_connection_policies" not in server.settings)


def _has_patterns(server: Server) -> bool:
    """Whether a site of it answers for names that it does not list: in capitals, a new site would be one of these."""
    return any("*" in host or "{" in host for host in server.hosts)


def _with_route(document: Document, server: Server, folder: str) -> Server:
    shapes = _shapes(document, server)
    if not shapes:
        return server
    chosen = {"handler": "subroute", "routes": [_for_shape(each) for each in shapes]}
    found = {"match": in_folders([f"{folder}/{_name(server)}"], HOST), "handle": [_ADDRESSES, chosen]}
    express = Route({"match": [is_name(HOST)], "handle": [{"handler": "subroute", "routes": [found]}]})
    return evolve(server, routes=(express, *server.routes))


def _for_shape(shape: Shape) -> Json:
    """The route of the hosts of one shape."""
    matches = [{"vars_regexp": {_FILE: {"pattern": f"^/[^/]+/[0-9]+,{shape.name}(?:,|$)"}}}]
    # what a proxy without upstreams answers
    none = {"match": [{"vars_regexp": {_FILE: {"pattern": "^/[^/]+/[0-9]+,[^,]+$"}}}], "handle": [_NO_UPSTREAM]}
    handle = [{"handler": "subroute", "routes": [none]}, *shape.decoded]
    return {"match": matches, "handle": handle, "terminal": True}


def _changes(
    loaded: Server, wanted: Server, wide: Collection[Route]
) -> tuple[Collection[Route], Collection[Route]] | None:
    """The routes that only one of two servers has; None where anything else differs, or their order.

    Behind one of the `wide` ones, nothing may be new.
    """
    is_same = _without_skipped(loaded.settings) == _without_skipped(wanted.settings)
    if not is_same or loaded.named.keys() != wanted.named.keys():
        return None
    if not _are_same((*loaded.errors, *loaded.named.values()), (*wanted.errors, *wanted.named.values())):
        return None
    difference = Difference.of(loaded.routes, wanted.routes)
    texts = {each.encoded for each in difference.gone} & {each.encoded for each in difference.new}
    gone, new = (
        dict.fromkeys(each for each in some if each.encoded not in texts) for some in (difference.gone, difference.new)
    )
    # everything else is at the same place in both
    stay = [each for hunk in difference.hunks for each in hunk.old if each not in gone]
    stays = [each for hunk in difference.hunks for each in hunk.new if each not in new]
    first = min((wanted.routes.index(each) for each in wide if each in wanted.routes), default=None)
    if not _are_same(stay, stays) or (first is not None and not new.keys().isdisjoint(wanted.routes[first:])):
        return None
    return gone, new


def _without_skipped(settings: Json) -> Mapping[str, Any]:
    """The settings of a server without the hosts that have no automatic HTTPS."""
    automatic = settings.get("automatic_https")
    return {**settings, "automatic_https": {**automatic, "skip": ()}} if automatic else settings


def _are_same(old: Sequence[Route], new: Sequence[Route]) -> bool:
    pairs = zip(old, new, strict=False)
    return len(old) == len(new) and all(one is other or one.encoded == other.encoded for one, other in pairs)


def _names_not_only_hosts(route: Route) -> bool:
    return not route.is_for_hosts or any("*" in host or "{" in host for host in route.hosts)

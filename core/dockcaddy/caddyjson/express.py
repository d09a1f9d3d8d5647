"""New plain sites without another configuration: Caddy finds them in a folder, at each request. Pure.

Behind the routes of all sites with a host, each server has a route for hosts that are folders there. In the folder of a
host lies an empty file whose name has the addresses of its upstreams, if any: `FOLDER/SERVER/SHAPE/HOST/ORDER,ADDRESS,ADDRESS`.
Caddy matches it by https://caddyserver.com/docs/caddyfile/matchers#file, which takes a host as it is and not as a pattern.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

from attrs import define, evolve, field, frozen

from dockcaddy.caddyjson.document import Document, Json, Route, Server, encoded
from dockcaddy.caddyjson.express_certificates import (
    HOST_PATTERN,
    http_port,
    is_new_name,
    is_secure,
    with_certificates,
)
from dockcaddy.caddyjson.plain_proxies import COUNTS, PLACES, UPSTREAM, PlainProxy, Shape, plain_proxy
from dockcaddy.settings import limits

_HOST = "{http.request.host}"
_FILE = "{http.matchers.file.relative}"
_NO_UPSTREAM = {"handler": "error", "error": "no upstreams available", "status_code": 503}


@frozen
class Place:
    """Where Caddy looks for the addresses of a host: in the folder of a shape of a server."""

    server: str
    shape: str
    host: str


Sites = Mapping[Place, tuple[str, ...]]


def with_express(document: Document, folder: str) -> Document:
    """The document with routes for the sites that are in `folder`."""
    secure = [
        _folder(folder, server, shape)
        for server in document.servers.values()
        if is_secure(document, server)
        for shape in _shapes(document, server)
    ]
    made = with_certificates(document, secure) if secure else document
    return made.with_servers(lambda server: _with_route(document, server, folder))


@define
class Loaded:
    """The document that Caddy has loaded, and which sites it finds in the folder."""

    document: Document
    _servers: dict[str, "_LoadedServer"] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._servers = {name: _LoadedServer.of(self.document, each) for name, each in self.document.servers.items()}

    def new_sites(self, wanted: Document, values: Mapping[str, str]) -> Sites | None:
        """The addresses of the sites that `wanted` has beyond it, by place; None where anything else differs.

        `values` are what placeholders stand for.
        """
        if self.document.rest != wanted.rest or self.document.servers.keys() != wanted.servers.keys():
            return None
        sites: dict[Place, tuple[str, ...]] = {}
        for name, server in self._servers.items():
            new = _new_routes(server.server, wanted.servers[name])
            for route in new or ():
                found = server.site(route, values)
                if not found:
                    return None
                sites.update(found)
            if new is None:
                return None
        return sites

    def handshake(self, place: Place) -> int:
        """The port at which a handshake has Caddy obtain the certificate of a site; 0 where it needs none."""
        is_secure = any(each.is_secure and each.name == place.server for each in self._servers.values())
        return int(self.document.app("http").get("https_port") or 443) if is_secure else 0

    def has(self, place: Place) -> bool:
        """Whether it has a site in this place itself: no request gets as far as the folder."""
        return any(each.name == place.server and place.host in each.hosts for each in self._servers.values())


def has_site(document: Document, place: Place) -> bool:
    """Whether a document has a site in this place itself."""
    servers = (each for each in document.servers.values() if _name(each) == place.server)
    return any(place.host in route.hosts for each in servers for route in each.routes)


@frozen
class _LoadedServer:
    """A server as it is loaded: its name in the folder, its hosts, and the shapes of sites that it finds there."""

    server: Server
    name: str
    hosts: frozenset[str]
    shapes: frozenset[Shape]
    is_secure: bool
    has_certificate: Callable[[str], bool]

    @classmethod
    def of(cls, document: Document, server: Server) -> "_LoadedServer":
        """The server of a document."""
        shapes = frozenset(_shapes(document, server))
        has_certificate = partial(is_new_name, document)
        return cls(server, _name(server), frozenset(server.hosts), shapes, is_secure(document, server), has_certificate)

    def site(self, route: Route, values: Mapping[str, str]) -> Sites:
        """The addresses of a route that the server does not have, by place; none where Caddy would not find it."""
        site: PlainProxy | None = route.found(plain_proxy)
        if site is None or site.shape not in self.shapes or not self.hosts.isdisjoint(site.hosts):
            return {}
        if self.is_secure and not all(map(self.has_certificate, site.hosts)):
            return {}
        addresses = site.addresses(values)
        if addresses is None:
            return {}
        return {Place(self.name, site.shape.name, host): addresses for host in site.hosts}


def _name(server: Server) -> str:
    return sha256(encoded(sorted(server.settings.get("listen") or ()))).hexdigest()[:16]


def _folder(folder: str, server: Server, shape: Shape) -> str:
    return f"{folder}/{_name(server)}/{shape.name}"


def _shapes(document: Document, server: Server) -> Sequence[Shape]:
    """The shapes of sites that the server finds in the folder: of those that it has, the most frequent ones."""
    if _has_patterns(server) or not (_is_plain_http(document, server) or is_secure(document, server)):
        return ()
    found = (route.found(plain_proxy) for route in server.routes)
    counts = Counter(each.shape for each in found if each is not None)
    return sorted(counts, key=lambda shape: (-counts[shape], shape.name))[: limits.MAX_EXPRESS_SHAPES]


def _is_plain_http(document: Document, server: Server) -> bool:
    """Whether a site can be added to it without a certificate."""
    automatic = server.settings.get("automatic_https") or {}
    skipped = set(automatic.get("skip") or ())
    is_off = bool(automatic.get("disable")) or skipped.issuperset(server.hosts)
    return server.ports == {str(http_port(document))} or (is_off and "tls_connection_policies" not in server.settings)


def _has_patterns(server: Server) -> bool:
    """Whether a site of it answers for names that it does not list: in capitals, a new site would be one of these."""
    return any("*" in host or "{" in host for host in server.hosts)


def _with_route(document: Document, server: Server, folder: str) -> Server:
    shapes = _shapes(document, server)
    if not shapes:
        return server
    routes = [_for_shape(each, _folder(folder, server, each)) for each in shapes]
    # neither a path nor another name of a folder
    match = {"vars_regexp": {_HOST: {"pattern": HOST_PATTERN}}}
    express = Route({"match": [match], "handle": [{"handler": "subroute", "routes": routes}]})
    place = _first_without_hosts(server.routes)
    return evolve(server, routes=(*server.routes[:place], express, *server.routes[place:]))


def _for_shape(shape: Shape, folder: str) -> Json:
    """The route of the hosts of one shape."""
    chosen = {
        "handler": "map",
        "source": _FILE,
        "destinations": [f"{{{UPSTREAM % place}}}" for place in range(PLACES)],
        "mappings": [
            {
                "input_regexp": f"^/[^/]+/[0-9]+{',([^,]+)' * count}$",
                "outputs": [f"${{{place % count + 1}}}" for place in range(PLACES)],
            }
            for count in COUNTS
        ],
    }
    # what a proxy without upstreams answers
    none = {"match": [{"vars_regexp": {_FILE: {"pattern": "^/[^/]+/[0-9]+$"}}}], "handle": [_NO_UPSTREAM]}
    files = {"file": {"root": folder, "try_files": [f"/{_HOST}/*"]}}
    handle = [chosen, {"handler": "subroute", "routes": [none]}, *shape.decoded]
    return {"match": [files], "handle": handle, "terminal": True}


def _new_routes(loaded: Server, wanted: Server) -> Sequence[Route] | None:
    """The routes that one server has beyond another one; None where they differ in anything else."""
    is_same = _without_skipped(loaded.settings) == _without_skipped(wanted.settings)
    if not is_same or loaded.named.keys() != wanted.named.keys():
        return None
    if not _are_same((*loaded.errors, *loaded.named.values()), (*wanted.errors, *wanted.named.values())):
        return None
    waiting = iter(wanted.routes[: _first_without_hosts(wanted.routes)])
    first = _first_without_hosts(loaded.routes)
    new: list[Route] = []
    for old in loaded.routes[:first]:
        for route in waiting:
            if _is_same(route, old):
                break
            new.append(route)
        else:
            return None
    new += waiting
    others = wanted.routes[first + len(new) :]
    return new if _are_same(loaded.routes[first:], others) else None


def _without_skipped(settings: Json) -> Mapping[str, Any]:
    """The settings of a server without the hosts that have no automatic HTTPS."""
    automatic = settings.get("automatic_https")
    return {**settings, "automatic_https": {**automatic, "skip": ()}} if automatic else settings


def _are_same(old: Sequence[Route], new: Sequence[Route]) -> bool:
    return len(old) == len(new) and all(map(_is_same, old, new))


def _is_same(one: Route, other: Route) -> bool:
    return one is other or one.encoded == other.encoded


def _first_without_hosts(routes: Sequence[Route]) -> int:
    """The place of the first route that does not only answer for hosts."""
    return next((place for place, route in enumerate(routes) if not route.found(_names_hosts)), len(routes))


def _names_hosts(route: Route) -> bool:
    matches: Iterable[Json] = route.value.get("match") or ({},)
    return all(each.get("host") for each in matches) and not any("*" in host or "{" in host for host in route.hosts)

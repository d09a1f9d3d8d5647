"""Caddy's JSON as one document: servers, their routes, and everything else as Caddy wrote it. Pure.

The parts that no transform reads are carried along unchanged (https://caddyserver.com/docs/json/). A route is searched and
encoded once, however many documents it is part of, so that a document of ten thousand sites costs what changed in it.
"""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, chain, compress
from math import nan
from operator import attrgetter, is_
from typing import Any, TypeVar

from attrs import define, evolve, field, frozen

from dockcaddy.incremental import Each

Json = Mapping[str, Any]
Found = TypeVar("Found")

# a second, as Caddy's JSON counts durations
NANOSECONDS = 1_000_000_000
_HOSTS = attrgetter("hosts")
# json.dumps makes one for each call, which takes as long as to encode a route
_ENCODER = json.JSONEncoder(separators=(",", ":"))
_PROXY = "reverse_proxy"
# the JSON around the handlers of a site, as Caddy has it
_SUBROUTE = b'[{"handler":"subroute","routes":[{"handle":', b"}]}]"
# what is searched for, of which the results are kept
_SEARCHES = 16


@define(eq=False)
class Route:
    """A route of a server, which nobody changes: a site, or what answers for all sites.

    Two routes are the same only if they are one object.
    """

    _value: Json | None
    # its JSON without the subroute around its handlers, and where they begin and end in that, counted from either end
    _flat: bytes = field(default=b"", init=False, repr=False)
    _begins: int = field(default=0, init=False, repr=False)
    _ends: int = field(default=0, init=False, repr=False)
    _hosts: tuple[str, ...] | None = field(default=None, init=False, repr=False)
    _is_for_hosts: bool = field(default=False, init=False, repr=False)
    _found: dict[Callable[["Route"], Any], Any] | None = field(default=None, init=False, repr=False)

    @property
    def value(self) -> Json:
        """It as decoded JSON: decoded each time, once it has been encoded."""
        kept = self._value
        if kept is None:
            kept = json.loads(self.encoded)
        return kept

    @property
    def encoded(self) -> bytes:
        """Its JSON. From now on only this is kept: decoded routes take ten times the memory."""
        flat = self.flat
        if not self._begins:
            return flat
        begins, ends = self._begins, len(flat) - self._ends
        return b"%b%b%b%b%b" % (flat[:begins], _SUBROUTE[0], flat[begins:ends], _SUBROUTE[1], flat[ends:])

    @property
    def flat(self) -> bytes:
        """Its JSON without the subroute that Caddy has around the handlers of a site, where that says no more than these do."""
        if not self._flat:
            value = self.value
            handlers = _within_subroute(value)
            if handlers is None:
                self._flat = encoded(value)
            else:
                # nothing else in it is a number that is none
                before, name, after = encoded({**value, "handle": nan}).partition(b'"handle":NaN')
                before += name.removesuffix(b"NaN")
                self._begins, self._ends = len(before), len(after)
                self._flat = b"%b%b%b" % (before, encoded(handlers), after)
            self._value = None
        return self._flat

    def found(self, find: Callable[["Route"], Found]) -> Found:
        """What `find` finds in it. The same `find` is called once for a route, whatever documents that is part of."""
        if self._found is None:
            self._found = {}
        if find not in self._found:
            self._found[find] = find(self)
        answer: Found = self._found[find]
        return answer

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts and host patterns that its matchers name, in their order, each once."""
        if self._hosts is None:
            by_match = [match.get("host") or () for match in self.value.get("match") or ()]
            self._hosts = tuple(dict.fromkeys(map(sys.intern, chain.from_iterable(by_match))))
            self._is_for_hosts = bool(by_match) and all(by_match)
        return self._hosts

    @property
    def is_for_hosts(self) -> bool:
        """Whether it answers requests to its hosts only: each of its matchers names some."""
        return bool(self.hosts) and self._is_for_hosts

    def has(self, words: Iterable[bytes]) -> bool:
        """Whether one of these is anywhere in its JSON. That takes a tenth of the time to decode it, which most need not be.

        In JSON, each quote within a text has a backslash in front: `"group":` is a key, or at the end of a text.
        """
        text = self.flat
        return any(word in text for word in words)

    @property
    def handlers(self) -> tuple[Json, ...]:
        """Every handler in it, however deep."""
        return tuple(each for each in objects_in(self.value) if "handler" in each)

    @property
    def proxies(self) -> tuple[Json, ...]:
        """The handlers in it that proxy requests."""
        return tuple(each for each in self.handlers if each["handler"] == _PROXY)

    def with_matches(self, change: Callable[[Json], Json]) -> "Route":
        """This route with each of its matchers changed, an empty one where it has none; the same route where none changes."""
        matches: Sequence[Json] = self.value.get("match") or [{}]
        changed = [change(each) for each in matches]
        return self if are_same(changed, matches) else self.replaced({**self.value, "match": changed})

    def with_proxies(self, change: Callable[[Json], Json]) -> "Route":
        """This route with its proxies changed; the same route where none changes.

        `change` gives the same proxy where it changes nothing.
        """
        is_same = True

        def changed(part: Json) -> Json:
            nonlocal is_same
            if part.get("handler") != _PROXY:
                return part
            made = change(part)
            is_same = is_same and made is part
            return made

        value = json.loads(self.encoded, object_hook=changed)
        return self if is_same else self.replaced(value)

    def replaced(self, value: Json) -> "Route":
        """The route that this one became. Both are kept as JSON from now on."""
        self.kept_as_json()
        return Route(value).kept_as_json()

    def kept_as_json(self) -> "Route":
        """This route, which knows its hosts and is kept as JSON from now on."""
        _ = self.hosts, self.flat
        return self


@frozen(eq=False)
class Server:
    """A server: `settings` are all its fields but its routes.

    `errors` are the routes of its error pages, `named` those that handlers invoke by name.
    """

    settings: Json
    routes: tuple[Route, ...] = ()
    errors: tuple[Route, ...] = ()
    named: Mapping[str, Route] = field(factory=dict)

    @property
    def hosts(self) -> Iterator[str]:
        """The hosts of its routes; a host that several routes name comes several times."""
        return chain.from_iterable(map(_HOSTS, self.routes))

    @property
    def listen(self) -> Sequence[str]:
        """The addresses that it listens at."""
        return self.settings.get("listen") or ()

    @property
    def ports(self) -> frozenset[str]:
        """The ports of its listeners."""
        return frozenset(address.rpartition(":")[2] for address in self.listen)

    @property
    def automatic_https(self) -> Json:
        """Its settings of automatic HTTPS."""
        return self.settings.get("automatic_https") or {}

    @property
    def connection_policies(self) -> Sequence[Json]:
        """Its policies for TLS connections."""
        return self.settings.get("tls_connection_policies") or ()

    @property
    def every_route(self) -> tuple[Route, ...]:
        """Its routes, those of its error pages, and the named ones."""
        return (*self.routes, *self.errors, *self.named.values()) if self.errors or self.named else self.routes

    def with_routes(self, changed: tuple[Route, ...]) -> "Server":
        """This server with others in place of every route; the same server where they are the same."""
        if changed == self.every_route:
            return self
        first, last = len(self.routes), len(self.routes) + len(self.errors)
        named = dict(zip(self.named, changed[last:], strict=True))
        return evolve(self, routes=changed[:first], errors=changed[first:last], named=named)

    def listens_at(self, port: int) -> bool:
        """Whether one of its listeners has this port."""
        return str(port) in self.ports


@define(eq=False)
class Searches:
    """What was found in the routes of the last document that was searched, for all that are made from one another."""

    _known: dict[Callable[[Route], Any], Each[Route, Any]] = field(factory=dict)

    def found(self, find: Callable[[Route], Found], routes: tuple[Route, ...]) -> Mapping[Route, Found]:
        """The routes in which `find` finds something. Only those that the last document did not have are searched."""
        search = self._known.setdefault(find, Each(find))
        if len(self._known) > _SEARCHES:
            del self._known[next(iter(self._known))]
        found = search.of(routes)
        return dict(compress(zip(routes, found, strict=True), found)) if any(found) else {}


@frozen(eq=False)
class Document:
    """A whole configuration. `rest` is all of it but the servers of the app `http`, which are in `servers` by name.

    `searches` are those of the documents that it was made from, or came after.
    """

    rest: Json = field(factory=dict)
    servers: Mapping[str, Server] = field(factory=dict)
    searches: Searches = field(factory=Searches, repr=False)

    @classmethod
    def decode(cls, config: bytes) -> "Document":
        """The document of Caddy's JSON."""
        decoded = json.loads(config) if config.strip() else None
        rest: dict[str, Any] = decoded or {}
        http = (rest.get("apps") or {}).get("http") or {}
        servers = {name: _server(each or {}) for name, each in (http.pop("servers", None) or {}).items()}
        return cls(rest, servers)

    def encode(self) -> bytes:
        """Its JSON; equal documents give equal bytes."""
        if not self.servers:
            return encoded(self.rest)
        apps = self.rest.get("apps") or {}
        http = apps.get("http") or {}
        servers = _object((name, _encoded_server(each)) for name, each in self.servers.items())
        app = _object((*((key, encoded(value)) for key, value in http.items()), ("servers", servers)))
        every = _object((name, app if name == "http" else encoded(each)) for name, each in {**apps, "http": 0}.items())
        return _object(
            (key, every if key == "apps" else encoded(value)) for key, value in {**self.rest, "apps": 0}.items()
        )

    def app(self, name: str) -> Json:
        """The settings of an app; none where it is not there. Those of `http` are without its servers."""
        found: Json = (self.rest.get("apps") or {}).get(name) or {}
        return found

    @property
    def http_port(self) -> int:
        """The port of plain HTTP."""
        return self.app("http").get("http_port") or 80

    @property
    def https_port(self) -> int:
        """The port of HTTPS."""
        return self.app("http").get("https_port") or 443

    def with_app(self, name: str, settings: Json) -> "Document":
        """This document with other settings of an app."""
        return evolve(self, rest={**self.rest, "apps": {**(self.rest.get("apps") or {}), name: settings}})

    def found(self, find: Callable[[Route], Found]) -> Mapping[Route, Found]:
        """The routes in which `find` finds something, in any order: what it gives is true.

        The same `find` is called once for a route that is in one document after another.
        """
        return self.searches.found(find, self.every_route)

    @property
    def routes(self) -> Iterator[Route]:
        """The routes of all servers."""
        return (route for server in self.servers.values() for route in server.routes)

    @cached_property
    def every_route(self) -> tuple[Route, ...]:
        """The routes of all servers, those of error pages and the named ones included."""
        servers = [server.every_route for server in self.servers.values()]
        return servers[0] if len(servers) == 1 else tuple(chain.from_iterable(servers))

    def with_routes(self, changed: tuple[Route, ...]) -> "Document":
        """This document with others in place of every route; the same document where they are the same."""
        ends = accumulate(len(server.every_route) for server in self.servers.values())
        by_server = {
            name: changed[end - len(server.every_route) : end]
            for (name, server), end in zip(self.servers.items(), ends, strict=True)
        }
        servers = {name: server.with_routes(by_server[name]) for name, server in self.servers.items()}
        return self if are_same(servers.values(), self.servers.values()) else evolve(self, servers=servers)

    def with_servers(self, change: Callable[[Server], Server]) -> "Document":
        """This document with each server changed; the same document where none changes."""
        changed = {name: change(server) for name, server in self.servers.items()}
        return self if are_same(changed.values(), self.servers.values()) else evolve(self, servers=changed)


def are_same(changed: Collection[object], before: Collection[object]) -> bool:
    """Whether these are the same objects in the same order."""
    return all(map(is_, changed, before))


def without_hosts(match: Json, hosts: Iterable[str]) -> Json:
    """A matcher that does not match these hosts."""
    return {**match, "not": [*(match.get("not") or ()), {"host": sorted(hosts)}]}


def objects_in(part: Any) -> Iterator[Any]:
    """Every object within a decoded part of a configuration, the outer ones first."""
    waiting = [part]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += reversed(node)
        elif isinstance(node, dict):
            yield node
            waiting += reversed(node.values())


def _within_subroute(route: Json) -> Any:
    """The handlers in the only subroute of a decoded route; None where it has another one, or says more."""
    handlers: Sequence[Json] = route.get("handle") or ()
    if len(handlers) != 1 or list(handlers[0]) != ["handler", "routes"] or handlers[0]["handler"] != "subroute":
        return None
    within: Sequence[Json] = handlers[0]["routes"] or ()
    return within[0]["handle"] if len(within) == 1 and list(within[0]) == ["handle"] else None


def _server(decoded: Json) -> Server:
    settings = dict(decoded)
    routes = settings.pop("routes", None) or ()
    errors = (settings.pop("errors", None) or {}).get("routes") or ()
    named = settings.pop("named_routes", None) or {}
    return Server(settings, _routes(routes), _routes(errors), {name: Route(each) for name, each in named.items()})


def _routes(decoded: Iterable[Json]) -> tuple[Route, ...]:
    return tuple(Route(each) for each in decoded)


def _encoded_server(server: Server) -> bytes:
    fields = [(key, encoded(value)) for key, value in server.settings.items()]
    if server.routes:
        fields.append(("routes", _list(server.routes)))
    if server.errors:
        fields.append(("errors", _object([("routes", _list(server.errors))])))
    if server.named:
        fields.append(("named_routes", _object((name, each.encoded) for name, each in server.named.items())))
    return _object(fields)


def _list(routes: Iterable[Route]) -> bytes:
    return b"[%b]" % b",".join([route.encoded for route in routes])


def _object(fields: Iterable[tuple[str, bytes]]) -> bytes:
    return b"{%b}" % b",".join([b"%b:%b" % (encoded(key), value) for key, value in fields])


def encoded(value: Any) -> bytes:
    """The JSON of a decoded value."""
    return _ENCODER.encode(value).encode()

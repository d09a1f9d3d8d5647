"""Caddy's JSON as one document: servers, their routes, and everything else as Caddy wrote it. Pure.

The parts that no transform reads are carried along unchanged (https://caddyserver.com/docs/json/). A route is decoded and
encoded once, however many documents it is part of, so that a document of ten thousand sites costs what changed in it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from attrs import Factory, define, evolve, field, frozen

Json = Mapping[str, Any]


@frozen(eq=False)
class Route:
    """A route of a server as decoded JSON, which nobody changes: a site, or what answers for all sites.

    Two routes are the same only if they are one object.
    """

    value: Json

    @cached_property
    def encoded(self) -> bytes:
        """Its JSON."""
        return encoded(self.value)

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """The hosts and host patterns that its matchers name, in their order, each once."""
        named = (host for match in self.value.get("match") or () for host in match.get("host") or ())
        return tuple(dict.fromkeys(named))

    @cached_property
    def handlers(self) -> tuple[Json, ...]:
        """Every handler in it, however deep."""
        return tuple(handlers_in(self.value))

    @cached_property
    def modules(self) -> frozenset[str]:
        """The names of the handlers in it."""
        return frozenset(str(each["handler"]) for each in self.handlers)


@frozen(eq=False)
class Server:
    """A server: `settings` are all its fields but its routes. Its error pages are among them."""

    settings: Json
    routes: tuple[Route, ...] = ()

    @property
    def hosts(self) -> Iterator[str]:
        """The hosts of its routes; a host that several routes name comes several times."""
        return (host for route in self.routes for host in route.hosts)

    @property
    def ports(self) -> frozenset[str]:
        """The ports of its listeners."""
        return frozenset(str(address).rpartition(":")[2] for address in self.settings.get("listen") or ())


@frozen(eq=False)
class Document:
    """A whole configuration. `rest` is all of it but the servers of the app `http`, which are in `servers` by name."""

    rest: Json = field(factory=dict)
    servers: Mapping[str, Server] = field(factory=dict)

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

    def with_app(self, name: str, settings: Json) -> "Document":
        """This document with other settings of an app."""
        return evolve(self, rest={**self.rest, "apps": {**(self.rest.get("apps") or {}), name: settings}})

    @property
    def routes(self) -> Iterator[Route]:
        """The routes of all servers."""
        return (route for server in self.servers.values() for route in server.routes)

    def with_servers(self, change: Callable[[Server], Server]) -> "Document":
        """This document with each server changed; the same document where none changes."""
        changed = {name: change(server) for name, server in self.servers.items()}
        is_same = all(changed[name] is server for name, server in self.servers.items())
        return self if is_same else evolve(self, servers=changed)


@define(eq=False)
class RouteChange:
    """A change of each route by itself. It remembers what it made: a route that stays costs nothing in the next document."""

    change: Callable[[Route], Route]
    # None stands for the route itself, which would live for ever as a value
    _made: "WeakKeyDictionary[Route, Route | None]" = field(default=Factory(WeakKeyDictionary))

    def applied(self, document: Document) -> Document:
        """The document with all its routes changed; the same document where none changes."""
        return document.with_servers(self._server)

    def _server(self, server: Server) -> Server:
        routes = tuple([self._route(each) for each in server.routes])
        is_same = all(new is old for new, old in zip(routes, server.routes, strict=True))
        return server if is_same else evolve(server, routes=routes)

    def _route(self, route: Route) -> Route:
        if route not in self._made:
            made = self.change(route)
            self._made[route] = None if made is route else made
        return self._made[route] or route


def handlers_in(part: Any) -> Iterator[Json]:
    """Every handler within a decoded part of a configuration, the outer ones first."""
    waiting = [part]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += reversed(node)
        elif isinstance(node, dict):
            if "handler" in node:
                yield node
            waiting += reversed(node.values())


def _server(decoded: Json) -> Server:
    settings = {key: value for key, value in decoded.items() if key != "routes"}
    return Server(settings, tuple(Route(each) for each in decoded.get("routes") or ()))


def _encoded_server(server: Server) -> bytes:
    fields = ((key, encoded(value)) for key, value in server.settings.items())
    if not server.routes:
        return _object(fields)
    return _object((*fields, ("routes", b"[%b]" % b",".join([route.encoded for route in server.routes]))))


def _object(fields: Iterable[tuple[str, bytes]]) -> bytes:
    return b"{%b}" % b",".join([b"%b:%b" % (encoded(key), value) for key, value in fields])


def encoded(value: Any) -> bytes:
    """The JSON of a decoded value."""
    return json.dumps(value, separators=(",", ":")).encode()

"""A configuration that answers where it would send a request, and sends it nowhere. Pure.

Caddy itself decides, with its own matchers and its own order: every route and every handler adds a mark to the response.
Handlers that touch something outside of Caddy are replaced: those that answer by an empty response, all others by nothing.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from dockcaddy.caddyfile import is_host_of
from dockcaddy.caddyjson.document import objects_in
from dockcaddy.caddyjson.handlers import ANSWERING

Json = dict[str, Any]

MARK = "Dockcaddy-Mark"
UPSTREAM = "Dockcaddy-Upstream"
REQUEST = "Dockcaddy-Request"
ROOT = "Dockcaddy-Root"
# they change nothing outside of the request
_KEPT = frozenset(
    (
        "subroute",
        "invoke",
        "vars",
        "map",
        "headers",
        "rewrite",
        "static_response",
        "error",
        "log_append",
        "copy_response",
    )
)
# they have no mark of their own: what is in them has
_AROUND = frozenset(("subroute", "invoke"))
# matchers and conditions whose result may be another one elsewhere: they depend on files, or on who asks
_UNSURE = ("client_authentication", "file", "client_ip", "remote_ip")


@frozen
class Mark:
    """What adds a mark: a route with matchers (`handler` is empty), or a handler.

    `hosts` are those of the site around it. With `is_asked`, a proxy only asks whether a request may go on.
    """

    hosts: tuple[str, ...]
    match: Sequence[Any] = ()
    handler: str = ""
    upstreams: tuple[str, ...] = ()
    is_asked: bool = False
    value: Mapping[str, Any] = field(factory=dict)


@frozen
class Traced:
    """The configuration to run. `ports` are the ports of its listeners by server and port of the original.

    `unsure` are matchers and conditions for the host whose result may be another one elsewhere.
    """

    config: Json
    marks: tuple[Mark, ...]
    unsure: frozenset[str]


def servers_at(config: Mapping[str, Any], port: int) -> list[str]:
    """The names of the servers that listen on a port."""
    servers = ((config.get("apps") or {}).get("http") or {}).get("servers") or {}
    return [name for name, each in servers.items() if any(_port(listen) == port for listen in each.get("listen") or ())]


def ports_of(config: Mapping[str, Any]) -> frozenset[int]:
    """The ports of all servers, and those of the app."""
    http = (config.get("apps") or {}).get("http") or {}
    listed = {_port(listen) for each in (http.get("servers") or {}).values() for listen in each.get("listen") or ()}
    return frozenset({*listed, int(http.get("http_port") or 80), int(http.get("https_port") or 443)} - {0})


def _port(listen: str) -> int:
    text = str(listen).rpartition(":")[2]
    return int(text) if text.isdecimal() else 0


def traced(config: Mapping[str, Any], ports: Mapping[int, int], certificate: str, key: str, host: str) -> Traced:
    """The configuration that tells the way of a request to a host, on loopback at `ports` (by the original ones), with this certificate."""
    http: Json = copy.deepcopy((config.get("apps") or {}).get("http") or {})
    marker = _Marker()
    unsure: set[str] = set()
    taken: set[int] = set()
    servers: Json = {}
    for name, server in (http.get("servers") or {}).items():
        here = {port for listen in server.get("listen") or () if (port := _port(listen)) in ports} - taken
        taken |= here
        if here:
            servers[name] = _server(server, [f"127.0.0.1:{ports[port]}" for port in sorted(here)], marker)
            unsure |= {kind for each in objects_in(_part_of(host, server)) for kind in _UNSURE if kind in each}
    app = {
        "http_port": ports[int(http.get("http_port") or 80)],
        "https_port": ports[int(http.get("https_port") or 443)],
        "servers": servers,
    }
    tls = {"certificates": {"load_pem": [{"certificate": certificate, "key": key}]}}
    made: Json = {
        "admin": {"disabled": True, "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "INFO"}}},
        "apps": {"http": app, "tls": tls},
    }
    return Traced(made, tuple(marker.marks), frozenset(unsure))


def _part_of(host: str, server: Mapping[str, Any]) -> Json:
    """The server without the routes of other hosts."""
    errors = server.get("errors") or {}
    return {
        **server,
        "routes": [each for each in server.get("routes") or () if _may_match(each, host)],
        "errors": {**errors, "routes": [each for each in errors.get("routes") or () if _may_match(each, host)]},
    }


def _may_match(route: Mapping[str, Any], host: str) -> bool:
    patterns = [each.get("host") for each in route.get("match") or [{}]]
    return any(each is None or any("{" in one or is_host_of(host, one.lower()) for one in each) for each in patterns)


def _server(server: Mapping[str, Any], listen: Sequence[str], marker: "_Marker") -> Json:
    kept = {key: server[key] for key in ("automatic_https", "trusted_proxies", "client_ip_headers") if key in server}
    kept["automatic_https"] = {**(kept.get("automatic_https") or {}), "disable_certificates": True}
    if "tls_connection_policies" in server:
        kept["tls_connection_policies"] = [{}]
    errors = (server.get("errors") or {}).get("routes") or []
    named = {name: marker.route(each, ()) for name, each in (server.get("named_routes") or {}).items()}
    return {
        **kept,
        "listen": list(listen),
        "protocols": ["h1"],
        "routes": marker.routes(server.get("routes") or [], ()),
        **({"errors": {"routes": marker.routes(errors, ())}} if errors else {}),
        **({"named_routes": named} if named else {}),
    }


@define
class _Marker:
    """Adds marks to routes and handlers."""

    marks: list[Mark] = field(factory=list)

    def routes(self, routes: Sequence[Any], hosts: tuple[str, ...]) -> list[Json]:
        return [self.route(each, hosts) for each in routes]

    def route(self, route: Mapping[str, Any], hosts: tuple[str, ...]) -> Json:
        match = route.get("match") or ()
        named = tuple(dict.fromkeys(host for each in match for host in each.get("host") or ()))
        hosts = named or hosts
        handlers = [self._mark(Mark(hosts, match))]
        for handler in route.get("handle") or ():
            handlers += self._handlers(handler, hosts)
        return {**route, "handle": handlers}

    def _handlers(self, handler: Mapping[str, Any], hosts: tuple[str, ...]) -> Iterator[Json]:
        name = str(handler.get("handler"))
        upstreams = tuple(str(each.get("dial") or "") for each in handler.get("upstreams") or ())
        going_on = _accepting(handler) if name == "reverse_proxy" else None
        if name not in _AROUND:
            is_asked = going_on is not None
            yield self._mark(Mark(hosts, (), name, upstreams, is_asked, handler))
        if name == "subroute":
            errors = (handler.get("errors") or {}).get("routes") or []
            made = {**handler, "routes": self.routes(handler.get("routes") or [], hosts)}
            yield {**made, "errors": {"routes": self.routes(errors, hosts)}} if errors else made
        elif going_on is not None:
            yield {"handler": "subroute", "routes": self.routes(going_on, hosts)}
        elif name in _KEPT:
            yield dict(handler)
        elif name in ANSWERING:
            yield {"handler": "static_response", "headers": _facts(upstreams)}

    def _mark(self, mark: Mark) -> Json:
        self.marks.append(mark)
        return {"handler": "headers", "response": {"add": {MARK: [str(len(self.marks) - 1)]}}}


def _accepting(handler: Mapping[str, Any]) -> list[Any] | None:
    """What a proxy does where its upstream answers with a success, None where it copies that response.

    So `forward_auth` asks for each request; the routes do not answer.
    """
    for each in handler.get("handle_response") or ():
        codes = (each.get("match") or {}).get("status_code") or ()
        if 2 in codes and each.get("routes"):
            return list(each["routes"])
    return None


def _facts(upstreams: Sequence[str]) -> Json:
    """Headers with what the handler would get, after placeholders are replaced."""
    return {
        UPSTREAM: list(upstreams),
        REQUEST: ["{http.request.method} {http.request.uri}"],
        ROOT: ["{http.vars.root}"],
    }

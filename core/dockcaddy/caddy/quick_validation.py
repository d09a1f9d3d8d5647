"""Validates configurations with a Caddy that stays, a few milliseconds each.

It has to load each of them, with one more connection policy of a kind that no Caddy has. Caddy comes to that after
everything else of a server has been set up, and starts nothing. So of a configuration that is right it complains of this
policy, and of any other it complains earlier (`App.Provision` of https://pkg.go.dev/github.com/caddyserver/caddy/v2/modules/caddyhttp).

Caddy stops at the first part that it refuses. So the part that it names is left out, and the rest is loaded again.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from dockcaddy.caddy.limited import LimitedAdapter
from dockcaddy.caddy.limited_process import EndedError, LimitedProcess, admin_at
from dockcaddy.caddy.validation import CommandValidator, without_side_effects
from dockcaddy.caddyjson.places import Place
from dockcaddy.errors import CaddyRefusal
from dockcaddy.settings import limits

_END = "dockcaddy_end"
# set up as part of the app http; Caddy sets up others in any order
_APPS = frozenset(("http", "tls"))


class _UnfinishedError(Exception):
    """Caddy did not come to the end of a configuration."""


@frozen
class QuickValidator:
    """Validates what has no other apps than those for HTTP, one server after the other; everything else `command` does.

    The process is that of `adapter`.
    """

    command: CommandValidator
    adapter: LimitedAdapter

    def validate(self, config: bytes, caddyfile: str) -> None:
        """See CommandValidator. The refusal has the messages about all parts that Caddy refuses, as far as they are found."""
        decoded = json.loads(config)
        apps = decoded.get("apps") or {}
        if not (apps.get("http") or {}).get("servers") or apps.keys() - _APPS:
            self.command.validate(config, caddyfile)
            return
        process = self.adapter.running()
        folder = str(process.socket.parent)
        quiet = without_side_effects(decoded, folder, certificate_files=not self.command.elsewhere)
        try:
            messages = list(_refusals(process, quiet))
        except _UnfinishedError:
            self.command.validate(config, caddyfile)
        else:
            self.command.raise_for(messages, caddyfile)


def _refusals(process: LimitedProcess, config: dict[str, Any]) -> Iterator[str]:
    """What Caddy says of each part that it refuses. What is left out for one server is left out for all, and is said once."""
    config["admin"] = admin_at(process.socket)
    alone = {**config, "apps": {"http": config["apps"]["http"]}}
    for name, server in config["apps"]["http"]["servers"].items():
        if _END in _refusal(process, _with_one(config, name, server)):
            continue
        routes = server.get("routes") or []
        yield from _each_refusal(process, _with_one(config, name, {**server, "routes": []}))
        every = list(_innermost(routes))
        for start in range(0, len(every), limits.LOADED_TOGETHER):
            some = set(every[start : start + limits.LOADED_TOGETHER])
            part = {"listen": server["listen"], "routes": _only(some, routes)}
            yield from _each_refusal(process, _with_one(alone, name, part))


def _with_one(config: dict[str, Any], name: str, server: dict[str, Any]) -> dict[str, Any]:
    """The configuration with one server, of which Caddy complains at the end. All else is not copied."""
    apps = config["apps"]
    ended = {
        **server,
        "tls_connection_policies": [*(server.get("tls_connection_policies") or ()), {"match": {_END: {}}}],
    }
    return {**config, "apps": {**apps, "http": {**apps["http"], "servers": {name: ended}}}}


def _each_refusal(process: LimitedProcess, config: dict[str, Any]) -> Iterator[str]:
    """What Caddy says of a configuration, and then of the same without the parts that it named."""
    while _END not in (words := _refusal(process, config)):
        yield words
        if not Place.of(words, config).removed_from(config):
            break


def _within(route: dict[str, Any]) -> list[Any]:
    """The routes in a route that has nothing else."""
    handlers = route.get("handle") or []
    is_around = len(handlers) == 1 and handlers[0].keys() == {"handler", "routes"}
    return handlers[0]["routes"] if is_around else []


def _innermost(routes: list[Any], way: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """The ways to the routes that have no other routes in them."""
    for place, route in enumerate(routes):
        within = _within(route)
        if within:
            yield from _innermost(within, (*way, place))
        else:
            yield (*way, place)


def _only(wanted: set[tuple[int, ...]], routes: list[Any]) -> list[Any]:
    """The routes that these ways lead to, each in its place, and nothing in all other places."""
    by_place: dict[int, set[tuple[int, ...]]] = defaultdict(set)
    for way in wanted:
        by_place[way[0]].add(way[1:])
    made: list[Any] = [{} for _ in range(max(by_place) + 1)]
    for place, ways in by_place.items():
        route = routes[place]
        within = _only(ways, _within(route)) if all(ways) else None
        made[place] = {**route, "handle": [{**route["handle"][0], "routes": within}]} if within else route
    return made


def _refusal(process: LimitedProcess, config: dict[str, Any]) -> str:
    """What Caddy says."""
    try:
        process.said("/load", json.dumps(config).encode(), "application/json", limits.ADAPTER_PATIENCE)
    except CaddyRefusal as refusal:
        return str(refusal)
    except EndedError:
        pass
    # it should not have been accepted
    process.end()
    raise _UnfinishedError

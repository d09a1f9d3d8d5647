"""Unsafe settings, which Caddy accepts and which would then affect every site: endless loops, excessive work. Pure.

They are looked for in Caddy's JSON, where snippets are imported and arguments filled in.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from dockcaddy.admission.own_addresses import EVERY, LOOPBACK, Place, host_here, place_here
from dockcaddy.admission.plain_http import SKIPPED_NAMES, mixed_protocols
from dockcaddy.caddyjson.apps import NANOSECONDS
from dockcaddy.model import bracketed
from dockcaddy.settings import limits

# Caddy's defaults
CHECK_INTERVAL = 30 * NANOSECONDS
DEFAULT_TRY_INTERVAL = NANOSECONDS // 4

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_BCRYPT = re.compile(r"\$2[abxy]?\$(\d+)\$")
_ARGON = re.compile(r"\$argon2id\$v=\d+\$m=(\d+),t=(\d+),")
# Decoding a large configuration takes time: without any of these there is nothing to find.
_WORDS = (b'"handler":"map"', b'"handler":"invoke"', b'"try_interval":')
_SHORT_INTERVAL = re.compile(rb'"interval":(?:-\d+|\d{1,9})[,}]')
_HASHES = re.compile(rb'"password":"\$(?:argon2id|2[a-z]?\$(?:19|[23]\d))\$')
_RETRIES = re.compile(rb'"retries":\d{4}')
_DIALLED = re.compile(rb'"dial":"([^"]*:0*(\d+))"')
_LISTENED = re.compile(rb'"listen":\[.*?"\]')
_PORT = re.compile(rb':0*(\d+)"')
_NAMED = re.compile(rb'"name":"\[?([^"\]]*)\]?"')
# with fewer, a second or more between two checks is enough
_MANY_UPSTREAMS = re.compile(rb'"upstreams":\[(?:\{[^{}]*\},?){1000}')


@frozen
class UnsafeSetting:
    """One unsafe setting, and the hosts of the site that it belongs to (none where that is unknown)."""

    message: str
    hosts: frozenset[str] = frozenset()


def unsafe_settings(config: bytes, containers: Collection[str] = ()) -> Iterator[UnsafeSetting]:
    """The unsafe settings of a configuration (JSON). The addresses of `containers` do not lead to this machine itself."""
    if not _may_be_unsafe(config):
        return
    http = (json.loads(config).get("apps") or {}).get("http") or {}
    servers = http.get("servers") or {}
    yield from (UnsafeSetting(*found) for found in mixed_protocols(servers, http.get("http_port") or 80))
    yield from _proxy_loops(servers, containers)
    for server in servers.values():
        named = server.get("named_routes") or {}
        yield from _named_route_loops(named)
        for route in _routes(server):
            handlers = tuple(_handlers(route, named))
            yield from _map_loops(handlers, _hosts(route))
            for handler in handlers:
                yield from _frequent_attempts(handler, _hosts(route))
                yield from _costly_password_hashes(handler, _hosts(route))


def _may_be_unsafe(config: bytes) -> bool:
    return (
        any(word in config for word in (*_WORDS, SKIPPED_NAMES))
        or any(pattern.search(config) for pattern in (_HASHES, _RETRIES))
        or _has_many_checks(config)
        or _dials_itself(config)
    )


def _has_many_checks(config: bytes) -> bool:
    if b'"health_checks":' not in config:
        return False
    return _SHORT_INTERVAL.search(config) is not None or _MANY_UPSTREAMS.search(config) is not None


def _dials_itself(config: bytes) -> bool:
    if b'"dynamic_upstreams":' in config and any(host_here(name.decode()) for name in set(_NAMED.findall(config))):
        return True
    ports = set(_PORT.findall(b"".join(_LISTENED.findall(config))))
    dialled = {address.decode() for address, port in _DIALLED.findall(config) if port in ports}
    return any(place_here(address) for address in dialled)


def _routes(server: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The routes of all sites, those of their error pages included."""
    yield from server.get("routes") or ()
    yield from (server.get("errors") or {}).get("routes") or ()


def _hosts(route: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(host for match in route.get("match") or () for host in match.get("host") or ())


def _handlers(route: Any, named: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All handlers in a route, and in the named routes that it invokes."""
    waiting, invoked = [route], set[str]()
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            if "handler" in node:
                yield node
            name = str(node.get("name")) if node.get("handler") == "invoke" else ""
            if name in named and name not in invoked:
                invoked.add(name)
                waiting.append(named[name])


def _named_route_loops(named: Mapping[str, Any]) -> Iterator[UnsafeSetting]:
    calls = {
        name: {each.get("name", "") for each in _handlers(route, {}) if each["handler"] == "invoke"}
        for name, route in named.items()
    }
    for name in _in_loops(calls):
        yield UnsafeSetting(f'the named route "{name}" invokes itself: the first request would crash caddy')


def _map_loops(handlers: Iterable[Mapping[str, Any]], hosts: frozenset[str]) -> Iterator[UnsafeSetting]:
    needs: dict[str, set[str]] = {}
    for handler in handlers:
        if handler["handler"] == "map":
            values = json.dumps([handler.get(key) for key in ("source", "mappings", "defaults")], ensure_ascii=False)
            needed = set(_PLACEHOLDER.findall(values))
            for destination in handler.get("destinations") or ():
                needs.setdefault(destination.strip("{}"), set()).update(needed)
    for name in _in_loops(needs):
        yield UnsafeSetting(f"map makes {{{name}}} from itself: the first request would crash caddy", hosts)


def _frequent_attempts(handler: Mapping[str, Any], hosts: frozenset[str]) -> Iterator[UnsafeSetting]:
    """Health checks that are too frequent, and retries without a pause."""
    active = (handler.get("health_checks") or {}).get("active")
    if active is not None:
        interval, upstreams = active.get("interval") or CHECK_INTERVAL, len(handler.get("upstreams") or ())
        if interval <= 0 or upstreams * NANOSECONDS / interval > limits.MAX_HEALTH_CHECKS_PER_SECOND:
            yield UnsafeSetting(
                f"health_interval: {upstreams} upstreams would be checked too often: use a longer interval", hosts
            )
    if _retries_without_a_pause(handler.get("load_balancing") or {}):
        yield UnsafeSetting("lb_try_interval: upstreams would be retried without a pause: use 10ms or more", hosts)


def _retries_without_a_pause(balancing: Mapping[str, Any]) -> bool:
    # Caddy's default applies only together with a duration
    given = bool(balancing.get("try_duration"))
    interval = balancing.get("try_interval") or (DEFAULT_TRY_INTERVAL if given else 0)
    return interval < limits.MIN_TRY_INTERVAL * NANOSECONDS and (
        given or balancing.get("retries", 0) > limits.MAX_RETRIES
    )


def _costly_password_hashes(handler: Mapping[str, Any], hosts: frozenset[str]) -> Iterator[UnsafeSetting]:
    """Password hashes that take hours or gigabytes to check one guess."""
    basic = (handler.get("providers") or {}).get("http_basic") or {}
    for account in basic.get("accounts") or ():
        if _is_costly(str(account.get("password"))):
            name = account.get("username")
            yield UnsafeSetting(
                f"basic_auth: the password hash of {name} is too costly to check: use a lower cost", hosts
            )


def _is_costly(password: str) -> bool:
    bcrypt, argon = _BCRYPT.match(password), _ARGON.match(password)
    if bcrypt:
        return int(bcrypt[1]) > limits.MAX_BCRYPT_COST
    if argon:
        memory, times = int(argon[1]), int(argon[2])
        return memory > limits.MAX_ARGON_MEMORY or memory * times > limits.MAX_ARGON_WORK
    return False


def _proxy_loops(servers: Mapping[str, Any], containers: Collection[str]) -> Iterator[UnsafeSetting]:
    """Proxies whose requests return to the listener that they arrived at, until no file descriptor is left."""
    listening = {
        place: name
        for name, server in servers.items()
        for address in server.get("listen") or ()
        if (place := place_here(address))
    }
    proxies = [
        (name, target, route, port)
        for name, server in servers.items()
        for route in _routes(server)
        for handler in _handlers(route, server.get("named_routes") or {})
        for host, port in _dialled_here(handler, containers)
        if (target := listening.get((host or LOOPBACK, port)) or listening.get((EVERY, port)))
    ]
    leads_to: dict[str, set[str]] = {}
    for name, target, _, _ in proxies:
        leads_to.setdefault(name, set()).add(target)
    looping = set(_in_loops(leads_to))
    for name, target, route, port in proxies:
        if name in looping and target in looping:
            yield UnsafeSetting(
                f"reverse_proxy: this machine's port {port} leads back to caddy: name another upstream", _hosts(route)
            )


def _dialled_here(handler: Mapping[str, Any], containers: Collection[str]) -> Iterator[Place]:
    """The places of this machine that a proxy dials."""
    dynamic = handler.get("dynamic_upstreams") or {}
    dialled = [str(upstream.get("dial", "")) for upstream in handler.get("upstreams") or ()]
    name = str(dynamic.get("name", "?")).strip("[]")
    for address in (*dialled, f"{bracketed(name)}:{dynamic.get('port', '')}"):
        place = None if address.rpartition(":")[0].strip("[]") in containers else place_here(address)
        if place:
            yield place


def _in_loops(leads_to: Mapping[str, set[str]]) -> list[str]:
    """The names that are part of a loop, or lead into one."""
    led_from: dict[str, set[str]] = {}
    for name, targets in leads_to.items():
        for target in targets:
            led_from.setdefault(target, set()).add(name)
    open_targets = {name: len(targets) for name, targets in leads_to.items()}
    ends = [*(led_from.keys() - leads_to.keys()), *(name for name, count in open_targets.items() if not count)]
    while ends:
        for name in led_from.get(ends.pop(), ()):
            open_targets[name] -= 1
            if not open_targets[name]:
                ends.append(name)
    return [name for name, count in open_targets.items() if count]

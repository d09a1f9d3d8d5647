"""Unsafe settings, which Caddy accepts and which would then affect every site: endless loops, excessive work. Pure.

They are looked for in Caddy's JSON, where snippets are imported and arguments filled in. What one route says is found once
for a route, however many documents it is part of.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence, Set
from types import MappingProxyType
from typing import Any

from attrs import frozen

from dockcaddy.admission.own_addresses import EVERY, LOOPBACK, Place, place_here
from dockcaddy.caddyjson.document import NANOSECONDS, Document, Json, Route, Server
from dockcaddy.caddyjson.protocols import names_with_tls, plain_names
from dockcaddy.model import bracketed
from dockcaddy.settings import limits

# Caddy's defaults
CHECK_INTERVAL = 30 * NANOSECONDS
DEFAULT_TRY_INTERVAL = NANOSECONDS // 4

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_BCRYPT = re.compile(r"\$2[abxy]?\$(\d+)\$")
_ARGON = re.compile(r"\$argon2id\$v=\d+\$m=(\d+),t=(\d+),")
# a route without any of these invokes no named route, has no map, and no setting that is unsafe by itself
_WORDS = (b'"invoke"', b'"map"', b'"active":', b'"try_duration":', b'"retries":', b'"http_basic":')
# of all routes without a map
_NO_NEEDS: Mapping[str, frozenset[str]] = MappingProxyType({})


@frozen
class UnsafeSetting:
    """One unsafe setting, and the hosts of the site that it belongs to (none where that is unknown)."""

    message: str
    hosts: frozenset[str] = frozenset()


def unsafe_settings(document: Document, containers: Iterable[str] = ()) -> Iterator[UnsafeSetting]:
    """The unsafe settings of a document. The addresses of `containers` do not lead to this machine itself.

    Most routes say nothing that could be unsafe. Whether an address is this machine's is asked once for a route.
    """
    yield from _mixed_protocols(document)
    listening = _listening(document)
    candidates = document.found(_MayBeUnsafe(frozenset(str(port) for _, port in listening)))
    servers = [(name, server, _routes(server, candidates)) for name, server in document.servers.items()]
    if candidates:
        yield from _proxy_loops(servers, listening, frozenset(containers))
    for _, server, routes in servers:
        yield from _named_route_loops(server.named)
        for route in routes:
            yield from _settings_of(route, server.named)


@frozen
class _Contents:
    """What one route says itself: without the named routes that it invokes.

    `needs` are the names that each mapped one is made from, `settings` what is unsafe by itself, `dialled` the
    addresses that it proxies to.
    """

    invoked: tuple[str, ...]
    needs: Mapping[str, frozenset[str]]
    settings: tuple[str, ...]
    dialled: tuple[str, ...]


def _contents_of(route: Route) -> _Contents:
    handlers = route.handlers
    return _Contents(
        tuple(dict.fromkeys(str(each.get("name")) for each in handlers if each["handler"] == "invoke")),
        _merged(_map_needs(each) for each in handlers if each["handler"] == "map") or _NO_NEEDS,
        tuple(message for each in handlers for message in (*_frequent_attempts(each), *_costly_hashes(each))),
        tuple(dict.fromkeys(address for each in handlers for address in _dialled(each))),
    )


@frozen
class _MayBeUnsafe:
    """Whether a route may lead to anything unsafe, where Caddy listens at these ports of this machine."""

    ports: frozenset[str]

    def __call__(self, route: Route) -> bool:
        """Whether one does."""
        ports = (form % port.encode() for port in self.ports for form in (b'%b"', b'":%b'))
        if not route.has((*_WORDS, *ports)):
            return False
        own = route.found(_contents_of)
        return bool(own.invoked or own.needs or own.settings) or any(
            _port_of(each) in self.ports and place_here(each) for each in own.dialled
        )


def _mixed_protocols(document: Document) -> Iterator[UnsafeSetting]:
    """Listeners with sites that need plain HTTP where Caddy would serve TLS: it serves one protocol at a listener.

    `conflicts.listeners` compares resources. Sites in imported files appear in the whole document only.
    """
    http = f":{document.http_port}"
    for server in document.servers.values():
        is_fixed = server.automatic_https.get("disable") or all(address.endswith(http) for address in server.listen)
        if is_fixed or not (plain := plain_names(server)):
            continue
        others = names_with_tls(server)
        if others or server.connection_policies:
            reason = f"caddy would serve TLS at {', '.join(server.listen)} to clients of http://{plain[0]}"
            by = f" because of {min(others)}" if others else ""
            yield UnsafeSetting(
                f"{reason}{by}: write http:// in front of every name there, or use another port", others
            )


def _routes(server: Server, candidates: Container[Route]) -> Sequence[Route]:
    """Those of the routes of all sites, and of their error pages."""
    return [each for each in (*server.routes, *server.errors) if each in candidates] if candidates else ()


def _port_of(address: str) -> str:
    return address.rpartition(":")[2].lstrip("0")


def _contents(route: Route, named: Mapping[str, Route]) -> Sequence[_Contents]:
    """What a route says, and the named routes that it invokes."""
    own = route.found(_contents_of)
    if not own.invoked:
        return (own,)
    found, waiting, invoked = [own], list(own.invoked), set[str]()
    while waiting:
        name = waiting.pop()
        if name in named and name not in invoked:
            invoked.add(name)
            found.append(named[name].found(_contents_of))
            waiting += found[-1].invoked
    return found


def _settings_of(route: Route, named: Mapping[str, Route]) -> Iterator[UnsafeSetting]:
    """The unsafe settings of a site."""
    contents = _contents(route, named)
    if not any(each.needs or each.settings for each in contents):
        return
    hosts = frozenset(route.hosts)
    for name in _in_loops(_merged(each.needs for each in contents)):
        yield UnsafeSetting(f"map makes {{{name}}} from itself: the first request would crash caddy", hosts)
    yield from (UnsafeSetting(message, hosts) for each in contents for message in each.settings)


def _named_route_loops(named: Mapping[str, Route]) -> Iterator[UnsafeSetting]:
    calls = {name: frozenset(route.found(_contents_of).invoked) for name, route in named.items()}
    for name in _in_loops(calls):
        yield UnsafeSetting(f'the named route "{name}" invokes itself: the first request would crash caddy')


def _map_needs(handler: Json) -> Mapping[str, frozenset[str]]:
    """The names that a map makes, each with the names that it makes it from."""
    sources = [handler.get(key) for key in ("source", "mappings", "defaults")]
    needed = frozenset(name for text in _texts(sources) for name in _PLACEHOLDER.findall(text))
    return {destination.strip("{}"): needed for destination in handler.get("destinations") or ()}


def _texts(part: Any) -> Iterator[str]:
    waiting = [part]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, list | dict):
            waiting += node.values() if isinstance(node, dict) else node


def _merged(needs: Iterable[Mapping[str, frozenset[str]]]) -> Mapping[str, frozenset[str]]:
    merged: dict[str, set[str]] = {}
    for each in needs:
        for name, needed in each.items():
            merged.setdefault(name, set()).update(needed)
    return {name: frozenset(needed) for name, needed in merged.items()}


def _frequent_attempts(handler: Json) -> Iterator[str]:
    """Health checks that are too frequent, and retries without a pause."""
    active = (handler.get("health_checks") or {}).get("active")
    if active is not None:
        interval, upstreams = active.get("interval") or CHECK_INTERVAL, len(handler.get("upstreams") or ())
        if interval <= 0 or upstreams * NANOSECONDS / interval > limits.MAX_HEALTH_CHECKS_PER_SECOND:
            yield f"health_interval: {upstreams} upstreams would be checked too often: use a longer interval"
    if _retries_without_a_pause(handler.get("load_balancing") or {}):
        yield "lb_try_interval: upstreams would be retried without a pause: use 10ms or more"


def _retries_without_a_pause(balancing: Json) -> bool:
    # Caddy's default applies only together with a duration
    given = bool(balancing.get("try_duration"))
    interval = balancing.get("try_interval") or (DEFAULT_TRY_INTERVAL if given else 0)
    return interval < limits.MIN_TRY_INTERVAL * NANOSECONDS and (
        given or balancing.get("retries", 0) > limits.MAX_RETRIES
    )


def _costly_hashes(handler: Json) -> Iterator[str]:
    """Password hashes that take hours or gigabytes to check one guess."""
    basic = (handler.get("providers") or {}).get("http_basic") or {}
    for account in basic.get("accounts") or ():
        if _is_costly(str(account.get("password"))):
            name = account.get("username")
            yield f"basic_auth: the password hash of {name} is too costly to check: use a lower cost"


def _is_costly(password: str) -> bool:
    bcrypt, argon = _BCRYPT.match(password), _ARGON.match(password)
    if bcrypt:
        return int(bcrypt[1]) > limits.MAX_BCRYPT_COST
    if argon:
        memory, times = int(argon[1]), int(argon[2])
        return memory > limits.MAX_ARGON_MEMORY or memory * times > limits.MAX_ARGON_WORK
    return False


def _listening(document: Document) -> Mapping[Place, str]:
    """The servers by where they listen on this machine."""
    return {
        place: name
        for name, server in document.servers.items()
        for address in server.listen
        if (place := place_here(address))
    }


def _proxy_loops(
    servers: Sequence[tuple[str, Server, Sequence[Route]]], listening: Mapping[Place, str], containers: Container[str]
) -> Iterator[UnsafeSetting]:
    """Proxies whose requests return to the listener that they arrived at, until no file descriptor is left."""
    ports = {str(port) for _, port in listening}
    proxies = [
        (name, target, route, port)
        for name, server, routes in servers
        for route in routes
        for contents in _contents(route, server.named)
        for address in contents.dialled
        if _port_of(address) in ports and address.rpartition(":")[0].strip("[]") not in containers
        if (place := place_here(address))
        for host, port in (place,)
        if (target := listening.get((host or LOOPBACK, port)) or listening.get((EVERY, port)))
    ]
    leads_to: dict[str, set[str]] = {}
    for name, target, _, _ in proxies:
        leads_to.setdefault(name, set()).add(target)
    looping = set(_in_loops(leads_to))
    for name, target, route, port in proxies:
        if name in looping and target in looping:
            message = f"reverse_proxy: this machine's port {port} leads back to caddy: name another upstream"
            yield UnsafeSetting(message, frozenset(route.hosts))


def _dialled(handler: Json) -> Iterator[str]:
    """The addresses that a proxy dials."""
    yield from (str(upstream.get("dial", "")) for upstream in handler.get("upstreams") or ())
    if dynamic := handler.get("dynamic_upstreams"):
        name = str(dynamic.get("name", "?")).strip("[]")
        yield f"{bracketed(name)}:{dynamic.get('port', '')}"


def _in_loops(leads_to: Mapping[str, Set[str]]) -> list[str]:
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

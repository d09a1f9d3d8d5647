"""What Caddy takes and would then suffer from: loops that end it at the first visit, work or reading without an end.

Looked for in Caddy's own JSON, where snippets and arguments have become what they mean; what would hold up the reading
or the loading itself, and all later ones with it, in the lines. Pure.
"""

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from dockcaddy.caddyfile import Block

NANOSECONDS = 1_000_000_000
# one upstream a millisecond is asked how it is, which is more than any proxy has
MOST_CHECKS_PER_SECOND = 1_000
SHORTEST_TRY_INTERVAL = NANOSECONDS // 100
# Caddy connects to one log server after the other; of a second for all of them each has this at least
SHORTEST_PATIENCE = NANOSECONDS // 20
# Caddy's own, where nothing is said
CHECK_INTERVAL = 30 * NANOSECONDS

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_HERE = re.compile(
    r"(?:tcp[46]?/)?(?:|localhost|127(?:\.\d+){3}|0(?:\.0){0,3}|\[::1?\]|\[::ffff:[\d.]+\]):(\d+)", re.IGNORECASE
)
# what names files that are read at once, or may name them in a snippet
_READING = """
    tls load ca_root acme_ca_root trusted_roots cert key pem_file trusted_ca_cert_file trusted_leaf_cert_file verifier
    leaf_certs file folder tls_trusted_ca_certs tls_client_auth trust_pool browse import
"""
_READERS = frozenset(_READING.split())
# devices and the like: reading one may never end, or wait for ever
_ENDLESS = re.compile(r"/*(?:\.\./)*/*(?:dev|proc|sys)(?:/|$)")
_TRUST_POOLS = frozenset(("trust_pool", "tls_trust_pool"))
# Without one of these there is nothing to find; reading a large configuration takes its time.
_WORDS = (b'"handler":"map"', b'"handler":"invoke"', b'"try_interval":')
_SHORT_INTERVAL = re.compile(rb'"interval":(?:-\d+|\d{1,9})[,}]')
_DIALLED = re.compile(rb'"dial":"(?:tcp[46]?/)?(?:localhost|127\.[\d.]+|[0.]*|\[:[^\]]*\]):(\d+)"', re.IGNORECASE)
_LISTENED = re.compile(rb'"listen":\[.*?"\]')
_PORT = re.compile(rb':(\d+)"')
_NAMED = re.compile(rb'"name":"(?:localhost|127\.[\d.]+|[0.]*|\[?:[^"]*)"', re.IGNORECASE)
# with fewer, a second or more between two checks is enough
_MANY_UPSTREAMS = re.compile(rb'"upstreams":\[(?:\{[^{}]*\},?){1000}')


@frozen
class Hazard:
    """One thing that would harm every site, and the hosts of the site that would do it (none where it is unknown)."""

    words: str
    hosts: frozenset[str] = frozenset()


def hazards(config: bytes) -> Iterator[Hazard]:
    """The hazards of a configuration (JSON)."""
    if not _is_suspicious(config):
        return
    servers = ((json.loads(config).get("apps") or {}).get("http") or {}).get("servers") or {}
    yield from _circles_of_proxies(servers)
    for server in servers.values():
        named = server.get("named_routes") or {}
        yield from _circles_of_routes(named)
        for route in _routes(server):
            handlers = tuple(_handlers(route, named))
            yield from _circles_of_maps(handlers, _hosts(route))
            for handler in handlers:
                yield from _restless(handler, _hosts(route))


def harmful_lines(blocks: Iterable[Block]) -> Iterator[tuple[Block, str]]:
    """The lines at which Caddy would stay while it reads or loads a configuration, each with the reason."""
    for block in blocks:
        reason = _endless_file(block) or _waiting(block) if block.keys else ""
        if reason:
            yield block, reason
        yield from harmful_lines(block.children)


def _endless_file(line: Block) -> str:
    for token in line.keys[1:] if line.keys[0] in _READERS else ():
        path = posixpath.normpath(token.replace("{system.slash}", "/"))
        if "/" in path and _ENDLESS.match(path):
            return f"{token} is no file that comes to an end: caddy would read for ever"
    return ""


def _waiting(line: Block) -> str:
    kind = line.keys[1] if len(line.keys) > 1 else ""
    if line.keys[0] in _TRUST_POOLS and (kind == "http" or "{" in kind):
        return f"{line.keys[0]}: caddy waits for that server while it loads, take a file"
    return ""


def with_patience(config: bytes) -> bytes:
    """The configuration (JSON), in which Caddy does not wait long for the servers that it sends its logs to."""
    if b'"output":"net"' not in config:
        return config
    decoded = json.loads(config)
    writers = [log["writer"] for log in decoded["logging"]["logs"].values() if _is_net(log.get("writer"))]
    most = max(NANOSECONDS // max(len(writers), 1), SHORTEST_PATIENCE)
    for writer in writers:
        writer["dial_timeout"] = min(writer.get("dial_timeout") or most, most)
        writer["soft_start"] = True
    return json.dumps(decoded, separators=(",", ":")).encode()


def _is_net(writer: Any) -> bool:
    return isinstance(writer, dict) and writer.get("output") == "net"


def _is_suspicious(config: bytes) -> bool:
    return any(word in config for word in _WORDS) or _has_many_checks(config) or _dials_itself(config)


def _has_many_checks(config: bytes) -> bool:
    if b'"health_checks":' not in config:
        return False
    return _SHORT_INTERVAL.search(config) is not None or _MANY_UPSTREAMS.search(config) is not None


def _dials_itself(config: bytes) -> bool:
    if b'"dynamic_upstreams":' in config and _NAMED.search(config):
        return True
    ports = set(_DIALLED.findall(config))
    return bool(ports) and not ports.isdisjoint(_PORT.findall(b"".join(_LISTENED.findall(config))))


def _routes(server: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A site each, and what is done where it fails."""
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


def _circles_of_routes(named: Mapping[str, Any]) -> Iterator[Hazard]:
    calls = {
        name: {each.get("name", "") for each in _handlers(route, {}) if each["handler"] == "invoke"}
        for name, route in named.items()
    }
    for name in _in_circles(calls):
        yield Hazard(f'the named route "{name}" invokes itself: the first visit would end caddy')


def _circles_of_maps(handlers: Iterable[Mapping[str, Any]], hosts: frozenset[str]) -> Iterator[Hazard]:
    needs: dict[str, set[str]] = {}
    for handler in handlers:
        if handler["handler"] == "map":
            values = json.dumps([handler.get(key) for key in ("source", "mappings", "defaults")], ensure_ascii=False)
            needed = set(_PLACEHOLDER.findall(values))
            for destination in handler.get("destinations") or ():
                needs.setdefault(destination.strip("{}"), set()).update(needed)
    for name in _in_circles(needs):
        yield Hazard(f"map makes {{{name}}} out of itself: the first visit would end caddy", hosts)


def _restless(handler: Mapping[str, Any], hosts: frozenset[str]) -> Iterator[Hazard]:
    """A proxy that asks its upstreams, or tries them, without a pause."""
    active = (handler.get("health_checks") or {}).get("active")
    if active is not None:
        interval, upstreams = active.get("interval") or CHECK_INTERVAL, len(handler.get("upstreams") or ())
        if interval <= 0 or upstreams * NANOSECONDS / interval > MOST_CHECKS_PER_SECOND:
            yield Hazard(f"health_interval: {upstreams} upstreams would be asked too often for caddy's good", hosts)
    balancing = handler.get("load_balancing") or {}
    if (
        balancing.get("try_duration")
        and 0 < balancing.get("try_interval", SHORTEST_TRY_INTERVAL) < SHORTEST_TRY_INTERVAL
    ):
        yield Hazard("lb_try_interval: upstreams would be tried without a pause, at least 10ms are needed", hosts)


def _circles_of_proxies(servers: Mapping[str, Any]) -> Iterator[Hazard]:
    """Proxies whose requests come back to the listener that they came in by, until nothing is left to open."""
    listening = {
        found[1]: name
        for name, server in servers.items()
        for address in server.get("listen") or ()
        if (found := _HERE.fullmatch(address))
    }
    proxies = [
        (name, listening[port], route, port)
        for name, server in servers.items()
        for route in _routes(server)
        for handler in _handlers(route, server.get("named_routes") or {})
        for port in _ports_here(handler)
        if port in listening
    ]
    leads_to: dict[str, set[str]] = {}
    for name, target, _, _ in proxies:
        leads_to.setdefault(name, set()).add(target)
    circular = set(_in_circles(leads_to))
    for name, target, route, port in proxies:
        if name in circular and target in circular:
            yield Hazard(f"reverse_proxy: requests to this machine's port {port} come back to caddy", _hosts(route))


def _ports_here(handler: Mapping[str, Any]) -> Iterator[str]:
    """The ports of this machine that a proxy dials."""
    dynamic = handler.get("dynamic_upstreams") or {}
    dialled = [str(upstream.get("dial", "")) for upstream in handler.get("upstreams") or ()]
    for address in (*dialled, f"{dynamic.get('name', '?')}:{dynamic.get('port', '')}"):
        found = _HERE.fullmatch(address)
        if found:
            yield found[1]


def _in_circles(leads_to: Mapping[str, set[str]]) -> list[str]:
    """The names from which ways lead on for ever."""
    waits_for: dict[str, set[str]] = {}
    for name, targets in leads_to.items():
        for target in targets:
            waits_for.setdefault(target, set()).add(name)
    open_ways = {name: len(targets) for name, targets in leads_to.items()}
    ends = [*(waits_for.keys() - leads_to.keys()), *(name for name, count in open_ways.items() if not count)]
    while ends:
        for name in waits_for.get(ends.pop(), ()):
            open_ways[name] -= 1
            if not open_ways[name]:
                ends.append(name)
    return [name for name, count in open_ways.items() if count]

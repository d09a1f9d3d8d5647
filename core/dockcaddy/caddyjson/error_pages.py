"""A site handles the errors of its own requests. Pure.

Caddy also uses the `handle_errors` of `*.example.com`, or of every host, for the errors of all sites below it that have
none. Then another resource would handle a failed login at `app.example.com`.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from dockcaddy.caddyfile import is_host_of
from dockcaddy.caddyjson.apps import with_changed_apps


def with_own_errors(config: bytes, shared_hosts: Collection[str] = ()) -> bytes:
    """The configuration (JSON), in which such sites do not handle other sites' errors; the same bytes where none does.

    Settings for the `shared_hosts` (`""` is every host) apply to all sites, because the operator wrote them.
    """
    if b'"errors":' not in config:
        return config
    return with_changed_apps(config, lambda apps: _isolate(apps, shared_hosts))


def _isolate(apps: dict[str, Any], shared_hosts: Collection[str]) -> bool:
    servers = ((apps.get("http") or {}).get("servers") or {}).values()
    wide = [found for server in servers for found in _wide(server, shared_hosts)]
    for match, others in wide:
        match["not"] = [*(match.get("not") or ()), {"host": sorted(others)}]
    return bool(wide)


def _wide(server: Mapping[str, Any], shared_hosts: Collection[str]) -> Iterator[tuple[dict[str, Any], set[str]]]:
    """The matchers that also match other sites' errors, each with the hosts of those sites."""
    named = {
        host
        for route in server.get("routes") or ()
        for match in route.get("match") or ()
        for host in match.get("host") or ()
    }
    for route in (server.get("errors") or {}).get("routes") or ():
        for match in route.setdefault("match", [{}]):
            own = match.get("host") or [""]
            others = {host for host in named.difference(own) if any(_covers(each, host) for each in own)}
            if others and set(own).isdisjoint(shared_hosts):
                yield match, others


def _covers(pattern: str, host: str) -> bool:
    return not pattern or is_host_of(host, pattern)

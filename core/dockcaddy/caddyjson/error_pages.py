"""A site handles the errors of its own requests. Pure.

Caddy asks the `handle_errors` of a site for `*.example.com`, or for every host, about the errors of all sites below it
that have none: a login of `app.example.com` would be answered by somebody else.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from dockcaddy.caddyfile import is_host_of
from dockcaddy.caddyjson.apps import with_changed_apps


def with_own_errors(config: bytes, everybodys: Collection[str] = ()) -> bytes:
    """The configuration (JSON), in which such sites leave other sites' errors alone; the same bytes where none does.

    What is said for the hosts `everybodys` (`""` is every host) is meant for all of them: the operator wrote it.
    """
    if b'"errors":' not in config:
        return config
    return with_changed_apps(config, lambda apps: _leave_others_alone(apps, everybodys))


def _leave_others_alone(apps: dict[str, Any], everybodys: Collection[str]) -> bool:
    servers = ((apps.get("http") or {}).get("servers") or {}).values()
    wide = [found for server in servers for found in _wide(server, everybodys)]
    for match, others in wide:
        match["not"] = [*(match.get("not") or ()), {"host": sorted(others)}]
    return bool(wide)


def _wide(server: Mapping[str, Any], everybodys: Collection[str]) -> Iterator[tuple[dict[str, Any], set[str]]]:
    """The matchers that are asked about other sites' errors too, each with the hosts of these."""
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
            if others and set(own).isdisjoint(everybodys):
                yield match, others


def _covers(pattern: str, host: str) -> bool:
    return not pattern or is_host_of(host, pattern)

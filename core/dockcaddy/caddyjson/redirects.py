"""Requests to a site are redirected to HTTPS, whatever wildcard site there is for HTTP. Pure.

Caddy's redirects come after all sites with a host: a site for `http://*.example.com` would handle HTTP requests for
`app.example.com`. Sites without a host come after the redirects.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from dockcaddy.caddyfile import is_host_of
from dockcaddy.caddyjson.apps import with_changed_apps

# stars, and placeholders, whose values are unknown
_WIDE = re.compile(rb'"host":\[[^\]]*[*{]')


def with_own_redirects(config: bytes, shared_hosts: Collection[str] = ()) -> bytes:
    """The configuration (JSON), in which such sites do not handle redirected hosts; the same bytes where none does.

    Settings for the `shared_hosts` apply to all sites, because the operator wrote them.
    """
    if not _WIDE.search(config):
        return config
    return with_changed_apps(config, lambda apps: _isolate(apps.get("http") or {}, shared_hosts))


def _isolate(http: dict[str, Any], shared_hosts: Collection[str]) -> bool:
    http_port, https_port = f":{http.get('http_port') or 80}", f":{http.get('https_port') or 443}"
    plain = [route for server in _servers(http, http_port) for route in server.get("routes") or ()]
    redirected = set(_redirected(_servers(http, https_port))).difference(_hosts(plain))
    wide = [found for route in plain for found in _wide(route, redirected, shared_hosts)]
    for match, others in wide:
        match["not"] = [*(match.get("not") or ()), {"host": others}]
    return bool(wide)


def _servers(http: Mapping[str, Any], port: str) -> Sequence[Mapping[str, Any]]:
    servers = (http.get("servers") or {}).values()
    return [server for server in servers if any(address.endswith(port) for address in server.get("listen") or ())]


def _redirected(servers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for server in servers:
        automatic = server.get("automatic_https") or {}
        if not (automatic.get("disable") or automatic.get("disable_redirects")):
            yield from set(_hosts(server.get("routes") or ())).difference(automatic.get("skip") or ())


def _hosts(routes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    return (host for route in routes for match in route.get("match") or () for host in match.get("host") or ())


def _wide(
    route: Mapping[str, Any], redirected: set[str], shared_hosts: Collection[str]
) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """The matchers of a route that also match redirected hosts, each with those hosts."""
    for match in route.get("match") or ():
        patterns = [host for host in match.get("host") or () if "*" in host or "{" in host]
        others = sorted(host for host in redirected if any("{" in each or is_host_of(host, each) for each in patterns))
        if others and set(patterns).isdisjoint(shared_hosts):
            yield match, others

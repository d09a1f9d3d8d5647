"""Caddy sends a request to another task of a Swarm service where one does not answer. Pure.

A Swarm notices a dead node after about 15 seconds, and until then its tasks count as running. So proxies of services get
retries and passive health checks, unless they have their own
(https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#load-balancing). Caddy repeats any request after a failed
connection attempt; after that it repeats GET only.
"""

from collections.abc import Collection, Iterator
from typing import Any

from attrs import frozen

from dockcaddy.caddyfile import split_host_port
from dockcaddy.caddyjson.apps import NANOSECONDS, with_changed_apps

_PROXY = b'"handler":"reverse_proxy"'


@frozen
class Retries:
    """How long Caddy looks for another task, and how long it avoids one that failed. In seconds; 0 means not at all."""

    try_duration: float = 0.0
    fail_duration: float = 0.0

    def applied(self, config: bytes, retried: Collection[str], watched: Collection[str]) -> bytes:
        """The configuration (JSON) with retries for the proxies of the `retried` hosts, and passive health for the `watched`.

        The same bytes where there are none.
        """
        if not (retried or watched) or not (self.try_duration or self.fail_duration) or _PROXY not in config:
            return config
        return with_changed_apps(config, lambda apps: self._add_all(apps, retried, watched))

    def _add_all(self, apps: dict[str, Any], retried: Collection[str], watched: Collection[str]) -> bool:
        changed = [self._add(each, retried, watched) for each in _proxies(apps)]
        return any(changed)

    def _add(self, proxy: dict[str, Any], retried: Collection[str], watched: Collection[str]) -> bool:
        hosts = set(_hosts(proxy))
        balancing = proxy.get("load_balancing") or {}
        is_retried = bool(self.try_duration) and not hosts.isdisjoint(retried)
        if is_retried := is_retried and balancing.keys().isdisjoint(("try_duration", "retries")):
            proxy["load_balancing"] = {**balancing, "try_duration": int(self.try_duration * NANOSECONDS)}
        health = proxy.get("health_checks") or {}
        # without another upstream, to avoid one is to answer nothing
        has_choice = len(proxy.get("upstreams") or ()) > 1
        is_watched = bool(self.fail_duration) and has_choice and not hosts.isdisjoint(watched)
        if is_watched := is_watched and "passive" not in health:
            passive = {"fail_duration": int(self.fail_duration * NANOSECONDS)}
            proxy["health_checks"] = {**health, "passive": passive}
        return is_retried or is_watched


def _proxies(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("handler") == "reverse_proxy":
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _proxies(each)


def _hosts(proxy: dict[str, Any]) -> Iterator[str]:
    for upstream in proxy.get("upstreams") or ():
        yield split_host_port(str(upstream.get("dial")))[0]
    dynamic = proxy.get("dynamic_upstreams") or {}
    yield from (str(each.get("name")) for each in (dynamic, *(dynamic.get("sources") or ())) if each.get("name"))

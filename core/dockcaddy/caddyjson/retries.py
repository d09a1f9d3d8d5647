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
from dockcaddy.caddyjson.apps import NANOSECONDS, PROXY, proxies, with_changed_apps
from dockcaddy.settings import limits

# A task is avoided after so many failures. A request may meet each of the other tasks as often: it finds one that answers,
# and no request alone has all tasks avoided.
_FAILURES = 2
# of a proxy with one upstream, and of one that reads its upstreams from files
_RETRIES_OF_ONE, _RETRIES_OF_FILES = 2, 5


@frozen
class Retries:
    """Whether Caddy tries other tasks, and how long it avoids one that failed twice, in seconds (0: not at all).

    The number of retries is limited and not their time: while Caddy waits between retries for a time, another
    configuration ends them (https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#load-balancing).
    """

    are_on: bool = False
    fail_duration: float = 0.0

    def applied(self, config: bytes, retried: Collection[str], watched: Collection[str]) -> bytes:
        """The configuration (JSON) with retries for the proxies of the `retried` hosts, and passive health for the `watched`.

        The same bytes where there are none.
        """
        if not (retried or watched) or not (self.are_on or self.fail_duration) or PROXY not in config:
            return config
        return with_changed_apps(config, lambda apps: self._add_all(apps, retried, watched))

    def _add_all(self, apps: dict[str, Any], retried: Collection[str], watched: Collection[str]) -> bool:
        changed = [self._add(each, retried, watched) for each in proxies(apps)]
        return any(changed)

    def _add(self, proxy: dict[str, Any], retried: Collection[str], watched: Collection[str]) -> bool:
        hosts = set(_hosts(proxy))
        balancing = proxy.get("load_balancing") or {}
        is_retried = self.are_on and not hosts.isdisjoint(retried)
        if is_retried := is_retried and balancing.keys().isdisjoint(("try_duration", "retries")):
            proxy["load_balancing"] = {**balancing, "retries": _retries(proxy)}
        health = proxy.get("health_checks") or {}
        # without another upstream, to avoid one is to answer nothing
        has_choice = len(proxy.get("upstreams") or ()) > 1
        is_watched = bool(self.fail_duration) and has_choice and not hosts.isdisjoint(watched)
        if is_watched := is_watched and "passive" not in health:
            passive = {"fail_duration": int(self.fail_duration * NANOSECONDS), "max_fails": _FAILURES}
            proxy["health_checks"] = {**health, "passive": passive}
        return is_retried or is_watched


def _retries(proxy: dict[str, Any]) -> int:
    if "dynamic_upstreams" in proxy:
        return _RETRIES_OF_FILES
    others = len(proxy.get("upstreams") or ()) - 1
    return min(_FAILURES * others, limits.MAX_SERVICE_RETRIES) or _RETRIES_OF_ONE


def _hosts(proxy: dict[str, Any]) -> Iterator[str]:
    for upstream in proxy.get("upstreams") or ():
        yield split_host_port(str(upstream.get("dial")))[0]
    dynamic = proxy.get("dynamic_upstreams") or {}
    yield from (str(each.get("name")) for each in (dynamic, *(dynamic.get("sources") or ())) if each.get("name"))

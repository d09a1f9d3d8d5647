"""Caddy sends a request to another task of a Swarm service where one does not answer. Pure.

A Swarm notices a dead node after about 15 seconds, and until then its tasks count as running. So proxies of services get
retries and passive health checks, unless they have their own
(https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#load-balancing). Caddy repeats any request after a failed
connection attempt; after that it repeats GET only.
"""

from collections.abc import Iterator, Set

from attrs import frozen

from dockcaddy.caddyfile import split_host_port
from dockcaddy.caddyjson.document import NANOSECONDS, Document, Json, Route
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

    def applied(self, document: Document, retried: Set[str], watched: Set[str]) -> Document:
        """The document with retries for the proxies of the `retried` hosts, and passive health for the `watched`.

        The same document where there are none.
        """
        retried = retried if self.are_on else frozenset()
        watched = watched if self.fail_duration else frozenset()
        if not (retried or watched):
            return document
        return document.with_routes(tuple([self._route(each, retried, watched) for each in document.every_route]))

    def _route(self, route: Route, retried: Set[str], watched: Set[str]) -> Route:
        """The route is changed again only where other ones of its own hosts are to be retried or watched."""
        hosts = route.found(_all_hosts)
        if hosts.isdisjoint(retried) and hosts.isdisjoint(watched):
            return route
        return route.found(_Added(hosts & retried, hosts & watched, self.fail_duration)) or route


@frozen
class _Added:
    """What is added to the proxies of one route: the same for equal hosts."""

    retried: frozenset[str]
    watched: frozenset[str]
    fail_duration: float

    def __call__(self, route: Route) -> Route | None:
        """The changed route; None where it stays."""
        made = route.with_proxies(self._with_retries)
        return None if made is route else made

    def _with_retries(self, proxy: Json) -> Json:
        hosts = frozenset(_hosts(proxy))
        balancing = proxy.get("load_balancing") or {}
        if not hosts.isdisjoint(self.retried) and balancing.keys().isdisjoint(("try_duration", "retries")):
            proxy = {**proxy, "load_balancing": {**balancing, "retries": _retries(proxy)}}
        health = proxy.get("health_checks") or {}
        # without another upstream, to avoid one is to answer nothing
        has_choice = len(proxy.get("upstreams") or ()) > 1
        if has_choice and not hosts.isdisjoint(self.watched) and "passive" not in health:
            passive = {"fail_duration": int(self.fail_duration * NANOSECONDS), "max_fails": _FAILURES}
            proxy = {**proxy, "health_checks": {**health, "passive": passive}}
        return proxy


def _retries(proxy: Json) -> int:
    if "dynamic_upstreams" in proxy:
        return _RETRIES_OF_FILES
    others = len(proxy.get("upstreams") or ()) - 1
    return min(_FAILURES * others, limits.MAX_SERVICE_RETRIES) or _RETRIES_OF_ONE


def _all_hosts(route: Route) -> frozenset[str]:
    """The hosts that its proxies send requests to."""
    return frozenset(host for each in route.proxies for host in _hosts(each))


def _hosts(proxy: Json) -> Iterator[str]:
    for upstream in proxy.get("upstreams") or ():
        yield split_host_port(str(upstream.get("dial")))[0]
    dynamic = proxy.get("dynamic_upstreams") or {}
    yield from (str(each.get("name")) for each in (dynamic, *(dynamic.get("sources") or ())) if each.get("name"))

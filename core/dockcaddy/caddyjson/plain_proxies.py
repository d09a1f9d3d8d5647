"""Routes that only send the requests of some hosts to upstreams: what they have in common, and where they differ. Pure.

Two such routes of one shape differ in their hosts and in the addresses of their upstreams, and in nothing else.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256

from attrs import frozen

from dockcaddy.caddyjson.document import Json, Route, objects_in
from dockcaddy.model import bracketed
from dockcaddy.settings import limits

# how many upstreams the proxy of a shape has, and how many addresses can take these places so that each gets the same share
PLACES = 12
COUNTS = (1, 2, 3, 4, 6)
# the names of the placeholders of a shape's upstreams
UPSTREAM = "dockcaddy.upstream.%d"

# lower case, as a browser sends it, and no address
HOST = re.compile(r"(?=.{1,200}\Z)(?=.*[a-z_-][^.]*\Z)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_ADDRESS = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}")
# what would have another meaning, or would be about the route itself
_OWN = re.compile(rb"http\.matchers\.file|http\.regexp|dockcaddy\.upstream")
# Caddy remembers the health of upstreams by their text; and where requests go by that of the upstream
_HEALTH = "health_checks"
_POLICIES = frozenset(("", "random", "random_choose", "round_robin", "first", "least_conn"))


@frozen
class Shape:
    """What routes with other hosts and addresses have in common: `handlers` is the JSON of their handlers.

    In it, the proxy's upstreams are placeholders.
    """

    handlers: bytes

    @property
    def name(self) -> str:
        """A name for a folder."""
        return sha256(self.handlers).hexdigest()[:16]

    @property
    def decoded(self) -> list[Json]:
        """The handlers."""
        handlers: list[Json] = json.loads(self.handlers)
        return handlers


@frozen
class PlainProxy:
    """A route of a shape. Its upstreams are `dials`; each may be a placeholder and a port."""

    shape: Shape
    hosts: tuple[str, ...]
    dials: tuple[tuple[str, str], ...]

    def addresses(self, values: Mapping[str, str]) -> tuple[str, ...] | None:
        """The addresses of its upstreams, each once; None where requests cannot go to all of them in equal shares.

        `values` are what placeholders stand for.
        """
        known = (((values.get(host, "") if host.startswith("{") else host), port) for host, port in self.dials)
        found = tuple(dict.fromkeys(f"{bracketed(host)}:{port}" for host, port in known if host))
        is_fine = (
            len(found) in (0, *COUNTS)
            and all(map(_ADDRESS.fullmatch, found))
            and len(",".join(found)) <= limits.MAX_EXPRESS_ADDRESSES
        )
        return found if is_fine else None


def plain_proxy(route: Route) -> PlainProxy | None:
    """The plain proxy that a route is; None if it is another one."""
    value = route.value
    if value.keys() != {"match", "handle", "terminal"} or len(value["match"]) != 1 or len(route.proxies) != 1:
        return None
    if value["match"][0].keys() != {"host"} or not all(map(HOST.fullmatch, route.hosts)):
        return None
    proxy = route.proxies[0]
    dials = _dials(proxy)
    if dials is None or _HEALTH in proxy or (len(set(dials)) > 1 and not _has_equal_shares(proxy)):
        return None
    if _OWN.search(route.encoded):
        return None
    return PlainProxy(_shape(route), route.hosts, dials)


def _dials(proxy: Json) -> tuple[tuple[str, str], ...] | None:
    """Hosts and ports of the upstreams; None where there is something else in one."""
    upstreams = proxy.get("upstreams") or ()
    dynamic = proxy.get("dynamic_upstreams")
    if dynamic is not None:
        sources = dynamic.get("sources") or ()
        known = all({"source", "name", "port"} == each.keys() and each["source"] == "a" for each in sources)
        is_known = known and not upstreams and dynamic.get("source") == "multi"
        return tuple((each["name"], each["port"]) for each in sources) if is_known else None
    if not all(each.keys() == {"dial"} and _ADDRESS.fullmatch(each["dial"]) for each in upstreams):
        return None
    found = [each["dial"].rpartition(":") for each in upstreams]
    # one that stands there twice gets twice as many requests
    return tuple((host.strip("[]"), port) for host, _, port in found) if len(set(found)) == len(found) else None


def _has_equal_shares(proxy: Json) -> bool:
    """Whether requests go to any of several upstreams, whatever these are called."""
    policy = (proxy.get("load_balancing") or {}).get("selection_policy") or {}
    return policy.get("policy", "") in _POLICIES


def _shape(route: Route) -> Shape:
    # copied in C: to do so in Python takes frames for each level of depth
    handlers = json.loads(route.encoded)["handle"]
    proxy = next(each for each in objects_in(handlers) if each.get("handler") == "reverse_proxy")
    proxy.pop("dynamic_upstreams", None)
    proxy["upstreams"] = [{"dial": f"{{{UPSTREAM % place}}}"} for place in range(PLACES)]
    return Shape(json.dumps(handlers, separators=(",", ":"), sort_keys=True).encode())

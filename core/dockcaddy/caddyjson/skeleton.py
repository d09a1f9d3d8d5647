"""A configuration in which one site stands for all of its kind, and what becomes of it with all of them in their places. Pure.

Where the name of that site stands in Caddy's JSON, the names of all sites of its kind would stand: in the subjects of a
policy for certificates, or among the hosts that are not redirected. Where else it stands is not understood.
"""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

from attrs import define, field

from dockcaddy.caddyfile import Place
from dockcaddy.caddyjson.document import Json, Server
from dockcaddy.caddyjson.plain_sites import PlainSite

_hosts = attrgetter("hosts")


@define(eq=False)
class Kind:
    """The plain sites of one kind by their places in the Caddyfile, and the one that stands for all of them with its place.

    `is_covered` where wildcards of other sites cover their hosts.
    """

    key: Hashable
    is_covered: bool = False
    sites: dict[Place, PlainSite] = field(factory=dict)
    stub: tuple[Place, PlainSite] | None = None
    # the places in order, and their sites, once somebody asked for names
    _places: list[Place] = field(factory=list)
    _in_order: list[PlainSite] = field(factory=list)

    def put(self, place: Place, site: PlainSite) -> None:
        """Add a site."""
        self.sites[place] = site
        if self._places:
            at = bisect_left(self._places, place)
            self._places.insert(at, place)
            self._in_order.insert(at, site)

    def take(self, place: Place) -> PlainSite:
        """Remove the site at this place."""
        if self._places:
            at = bisect_left(self._places, place)
            del self._places[at], self._in_order[at]
        return self.sites.pop(place)

    def names(self, suffix: str) -> list[str]:
        """The names of all its sites in their order, each with a suffix such as a port."""
        if not self._places:
            self._places = sorted(self.sites)
            self._in_order = [self.sites[place] for place in self._places]
        names = chain.from_iterable(map(_hosts, self._in_order))
        return [name + suffix for name in names] if suffix else list(names)

    def forms(self) -> Iterator[tuple[str, str]]:
        """Each name that stands for the kind in JSON, and the suffix that it has there."""
        assert self.stub is not None
        site = self.stub[1]
        for suffix in ("", f":{site.port}") if site.port else ("",):
            for host in site.hosts:
                yield f"{host}{suffix}", suffix


class NotSpliceable(Exception):
    """Kinds whose sites do not only differ in their routes; without any, nothing can be put in place."""

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        super().__init__()
        self.kinds = tuple(kinds)


def choose_stubs(kinds: Iterable[Kind], taken: Iterable[str]) -> None:
    """Choose the site that stands for each kind: none with a host that another one in the skeleton has.

    `taken` are the hosts of the sites that are not plain. Raises NotSpliceable for kinds without such a site.
    """
    used = set(taken)
    without = []
    for kind in kinds:
        kind.stub = next((each for each in kind.sites.items() if used.isdisjoint(each[1].hosts)), None)
        if kind.stub is None:
            without.append(kind)
        else:
            used.update(kind.stub[1].hosts)
    if without:
        raise NotSpliceable(without)


@define
class Names:
    """The names of stubs: the kinds that they stand for, and their suffixes.

    `odd` are the kinds whose stub stands in a place that is not understood.
    """

    stubs: Mapping[str, tuple[Kind, str]]
    odd: list[Kind] = field(factory=list)

    def grown_server(self, server: Server) -> Json:
        """The settings of a server with all names in them."""
        settings = server.settings
        skipped = self._grown_lists(settings.get("automatic_https"), "skip")
        logs = self._grown_lists(settings.get("logs"), "skip_hosts")
        if logs and "skip_hosts" in logs:
            logs["skip_hosts"] = sorted(logs["skip_hosts"])
        self._look(
            _without(settings, "automatic_https", "logs"),
            _without(skipped, "skip"),
            _without(logs, "skip_hosts"),
            *(route.value for route in (*server.errors, *server.named.values())),
        )
        return {**settings, **_given(automatic_https=skipped, logs=logs)}

    def grown_rest(self, rest: Json) -> Json:
        """What is not part of servers, with all names in it. Raises NotSpliceable where nothing can be put in place."""
        apps = rest.get("apps") or {}
        tls = apps.get("tls") or {}
        automation = tls.get("automation") or {}
        policies = [self._grown_lists(each, "subjects") or {} for each in automation.get("policies") or ()]
        self._check(policies)
        certificates = self._grown_lists(tls.get("certificates"), "automate")
        self._look(
            _without(rest, "apps"),
            _without(apps, "tls"),
            _without(tls, "automation", "certificates"),
            _without(automation, "policies"),
            _without(certificates, "automate"),
            *(_without(each, "subjects") for each in policies),
        )
        if not tls:
            return rest
        grown = _given(policies=policies)
        automation = {**automation, **grown} if automation else None
        return {**rest, "apps": {**apps, "tls": {**tls, **_given(automation=automation, certificates=certificates)}}}

    def _check(self, policies: Sequence[Json]) -> None:
        """Raises NotSpliceable where Caddy sorts policies by wildcards: what it keeps depends on the number of all of them."""
        if any("*" in host for each in policies for host in each.get("subjects") or ()):
            raise NotSpliceable
        self.odd += [kind for kind, _ in self.stubs.values() if policies and kind.is_covered]

    def _grown_lists(self, settings: Json | None, key: str) -> dict[str, Any] | None:
        if not settings:
            return None
        if key not in settings:
            return dict(settings)
        return {**settings, key: list(self._grown(settings[key]))}

    def _grown(self, names: Iterable[str]) -> Iterator[str]:
        """The names, with those of the whole kind in the place of each stub's first one."""
        grown = set[int]()
        for name in names:
            kind, suffix = self.stubs.get(name, (None, ""))
            if kind is None:
                yield name
            elif id(kind) not in grown:
                grown.add(id(kind))
                yield from kind.names(suffix)

    def _look(self, *parts: Any) -> None:
        """Note the stubs whose names stand in what is not understood."""
        waiting = list(parts)
        while waiting:
            node = waiting.pop()
            if isinstance(node, Mapping):
                waiting += node.keys()
                waiting += node.values()
            elif isinstance(node, list):
                waiting += node
            elif isinstance(node, str) and node in self.stubs:
                self.odd.append(self.stubs[node][0])


def _without(settings: Json | None, *keys: str) -> Json:
    return {key: value for key, value in (settings or {}).items() if key not in keys}


def _given(**settings: Any) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if value}

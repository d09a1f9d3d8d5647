"""The route of each plain site, which Caddy adapts once: whoever needs it again gets the same object. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

from attrs import Factory, define, field

from dockcaddy.caddyjson.definitions import Definitions
from dockcaddy.caddyjson.document import Document, Route, objects_in
from dockcaddy.caddyjson.plain_sites import PlainSite, plain_site
from dockcaddy.errors import CaddyRefusal
from dockcaddy.fragment import Section
from dockcaddy.settings import limits

Given = TypeVar("Given")
Made = TypeVar("Made")


class ForEach(Protocol):
    """Does some work for each of several things, in their order or at the same time: `map`, `Executor.map`."""

    def __call__(self, work: Callable[[Given], Made], things: Iterable[Given], /) -> Iterable[Made]:
        """The results, in the order of the things."""


# None for a site whose route is not found: it turned out not to be plain
Outcome = dict[PlainSite, Route | None] | CaddyRefusal


@define(eq=False)
class SiteRoutes:
    """Has `adapt` adapt plain sites, some of them together. It keeps the sites and routes that others keep."""

    adapt: Callable[[str], bytes]
    for_each: ForEach = map
    _known: "WeakValueDictionary[tuple[str, str], Route]" = field(default=Factory(WeakValueDictionary))
    _plain: "WeakValueDictionary[str, PlainSite]" = field(default=Factory(WeakValueDictionary))

    def plain(self, definitions: Definitions, section: Section) -> PlainSite | None:
        """The plain site of a section; None if it is not plain. See `plain_site`."""
        known = self._plain.get(section.text)
        if known is None:
            known = plain_site(section, definitions)
            # what others import may change
            if known is not None and not known.snippets:
                self._plain[section.text] = known
        return known

    def routes(self, definitions: Definitions, sites: Iterable[PlainSite]) -> Iterator[Outcome]:
        """The routes of sites, or the refusal, of some sites at a time. The results raise CaddyUnreachable.

        The first ones may be adapted before the last one of `sites` is made, and all before somebody asks for the results.
        """
        known: dict[PlainSite, Route | None] = {}
        given = set[PlainSite]()

        def new() -> Iterator[PlainSite]:
            for site in sites:
                route = self._known.get(_key(definitions, site))
                if route is not None:
                    known[site] = route
                elif site not in given:
                    # replicas share theirs
                    given.add(site)
                    yield site

        outcomes = self.for_each(lambda batch: self._outcome(definitions, batch), _batches(new()))
        return self._noted(definitions, outcomes, known)

    def _noted(
        self, definitions: Definitions, outcomes: Iterable[Outcome], known: dict[PlainSite, Route | None]
    ) -> Iterator[Outcome]:
        for outcome in outcomes:
            if not isinstance(outcome, CaddyRefusal):
                made = {site: route for site, route in outcome.items() if route is not None}
                self._known.update({_key(definitions, site): route for site, route in made.items()})
            yield outcome
        if known:
            yield known

    def _outcome(self, definitions: Definitions, batch: Sequence[PlainSite]) -> Outcome:
        used = definitions.text_for(key for site in batch for key in site.snippets)
        try:
            adapted = Document.decode(self.adapt(used + "".join([site.text for site in batch])))
        except CaddyRefusal as refusal:
            return refusal
        by_hosts: dict[frozenset[str], list[Route]] = {}
        for route in adapted.routes:
            by_hosts.setdefault(frozenset(route.hosts), []).append(route)
        made: dict[PlainSite, Route | None] = {}
        for site in batch:
            found = by_hosts.get(frozenset(site.hosts), ())
            made[site] = route_of_its_own(found[0], site.addresses[0]).kept_as_json() if len(found) == 1 else None
        return made


def _key(definitions: Definitions, site: PlainSite) -> tuple[str, str]:
    return definitions.text_for(site.snippets), site.text


def _batches(new: Iterable[PlainSite]) -> Iterator[list[PlainSite]]:
    """Batches in which each host comes once: by its hosts the route of a site is found."""
    batch: list[PlainSite] = []
    taken: set[str] = set()
    for site in new:
        if len(batch) == limits.MAX_ADAPTED_TOGETHER or not taken.isdisjoint(site.hosts):
            yield batch
            batch, taken = [], set()
        batch.append(site)
        taken.update(site.hosts)
    if batch:
        yield batch


def route_of_its_own(route: Route, address: str) -> Route:
    """The route with groups of its own: Caddy numbers them in each text from zero, and a request runs one route of each."""
    if not route.has((b'"group":',)):
        return route
    value = route.value
    for node in objects_in(value):
        routes = node.get("routes")
        for each in routes if isinstance(routes, list) else ():
            if isinstance(each, dict) and "group" in each:
                each["group"] = f"{each['group']} of {address}"
    return Route(value)

"""Caddy's JSON of a whole Caddyfile from the JSON of its parts, so that a change costs the sites that changed.

Caddy adapts plain sites some at a time, and only once: their routes are kept. Everything else, which may depend on each
other, Caddy adapts together, with one site of each kind of plain sites in it. Where that one stands in this JSON, all of
its kind stand in the whole. What is not understood Caddy adapts as a whole, as if there were no parts.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from attrs import Factory, define, evolve, field, frozen

from dockcaddy.caddyfile import Block, ListenPorts, Place, SiteAddress, is_host_of, is_site
from dockcaddy.caddyjson.definitions import Definitions
from dockcaddy.caddyjson.document import Document, Route, Searches, Server
from dockcaddy.caddyjson.plain_sites import PlainSite, wildcards_of
from dockcaddy.caddyjson.site_routes import SiteRoutes, route_of_its_own
from dockcaddy.caddyjson.skeleton import Kind, NotSpliceable, choose_stubs
from dockcaddy.caddyjson.whole import UNKNOWN, Places, Whole
from dockcaddy.errors import CaddyRefusal
from dockcaddy.fragment import Section
from dockcaddy.incremental import Difference
from dockcaddy.settings import limits


@define(eq=False)
class _Part:
    """What is known of a section: the plain site that it is, and its route once it is adapted.

    A site whose route is not found turned out not to be plain. `certified` are the hosts that Caddy requests certificates for.
    """

    is_site: bool
    certified: tuple[str, ...] = ()
    site: PlainSite | None = None
    is_adapted: bool = False
    route: Route | None = None


@frozen(eq=False)
class _Last:
    """What was put together last of these sections, while it is made of plain sites of its kinds and of what has not changed since.

    `certified` are the hosts of all sites that Caddy requests certificates for.
    """

    sections: tuple[Section, ...]
    whole: Whole
    certified: set[str]
    document: Document


# a kind of fewer sites has none that stands for it
_FEWEST = 2
# so often kinds may turn out not to be what they seemed
_ROUNDS = 3


@define(eq=False)
class Splicer:
    """Makes documents of Caddyfiles. `adapt` is Caddy's; with fewer than `smallest` sections Caddy adapts the whole.

    `site_routes` may be shared with others that need the routes of sites.
    """

    adapt: Callable[[str], bytes]
    smallest: int = limits.SPLICED_FROM
    site_routes: SiteRoutes = field(default=Factory(lambda self: SiteRoutes(self.adapt), takes_self=True))
    _definitions: Definitions = field(factory=Definitions)
    # of the last document, beside these definitions
    _parts: dict[Section, _Part] = field(factory=dict)
    _skeleton: tuple[str, Document] | None = None
    _not_plain: set[Hashable] = field(factory=set)
    _last: _Last | None = None
    _searches: Searches = field(factory=Searches)

    def document(self, sections: Sequence[Section], text: Callable[[], str]) -> Document:
        """The document of a Caddyfile with these sections. `text` gives its text.

        Raises CaddyRefusal as Caddy does for the whole text, and CaddyUnreachable.
        """
        sections = tuple(sections)
        if len(sections) >= self.smallest:
            try:
                return self._changed(sections) or self._spliced(sections)
            except (CaddyRefusal, NotSpliceable):
                # Caddy's message has to be about the whole
                pass
        return self._decoded(text())

    def _changed(self, sections: tuple[Section, ...]) -> Document | None:
        """The document, where nothing but a few plain sites has changed since the last one; else None.

        Raises CaddyRefusal and CaddyUnreachable.
        """
        # what is left half done is put together anew
        last, self._last = self._last, None
        if last is None:
            return None
        difference = Difference.of(last.sections, sections)
        new, gone = difference.new, difference.gone
        is_few = len(new) + len(gone) <= limits.MAX_SITES_PUT_IN and difference.keeps_order
        if not is_few or not all(is_site(each.block) for each in (*new, *gone)):
            return None
        document = last.document
        if difference:
            parts = {each: self._part(each) for each in new}
            self._adapt_new(parts.values())
            is_all = all(_take_out(last, each, self._parts.pop(each)) for each in gone)
            self._parts.update(parts)
            if not is_all or not all(_put_in(last, each, part) for each, part in parts.items()):
                return None
            document = evolve(last.whole.document(), searches=self._searches)
        self._last = evolve(last, sections=sections, document=document)
        return document

    def _spliced(self, sections: tuple[Section, ...]) -> Document:
        # routes of parts before may be known again: until then they are kept
        before, parts = self._parts, self._parts_of(sections)
        self._adapt_new(parts.values())
        del before
        routes = {each.site: each.route for each in parts.values() if each.site is not None and each.route is not None}
        shared = _in_several(each.certified for each in parts.values())
        for _ in range(_ROUNDS):
            kinds, others = self._kinds(shared)
            places = self._places(others)
            try:
                choose_stubs(kinds, (host for host, _ in places))
                skeleton = self._adapted_skeleton(kinds, others)
                if shared and skeleton.app("tls").get("automation"):
                    # whether Caddy takes two policies for one host depends on the number of all of them
                    raise NotSpliceable
                whole = Whole.of(skeleton, kinds, routes, places)
                document = evolve(whole.document(), searches=self._searches)
            except NotSpliceable as error:
                if not error.kinds:
                    raise
                self._not_plain.update(kind.key for kind in error.kinds)
            else:
                # where it is not known, files are read
                if not shared and self._skeleton is not None:
                    certified = {host for each in parts.values() for host in each.certified}
                    self._last = _Last(sections, whole, certified, document)
                return document
        raise NotSpliceable

    def _parts_of(self, sections: Sequence[Section]) -> dict[Section, _Part]:
        """What is known of these sections, of which no two have one place. Raises NotSpliceable."""
        definitions = tuple([each for each in sections if not is_site(each.block)])
        known = self._parts
        if definitions != self._definitions.sections:
            # what depends on all of them is forgotten
            self._definitions, self._not_plain, known = Definitions(definitions), set(), {}
        self._parts = {each: known.get(each) or self._part(each) for each in sections}
        # a file may change without a change of the text
        if self._definitions.read_files or len({each.place for each in sections}) < len(sections):
            raise NotSpliceable
        return self._parts

    def _part(self, section: Section) -> _Part:
        if not is_site(section.block):
            return _Part(False)
        site = self.site_routes.plain(self._definitions, section)
        return _Part(True, tuple(_certified(section.block)) if site is None else site.certified, site)

    def _adapt_new(self, parts: Iterable[_Part]) -> None:
        """Have Caddy adapt the plain sites that are new, some at a time. Raises CaddyRefusal and CaddyUnreachable."""
        new = {part.site: part for part in parts if part.site is not None and not part.is_adapted}
        for outcome in self.site_routes.routes(self._definitions, new):
            if isinstance(outcome, CaddyRefusal):
                raise outcome
            for site, route in outcome.items():
                new[site].route, new[site].is_adapted = route, True

    def _kinds(self, shared: frozenset[str]) -> tuple[list[Kind], list[Section]]:
        """The plain sites by kind, without those with `shared` hosts, and all other sections."""
        wild = (each.block for each, part in self._parts.items() if part.is_site and part.site is None)
        wildcards = tuple(dict.fromkeys(wildcards_of(wild)))
        kinds: dict[Hashable, Kind] = {}
        for section, part in self._parts.items():
            site = part.site
            key = _key(site, wildcards) if site is not None and part.route is not None else None
            if site is None or key is None or key in self._not_plain or not shared.isdisjoint(part.certified):
                continue
            if key not in kinds:
                kinds[key] = Kind(key, is_covered=bool(wildcards) and key != (site.kind, ()))
            kinds[key].put(section.place, site)
        # one site of a kind stands for itself
        several = [kind for kind in kinds.values() if len(kind.sites) >= _FEWEST]
        stood_for = {place for kind in several for place in kind.sites}
        return several, [each for each in self._parts if each.place not in stood_for]

    def _places(self, others: Iterable[Section]) -> Places:
        ports = ListenPorts.of(each.block for each in self._definitions.sections)
        found: dict[tuple[str, str], Place] = {}
        unknown = set[Place]()
        for section in others:
            for address in map(SiteAddress.parse, section.block.keys if is_site(section.block) else ()):
                port = address.port or str(ports.http if address.scheme == "http" else ports.https)
                found.setdefault((address.host.lower(), port), section.place)
                if not address.is_literal:
                    unknown.add(section.place)
        return {**found, UNKNOWN: unknown.pop()} if len(unknown) == 1 else found

    def _adapted_skeleton(self, kinds: Iterable[Kind], others: Sequence[Section]) -> Document:
        """The sites that are not plain, and one of each kind of plain ones, as Caddy adapts them together."""
        texts = {each.place: each.text for each in others}
        texts |= {place: site.stub for place, site in (kind.stub for kind in kinds if kind.stub is not None)}
        text = "".join([texts[place] for place in sorted(texts)])
        if self._skeleton is None or self._skeleton[0] != text:
            self._skeleton = text, self._decoded(text)
        skeleton = self._skeleton[1]
        if self._definitions.reads_files(each.block for each in others):
            self._skeleton = None
        return skeleton

    def _decoded(self, text: str) -> Document:
        """The document of a text, in which each named route has groups of its own.

        Caddy numbers those of named routes from zero too: of a request to a site and a named route in it, one route of
        each group runs.
        """
        document = Document.decode(self.adapt(text) if text else b"")
        return document.with_servers(_with_named_groups)


def _take_out(last: _Last, section: Section, part: _Part) -> bool:
    """Take a site out of what was put together last. Returns whether nothing else changes by that."""
    kind = last.whole.kinds.get(part.site.kind) if part.site is not None else None
    if kind is None or section.place not in kind.sites or len(kind.sites) <= _FEWEST:
        return False
    if kind.stub is not None and kind.stub[0] == section.place:
        return False
    last.certified.difference_update(part.certified)
    last.whole.remove(kind, section.place)
    return True


def _put_in(last: _Last, section: Section, part: _Part) -> bool:
    """Put a site into what was put together last. Returns whether nothing else changes by that."""
    kind = last.whole.kinds.get(part.site.kind) if part.site is not None else None
    if kind is None or part.site is None or part.route is None or not last.certified.isdisjoint(part.certified):
        return False
    last.certified.update(part.certified)
    return last.whole.add(kind, section.place, part.site, part.route)


def _key(site: PlainSite, wildcards: Sequence[str]) -> Hashable:
    """The kind of a site: which wildcards cover its hosts is part of it. None where these differ from host to host."""
    if not wildcards:
        return site.kind
    covering = {tuple([each for each in wildcards if is_host_of(host, each)]) for host in site.hosts}
    return (site.kind, *covering) if len(covering) == 1 else None


def _in_several(hosts: Iterable[tuple[str, ...]]) -> frozenset[str]:
    """The hosts of several sites with certificates: their policies may contradict each other."""
    once, twice = set[str](), set[str]()
    for some in hosts:
        if not once.isdisjoint(some):
            twice.update(once.intersection(some))
        once.update(some)
    return frozenset(twice)


def _certified(site: Block) -> Iterator[str]:
    """The hosts in a site's addresses that Caddy requests certificates for."""
    return (each.host.lower() for each in map(SiteAddress.parse, site.keys) if each.scheme != "http")


def _with_named_groups(server: Server) -> Server:
    named = {name: route_of_its_own(route, f"named route {name}") for name, route in server.named.items()}
    return evolve(server, named=named) if named else server

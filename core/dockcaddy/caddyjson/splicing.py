"""Caddy's JSON of a whole Caddyfile from the JSON of its parts, so that a change costs the sites that changed.

Caddy adapts plain sites some at a time, and only once: their routes are kept. Everything else, which may depend on each
other, Caddy adapts together, with one site of each kind of plain sites in it. Where that one stands in this JSON, all of
its kind stand in the whole. What is not understood Caddy adapts as a whole, as if there were no parts.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from attrs import define, field, frozen

from dockcaddy.caddyfile import Block, ListenPorts, SiteAddress, is_host_of, is_site
from dockcaddy.caddyjson.document import Document, Json, Route
from dockcaddy.caddyjson.plain_sites import PlainSite, plain_site, wildcards_of
from dockcaddy.caddyjson.skeleton import Kind, Member, NotSpliceable, Positions, choose_stubs, spliced
from dockcaddy.errors import CaddyRefusal
from dockcaddy.settings import limits


class Section(Protocol):
    """A top-level block of a Caddyfile and its text. The same section is the same object."""

    @property
    def block(self) -> Block:
        """The block."""

    @property
    def text(self) -> str:
        """Its text."""


@frozen(eq=False)
class _Adapted:
    """A plain site as Caddy adapted it beside these definitions. It has no route where it turned out not to be plain."""

    definitions: str
    route: Route | None


@define(eq=False)
class Splicer:
    """Makes documents of Caddyfiles. `adapt` is Caddy's; with fewer than `smallest` sections Caddy adapts the whole."""

    adapt: Callable[[str], bytes]
    smallest: int = limits.SPLICED_FROM
    _definitions: tuple[Section, ...] = ()
    _snippets: Mapping[str, Section] = field(factory=dict)
    _sites: "WeakKeyDictionary[Section, PlainSite | None]" = field(factory=WeakKeyDictionary)
    _adapted: "WeakKeyDictionary[Section, _Adapted]" = field(factory=WeakKeyDictionary)
    _skeleton: tuple[str, Document] | None = None
    _not_plain: set[Hashable] = field(factory=set)

    def document(self, sections: Sequence[Section], text: str) -> Document:
        """The document of a Caddyfile with these sections and this text.

        Raises CaddyRefusal as Caddy does for the whole text, and CaddyUnreachable.
        """
        if len(sections) >= self.smallest:
            try:
                return self._spliced(sections)
            except (CaddyRefusal, NotSpliceable):
                # Caddy's message has to be about the whole
                pass
        return Document.decode(self.adapt(text))

    def _spliced(self, sections: Sequence[Section]) -> Document:
        self._define(sections)
        members = self._members(sections)
        others = [each for position, each in enumerate(sections) if position not in members]
        while True:
            kinds = self._kinds(members, others)
            positions = self._positions(sections, kinds)
            try:
                choose_stubs(kinds, (host for host, _ in positions))
                return spliced(self._adapted_skeleton(sections, kinds), kinds, positions)
            except NotSpliceable as error:
                if error.kind is None:
                    raise
                self._not_plain.add(error.kind.key)

    def _define(self, sections: Sequence[Section]) -> None:
        """Note the options and snippets. What depends on them is forgotten where they changed."""
        definitions = tuple([each for each in sections if not is_site(each.block)])
        if definitions != self._definitions:
            self._definitions = definitions
            self._snippets = {each.block.keys[0][1:-1]: each for each in definitions if _is_snippet(each.block)}
            self._sites.clear()
            self._not_plain.clear()

    def _site(self, section: Section) -> PlainSite | None:
        if section not in self._sites:
            snippets = {name: each.block for name, each in self._snippets.items()}
            self._sites[section] = plain_site(section.block, snippets) if is_site(section.block) else None
        return self._sites[section]

    def _members(self, sections: Sequence[Section]) -> dict[int, Member]:
        """The plain sites with their routes, by their position."""
        plain = {position: (each, site) for position, each in enumerate(sections) if (site := self._site(each))}
        shared = _shared_names(plain, sections)
        if shared:
            plain = {at: (each, site) for at, (each, site) in plain.items() if shared.isdisjoint(site.hosts)}
        for batch in _batches(pair for pair in plain.values() if not self._is_adapted(*pair)):
            self._adapt(batch)
        members = {}
        for position, (each, site) in plain.items():
            route = self._adapted[each].route
            if route is not None:
                members[position] = Member(position, site, route)
        return members

    def _is_adapted(self, section: Section, site: PlainSite) -> bool:
        kept = self._adapted.get(section)
        return kept is not None and kept.definitions == self._definitions_for(site)

    def _definitions_for(self, *sites: PlainSite) -> str:
        """The text of the options, and of the snippets that these sites import."""
        used = dict.fromkeys(name for site in sites for name in site.snippets)
        options = (each.text for each in self._definitions if not each.block.keys)
        return "".join((*options, *(self._snippets[name].text for name in used)))

    def _adapt(self, batch: Sequence[tuple[Section, PlainSite]]) -> None:
        """Have Caddy adapt some plain sites. Raises CaddyRefusal and CaddyUnreachable."""
        definitions = self._definitions_for(*(site for _, site in batch))
        adapted = Document.decode(self.adapt(definitions + "".join(section.text for section, _ in batch)))
        by_hosts: dict[frozenset[str], list[Route]] = {}
        for route in adapted.routes:
            by_hosts.setdefault(frozenset(route.hosts), []).append(route)
        for section, site in batch:
            found = by_hosts.get(frozenset(site.hosts), ())
            own = _of_its_own(found[0], section.block.keys[0]) if len(found) == 1 else None
            self._adapted[section] = _Adapted(self._definitions_for(site), own)

    def _kinds(self, members: Mapping[int, Member], others: Iterable[Section]) -> list[Kind]:
        wildcards = tuple(dict.fromkeys(wildcards_of(each.block for each in others if is_site(each.block))))
        kinds: dict[Hashable, Kind] = {}
        for member in members.values():
            site = member.site
            key = (site.kind, _covering(wildcards, site.hosts)) if wildcards else site.kind
            if key not in self._not_plain:
                kind = kinds.get(key)
                if kind is None:
                    kind = kinds[key] = Kind(key)
                kind.members.append(member)
        return list(kinds.values())

    def _positions(self, sections: Sequence[Section], kinds: Sequence[Kind]) -> Positions:
        """The positions of the sites that no kind has, by host and port."""
        plain = {member.position for kind in kinds for member in kind.members}
        ports = ListenPorts.of(each.block for each in self._definitions)
        found: dict[tuple[str, str], int] = {}
        for position, each in enumerate(sections):
            if position not in plain and is_site(each.block):
                for address in map(SiteAddress.parse, each.block.keys):
                    port = address.port or str(ports.http if address.scheme == "http" else ports.https)
                    found.setdefault((address.host.lower(), port), position)
        return found

    def _adapted_skeleton(self, sections: Sequence[Section], kinds: Sequence[Kind]) -> Document:
        plain = {member.position for kind in kinds for member in kind.members}
        stubs = {kind.stub.position: kind.stub.site.stub for kind in kinds if kind.stub is not None}
        texts = (stubs.get(position, "") if position in plain else each.text for position, each in enumerate(sections))
        text = "".join(texts)
        if self._skeleton is None or self._skeleton[0] != text:
            self._skeleton = text, Document.decode(self.adapt(text) if text else b"")
        return self._skeleton[1]


def _shared_names(plain: Mapping[int, tuple[Section, PlainSite]], sections: Iterable[Section]) -> set[str]:
    """The hosts of several sites with certificates: their policies may contradict each other."""
    once, twice = set[str](), set[str]()
    for position, section in enumerate(sections):
        hosts = plain[position][1].certified if position in plain else _certified(section.block)
        for host in hosts:
            (twice if host in once else once).add(host)
    return twice


def _certified(block: Block) -> Iterator[str]:
    """The hosts in a site's addresses that Caddy requests certificates for."""
    addresses = map(SiteAddress.parse, block.keys if is_site(block) else ())
    return (each.host.lower() for each in addresses if each.scheme != "http")


def _is_snippet(block: Block) -> bool:
    return block.is_definition and block.keys[0].startswith("(")


def _covering(wildcards: Iterable[str], hosts: Iterable[str]) -> frozenset[str]:
    return frozenset(pattern for pattern in wildcards for host in hosts if is_host_of(host, pattern))


def _batches(new: Iterable[tuple[Section, PlainSite]]) -> Iterator[list[tuple[Section, PlainSite]]]:
    """Batches in which each host comes once: by its hosts the route of a site is found."""
    batch: list[tuple[Section, PlainSite]] = []
    hosts: set[str] = set()
    for section, site in new:
        if len(batch) == limits.MAX_ADAPTED_TOGETHER or not hosts.isdisjoint(site.hosts):
            yield batch
            batch, hosts = [], set()
        batch.append((section, site))
        hosts.update(site.hosts)
    if batch:
        yield batch


def _of_its_own(route: Route, address: str) -> Route:
    """The route with groups of its own: Caddy numbers them in each text from zero, and a request runs one route of each."""
    return Route(_with_own_groups(route.value, address))


def _with_own_groups(route: Json, address: str) -> Json:
    waiting: list[Any] = [route]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            routes = node.get("routes")
            for each in routes if isinstance(routes, list) else ():
                if isinstance(each, dict) and "group" in each:
                    each["group"] = f"{each['group']} of {address}"
    return route

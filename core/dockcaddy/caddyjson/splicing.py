"""Caddy's JSON of a whole Caddyfile from the JSON of its parts, so that a change costs the sites that changed.

Caddy adapts plain sites some at a time, and only once: their routes are kept. Everything else, which may depend on each
other, Caddy adapts together, with one site of each kind of plain sites in it. Where that one stands in this JSON, all of
its kind stand in the whole. What is not understood Caddy adapts as a whole, as if there were no parts.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from attrs import define, evolve, field

from dockcaddy.caddyfile import Block, ListenPorts, SiteAddress, all_blocks, is_host_of, is_site
from dockcaddy.caddyjson.document import Document, Json, Route, Server
from dockcaddy.caddyjson.plain_sites import PlainSite, plain_site, wildcards_of
from dockcaddy.caddyjson.skeleton import UNKNOWN, Kind, Member, NotSpliceable, Positions, choose_stubs, spliced
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


@define(eq=False)
class _Part:
    """What is known of a section: the plain site that it is, and its route beside these definitions once it is adapted.

    A site whose route is not found turned out not to be plain.
    """

    is_site: bool
    generation: int = 0
    certified: tuple[str, ...] = ()
    site: PlainSite | None = None
    definitions: str = ""
    is_adapted: bool = False
    route: Route | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of a plain site."""
        return self.site.hosts if self.site is not None else ()


_Known = tuple[Section, _Part]
# so often kinds may turn out not to be what they seemed
_ROUNDS = 3


@define(eq=False)
class Splicer:
    """Makes documents of Caddyfiles. `adapt` is Caddy's; with fewer than `smallest` sections Caddy adapts the whole."""

    adapt: Callable[[str], bytes]
    smallest: int = limits.SPLICED_FROM
    _definitions: tuple[Section, ...] = ()
    # how often the definitions have changed
    _generation: int = 0
    _snippets: Mapping[str, Block] = field(factory=dict)
    _texts: dict[tuple[str, ...], str] = field(factory=dict)
    # of the last document, and of every section that is still kept somewhere; a part must not keep its section
    _latest: dict[Section, _Part] = field(factory=dict)
    _parts: "WeakKeyDictionary[Section, _Part]" = field(factory=WeakKeyDictionary)
    _skeleton: tuple[str, Document] | None = None
    _not_plain: set[Hashable] = field(factory=set)
    _read_files: bool = False

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
        return self._decoded(text)

    def _spliced(self, sections: Sequence[Section]) -> Document:
        parts = self._parts_of(sections)
        self._adapt_new(zip(sections, parts, strict=True))
        shared = _in_several(each.certified for each in parts)
        for _ in range(_ROUNDS):
            kinds, others = self._kinds(sections, parts, shared)
            positions = self._positions(others)
            try:
                choose_stubs(kinds, (host for host, _ in positions))
                skeleton = self._adapted_skeleton(kinds, others)
                if shared and skeleton.app("tls").get("automation"):
                    # whether Caddy takes two policies for one host depends on the number of all of them
                    raise NotSpliceable
                return spliced(skeleton, kinds, positions)
            except NotSpliceable as error:
                if not error.kinds:
                    raise
                self._not_plain.update(kind.key for kind in error.kinds)
        raise NotSpliceable

    def _parts_of(self, sections: Sequence[Section]) -> list[_Part]:
        known = self._latest
        parts = [known.get(each) or self._kept_part(each) for each in sections]
        definitions = tuple([each for each, part in zip(sections, parts, strict=True) if not part.is_site])
        if definitions != self._definitions:
            self._define(definitions)
            parts = [self._new_part(each) for each in sections]
        self._latest = dict(zip(sections, parts, strict=True))
        if self._read_files:
            # a file may change without a change of the text
            raise NotSpliceable
        return parts

    def _define(self, definitions: tuple[Section, ...]) -> None:
        """Note the options and snippets. What depends on all of them is forgotten."""
        self._generation += 1
        self._definitions = definitions
        self._snippets = {each.block.keys[0][1:-1]: each.block for each in definitions if _is_snippet(each.block)}
        self._texts = {}
        self._not_plain = set()
        self._read_files = any(self._reads_files(each.block) for each in definitions)

    def _reads_files(self, block: Block) -> bool:
        """Whether there is an import in it of anything but a snippet."""
        imports = (line.keys[1] for line in all_blocks((block,)) if line.keys[:1] == ("import",) and len(line.keys) > 1)
        return any(name not in self._snippets for name in imports)

    def _kept_part(self, section: Section) -> _Part:
        part = self._parts.get(section)
        return part if part is not None and part.generation == self._generation else self._new_part(section)

    def _new_part(self, section: Section) -> _Part:
        """The part of a section, with its route where that depends on nothing that has changed."""
        part = _Part(is_site(section.block), self._generation)
        if part.is_site:
            part.certified = tuple(_certified(section.block))
            part.site = plain_site(section.block, self._snippets)
        if part.site is not None:
            part.definitions = self._definitions_for(part.site)
            before = self._parts.get(section)
            if before is not None and before.site == part.site and before.definitions == part.definitions:
                part.is_adapted, part.route = before.is_adapted, before.route
        self._parts[section] = part
        return part

    def _definitions_for(self, *sites: PlainSite) -> str:
        """The text of the options, and of the snippets that these sites import."""
        used = tuple(dict.fromkeys(name for site in sites for name in site.snippets))
        if used not in self._texts:
            blocks = {each.block: each.text for each in self._definitions}
            options = [text for block, text in blocks.items() if not block.keys]
            self._texts[used] = "".join((*options, *(blocks[self._snippets[name]] for name in used)))
        return self._texts[used]

    def _adapt_new(self, sections: Iterable[_Known]) -> None:
        """Have Caddy adapt the plain sites that are new, some at a time. Raises CaddyRefusal and CaddyUnreachable."""
        new = [(section, part) for section, part in sections if part.site is not None and not part.is_adapted]
        for batch in _batches(new):
            text = self._definitions_for(*(part.site for _, part in batch if part.site is not None))
            adapted = Document.decode(self.adapt(text + "".join(section.text for section, _ in batch)))
            by_hosts: dict[frozenset[str], list[Route]] = {}
            for route in adapted.routes:
                by_hosts.setdefault(frozenset(route.hosts), []).append(route)
            for section, part in batch:
                found = by_hosts.get(frozenset(part.hosts), ())
                part.route = _of_its_own(found[0], section.block.keys[0]) if len(found) == 1 else None
                part.is_adapted = True

    def _kinds(
        self, sections: Sequence[Section], parts: Sequence[_Part], shared: frozenset[str]
    ) -> tuple[list[Kind], dict[int, Section]]:
        """The plain sites by kind, without those with `shared` hosts, and all other sections by their position."""
        wild = (each.block for each, part in zip(sections, parts, strict=True) if part.is_site and part.site is None)
        wildcards = tuple(dict.fromkeys(wildcards_of(wild)))
        kinds: dict[Hashable, Kind] = {}
        others: dict[int, Section] = {}
        for position, part in enumerate(parts):
            site, route = part.site, part.route
            key = _key(site, wildcards) if site is not None and not _has(shared, part) else None
            if site is None or route is None or key is None or key in self._not_plain:
                others[position] = sections[position]
                continue
            kind = kinds.get(key)
            if kind is None:
                kind = kinds[key] = Kind(key, is_covered=bool(wildcards) and key != (site.kind, ()))
            kind.members.append(Member(position, site, route))
        # one site of a kind stands for itself
        alone = [kind for kind in kinds.values() if len(kind.members) == 1]
        others |= {kind.members[0].position: sections[kind.members[0].position] for kind in alone}
        return [kind for kind in kinds.values() if len(kind.members) > 1], dict(sorted(others.items()))

    def _positions(self, others: Mapping[int, Section]) -> Positions:
        ports = ListenPorts.of(each.block for each in self._definitions)
        found: dict[tuple[str, str], int] = {}
        unknown = set[int]()
        for position, section in others.items():
            for address in map(SiteAddress.parse, section.block.keys if is_site(section.block) else ()):
                port = address.port or str(ports.http if address.scheme == "http" else ports.https)
                found.setdefault((address.host.lower(), port), position)
                if not address.is_literal:
                    unknown.add(position)
        return {**found, UNKNOWN: unknown.pop()} if len(unknown) == 1 else found

    def _adapted_skeleton(self, kinds: Iterable[Kind], others: Mapping[int, Section]) -> Document:
        """The sites that are not plain, and one of each kind of plain ones, as Caddy adapts them together."""
        texts = {position: each.text for position, each in others.items()}
        texts |= {kind.stub.position: kind.stub.site.stub for kind in kinds if kind.stub is not None}
        text = "".join([texts[position] for position in sorted(texts)])
        if self._skeleton is None or self._skeleton[0] != text:
            self._skeleton = text, self._decoded(text)
        skeleton = self._skeleton[1]
        if any(self._reads_files(each.block) for each in others.values()):
            self._skeleton = None
        return skeleton

    def _decoded(self, text: str) -> Document:
        """The document of a text, in which each named route has groups of its own.

        Caddy numbers those of named routes from zero too: of a request to a site and a named route in it, one route of
        each group runs.
        """
        document = Document.decode(self.adapt(text) if text else b"")
        return document.with_servers(_with_named_groups)


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


def _has(shared: frozenset[str], part: _Part) -> bool:
    return bool(shared) and not shared.isdisjoint(part.certified)


def _certified(site: Block) -> Iterator[str]:
    """The hosts in a site's addresses that Caddy requests certificates for."""
    return (each.host.lower() for each in map(SiteAddress.parse, site.keys) if each.scheme != "http")


def _is_snippet(block: Block) -> bool:
    return block.is_definition and block.keys[0].startswith("(")


def _batches(new: Iterable[_Known]) -> Iterator[list[_Known]]:
    """Batches in which each host comes once: by its hosts the route of a site is found."""
    batch: list[_Known] = []
    taken: set[str] = set()
    for section, part in new:
        if len(batch) == limits.MAX_ADAPTED_TOGETHER or not taken.isdisjoint(part.hosts):
            yield batch
            batch, taken = [], set()
        batch.append((section, part))
        taken.update(part.hosts)
    if batch:
        yield batch


def _with_named_groups(server: Server) -> Server:
    named = {name: _of_its_own(route, f"named route {name}") for name, route in server.named.items()}
    return evolve(server, named=named) if named else server


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

"""Caddy's JSON of each fragment alone, beside the definitions that it uses. So it is known which resource makes which route,
and which one Caddy refuses. Pure.

Sites of which the JSON is one route each are adapted some at a time. What Caddy refuses then, and every other fragment, is
adapted by itself.
"""

import contextlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from weakref import WeakValueDictionary

from attrs import Factory, define, field, frozen

from dockcaddy import caddyfile
from dockcaddy.caddyfile import Block, Origin, is_site
from dockcaddy.caddyjson.definitions import Definitions
from dockcaddy.caddyjson.document import Document, Route
from dockcaddy.caddyjson.frames import Filled
from dockcaddy.caddyjson.plain_sites import PlainSite
from dockcaddy.caddyjson.protocols import protocols_in
from dockcaddy.caddyjson.site_routes import Outcome, SiteRoutes
from dockcaddy.caddyjson.skeleton import NotSpliceable
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, TooLargeError
from dockcaddy.fragment import Fragment, Section, is_definition, sections_of
from dockcaddy.incremental import Chosen, Difference
from dockcaddy.settings import limits

# options may be refused only where there is a site
_PROBE = "http://probe.invalid {\n\trespond probe\n}\nprobe.invalid {\n\trespond probe\n}\n"

Protocols = tuple[tuple[str, bool], ...]
# Caddy's document of some plain sites without handlers, and their protocols, which are those of all sites of these kinds
_Framed = tuple[Document, tuple[PlainSite, ...], Protocols]


@frozen(eq=False)
class Alone:
    """What Caddy says to one fragment beside what it uses: a document, or the `refusal` of a text with these `blocks`.

    With `is_joint` it is refused by itself but not beside the other fragments of its sites; the document is that of all of
    these. With `reads_files` it may be another one without a change of labels. `protocols` are its listeners, each with
    whether it serves TLS, but for those whose protocol is fixed.
    """

    _make: Callable[[], Document] | None = None
    refusal: CaddyRefusal | None = None
    blocks: tuple[Block, ...] = ()
    is_joint: bool = False
    reads_files: bool = False
    protocols: Protocols = ()

    @property
    def document(self) -> Document | None:
        """Nothing, where it is refused. It is made when somebody asks for it: nobody does for most of many fragments."""
        return self._make() if self._make is not None else None

    @property
    def text(self) -> str:
        """The Caddyfile that is refused."""
        return caddyfile.write_with_origins(self.blocks)[0]

    @property
    def lines(self) -> tuple[tuple[Origin, ...], ...]:
        """The origins of each line of that text."""
        return caddyfile.write_with_origins(self.blocks)[1]


@frozen(eq=False)
class _Begun:
    """The plain sites of fragments that Caddy adapts meanwhile, and what becomes of them. `seen` are all that were looked at."""

    seen: set[Fragment] = field(factory=set)
    sites: dict[Fragment, list[PlainSite]] = field(factory=dict)
    outcomes: list[Iterator[Outcome]] = field(factory=list)


@define(eq=False)
class FragmentDocuments:
    """Keeps the documents of the fragments that there are. `adapt` is Caddy's, for one text at a time.

    `site_routes` adapts what can be adapted together, and may be shared with others that need the routes of sites.
    """

    adapt: Callable[[str], bytes]
    site_routes: SiteRoutes = field(default=Factory(lambda self: SiteRoutes(self.adapt), takes_self=True))
    route_order: str = "caddy"
    _defining: Chosen[Fragment] = field(factory=lambda: Chosen(lambda each: bool(each.definitions)))
    # None where it is not known what Caddy says to them
    _definers: tuple[Fragment, ...] | None = ()
    _refused_definers: dict[Fragment, Alone] = field(factory=dict)
    _definitions: Definitions = field(factory=Definitions)
    # what it was asked for last; nothing where some of it is to be made again
    _asked: tuple[Fragment, ...] = ()
    _latest: dict[Fragment, Alone] = field(factory=dict)
    # those of them that are refused, or may be another one without a change of labels
    _odd: dict[Fragment, Alone] = field(factory=dict)
    _joint: dict[Fragment, Alone] = field(factory=dict)
    _by_text: "WeakValueDictionary[str, Alone]" = field(default=Factory(WeakValueDictionary))
    _frames: dict[Hashable, _Framed | None] = field(factory=dict)
    _begun: _Begun = field(factory=_Begun)

    def begin(self, fragments: Sequence[Fragment]) -> None:
        """At a start, have Caddy begin with the plain sites, while others are rendered and it is found out which are left out.

        May be called with some of the fragments, and again with more. Caddy is not asked about what may be too large for it, or
        depends on definitions that may be. Raises CaddyUnreachable.
        """
        definers = () if self._latest else self._defining.of(tuple(fragments))
        if self._latest or not all(each.is_operators for each in definers):
            return
        self._define(definers)
        begun = self._begun
        new = [each for each in fragments if each not in begun.seen and each not in self._refused_definers]
        begun.seen.update(new)

        def small_ones() -> Iterator[PlainSite]:
            for each in new:
                found = self._plain_sites(each)
                if found and _are_small(found):
                    begun.sites[each] = found
                    yield from found

        if new:
            begun.outcomes.append(self.site_routes.routes(self._definitions, small_ones()))

    def of(self, fragments: Sequence[Fragment]) -> Mapping[Fragment, Alone]:
        """What Caddy says to each of these fragments, which are all that there are. Raises CaddyUnreachable."""
        fragments = tuple(fragments)
        known = self._latest
        if self._define(self._defining.of(fragments)):
            # what is known was made with those before
            self._asked, self._latest, self._odd = (), {}, {}
        difference = Difference.of(self._asked, fragments)
        gone = frozenset(difference.gone)
        again = [each for each, alone in self._odd.items() if alone.reads_files and each not in gone]
        new = [*(each for each in difference.new if each not in self._latest), *again]
        if not new and not difference:
            return self._latest | self._joint if self._joint else self._latest
        try:
            made = self._made(new)
        except CaddyUnreachable as error:
            # whoever keeps the error must not keep what was made until then
            raise error.with_traceback(None) from error.__cause__
        # what was known before is kept until now: texts that come again are not adapted again
        del known
        self._take(fragments, made, difference.gone)
        self._joint = self._beside_others(fragments)
        return self._latest | self._joint if self._joint else self._latest

    def _take(self, fragments: tuple[Fragment, ...], made: Mapping[Fragment, Alone], gone: Iterable[Fragment]) -> None:
        """Keep what is known of these fragments. Others have what was known before, and still count on it."""
        latest = {**self._latest, **made}
        for each in gone:
            latest.pop(each, None)
        if len(latest) != len(fragments):
            latest = {each: latest[each] for each in fragments}
        maybe = {**self._odd, **made}
        odd = {each: alone for each, alone in maybe.items() if alone.refusal is not None or alone.reads_files}
        self._odd = {each: alone for each, alone in odd.items() if each in latest}
        self._asked, self._latest = fragments, latest

    @property
    def too_large(self) -> Mapping[Fragment, Alone]:
        """Those of the last ones that are too large to be adapted by themselves."""
        return {each: alone for each, alone in self._odd.items() if isinstance(alone.refusal, TooLargeError)}

    def forget(self, fragments: Iterable[Fragment] | None = None) -> None:
        """Have Caddy adapt these again if it refused them, or all that it refused: it may be another one now."""
        refused = (*self._odd, *self._refused_definers)
        for each in refused if fragments is None else fragments:
            alone = self._odd.get(each)
            if alone is not None and alone.refusal is not None:
                del self._latest[each], self._odd[each]
                self._asked = ()
                self._by_text.pop(alone.text, None)
            if each in self._refused_definers:
                self._definers = None
        if fragments is None:
            # also of fragments that are gone
            for text in [text for text, alone in self._by_text.items() if alone.refusal is not None]:
                del self._by_text[text]

    def _define(self, definers: tuple[Fragment, ...]) -> bool:
        """Note the definitions of these fragments, of which Caddy accepts all. Returns whether they have changed."""
        if definers == self._definers:
            return False
        self._definers, self._refused_definers, self._frames, self._begun = None, {}, {}, _Begun()
        accepted = list(definers)
        try:
            self._accept(accepted)
        except CaddyRefusal:
            accepted = []
            for each in definers:
                try:
                    self._accept([*accepted, each])
                    accepted.append(each)
                except CaddyRefusal as refusal:
                    blocks = [section.block for section in self._definitions_in([*accepted, each])]
                    self._refused_definers[each] = Alone(None, _bare(refusal), tuple(blocks))
            self._accept(accepted)
        self._definers = definers
        return True

    def _accept(self, definers: Sequence[Fragment]) -> None:
        sections = self._definitions_in(definers)
        if sections:
            self.adapt("".join([each.text for each in sections]) + _PROBE)
        self._definitions = Definitions(sections)

    def _definitions_in(self, definers: Iterable[Fragment]) -> tuple[Section, ...]:
        blocks = (block for each in definers for block in each.blocks if not is_site(block))
        return sections_of(blocks, self.route_order)

    def _document(self, text: str) -> Document:
        document = Document.decode(self.adapt(text)) if text else Document()
        if sum(len(server.listen) for server in document.servers.values()) > limits.MAX_LISTENERS:
            raise TooLargeError(f"it listens at more than {limits.MAX_LISTENERS} addresses")
        return document

    def _made(self, fragments: Iterable[Fragment]) -> dict[Fragment, Alone]:
        made: dict[Fragment, Alone] = {}
        plain: dict[Fragment, list[PlainSite]] = {}
        others: list[Fragment] = []
        begun, self._begun = self._begun, _Begun()

        def plain_sites() -> Iterator[PlainSite]:
            for each in fragments:
                if each in self._refused_definers:
                    made[each] = self._refused_definers[each]
                elif each in begun.sites:
                    plain[each] = begun.sites[each]
                elif sites := self._plain_sites(each):
                    plain[each] = sites
                    yield from sites
                else:
                    others.append(each)

        routes: dict[PlainSite, Route] = {}
        # in this order: the sites that have begun are complete once the last of them has its outcome
        for outcome in [
            *chain.from_iterable(begun.outcomes),
            *self.site_routes.routes(self._definitions, plain_sites()),
        ]:
            if not isinstance(outcome, CaddyRefusal):
                routes.update((site, route) for site, route in outcome.items() if route is not None)
        for fragment, sites in plain.items():
            alone = self._together(sites, routes)
            if alone is None:
                others.append(fragment)
            else:
                made[fragment] = alone
        made.update(zip(others, self.site_routes.for_each(lambda each: self._alone((each,)), others), strict=True))
        return made

    def _plain_sites(self, fragment: Fragment) -> list[PlainSite]:
        """The sites of a fragment that has only plain ones, each with hosts of its own; else none."""
        found = list[PlainSite]()
        hosts = set[str]()
        for section in fragment.sections(self.route_order):
            plain = self.site_routes.plain(self._definitions, section) if is_site(section.block) else None
            if plain is None or not hosts.isdisjoint(plain.hosts):
                return []
            hosts.update(plain.hosts)
            found.append(plain)
        return found

    def _together(self, sites: Sequence[PlainSite], routes: Mapping[PlainSite, Route]) -> Alone | None:
        """What Caddy says to a fragment that has only plain sites; None where that is not found out with their routes."""
        if not all(site in routes for site in sites):
            return None
        framed = self._framed(sites)
        if framed is None:
            return None
        frame, stubs, protocols = framed
        return Alone(Filled(frame, stubs, tuple([(site, routes[site]) for site in sites])), protocols=protocols)

    def _framed(self, sites: Sequence[PlainSite]) -> _Framed | None:
        """Caddy's document of one site of each kind of these; None where that is not understood."""
        stubs = tuple({site.key: site for site in sites}.values())
        key = frozenset(each.key for each in stubs)
        if key not in self._frames:
            used = self._definitions.text_for(name for each in stubs for name in each.snippets)
            self._frames[key] = None
            with contextlib.suppress(CaddyRefusal, NotSpliceable):
                frame = self._document(used + "".join([each.stub for each in stubs]))
                Filled(frame, stubs, ())()
                self._frames[key] = frame, stubs, tuple(protocols_in(frame))
        return self._frames[key]

    def _alone(self, fragments: Sequence[Fragment], *, is_joint: bool = False) -> Alone:
        """What Caddy says to a text of these fragments and what they use."""
        blocks = [block for each in fragments for block in each.blocks]
        order = self.route_order
        every = sections_of(blocks, order) if is_joint else fragments[0].sections(order)
        sections = [each for each in every if is_site(each.block)]
        names = self._definitions.used_by(blocks) | {block.keys[0] for block in blocks if block.is_definition}
        text = self._definitions.text_for(names) + "".join([each.text for each in sections])
        reads_files = any(map(self._reads_files, blocks))
        known = self._by_text.get(text)
        if known is not None and not reads_files:
            return known
        try:
            document = self._document(text)
            protocols = tuple(protocols_in(document))
            made = Alone(lambda: document, is_joint=is_joint, reads_files=reads_files, protocols=protocols)
        except CaddyRefusal as refusal:
            blocks = [each.block for each in (*self._definitions.used(names), *sections)]
            made = Alone(None, _bare(refusal), tuple(blocks), reads_files=reads_files)
        self._by_text[text] = made
        return made

    def _reads_files(self, block: Block) -> bool:
        """Whether it imports files, or uses a definition that does."""
        definitions = self._definitions
        return definitions.reads_files((block,)) or definitions.reads_files(
            definitions.blocks(definitions.used_by((block,)))
        )

    def _beside_others(self, fragments: Sequence[Fragment]) -> dict[Fragment, Alone]:
        """What Caddy says to fragments that it refuses by themselves, beside the others of their sites."""
        refused = [each for each, alone in self._odd.items() if alone.refusal and each not in self._refused_definers]
        if not refused:
            return {}
        wanted = {group for each in refused for group in each.groups if not is_definition(group)}
        members: dict[Hashable, list[Fragment]] = defaultdict(list)
        for each in fragments:
            for group in each.groups & wanted:
                members[group].append(each)
        joint = {}
        for each in refused:
            sharing = {mate for group in each.groups for mate in members.get(group, ())}
            every = [mate for mate in fragments if mate in sharing] if len(sharing) > 1 else []
            accepted = [mate for mate in every if mate is each or self._latest[mate].refusal is None]
            for mates in (every, accepted):
                alone = self._alone(mates, is_joint=True) if len(mates) > 1 else None
                if alone is not None and alone.refusal is None:
                    joint[each] = alone
                    break
        return joint


def _are_small(sites: Sequence[PlainSite]) -> bool:
    """Whether these are of usual size, with nothing that is imported into them."""
    return (
        sum(len(each.text) for each in sites) <= limits.FREE_EXPANDED_TEXT
        and sum(len(each.hosts) for each in sites) <= limits.FREE_SITE_ADDRESSES
        and not any(each.snippets for each in sites)
    )


def _bare(refusal: CaddyRefusal) -> CaddyRefusal:
    """The refusal without its traceback, which would keep what is gone."""
    return type(refusal)(str(refusal))

"""Merges fragments into one Caddyfile. A changed fragment rebuilds only its own sites. Pure."""

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import attrgetter

from attrs import define, field, frozen

from dockcaddy import caddyfile
from dockcaddy.admission.conflicts import Conflict, Conflicts, Member, Neighbours
from dockcaddy.admission.replicas import without_superseded
from dockcaddy.caddyfile import Block, ListenPorts, Origin
from dockcaddy.fragment import Fragment, Section, text_of
from dockcaddy.incremental import Chosen, Difference, keep, places
from dockcaddy.merge.sites import SiteFinisher
from dockcaddy.model import Problem

# of each group that has changed, the blocks by the keys of their fragments
_Touched = dict[Hashable, dict[str, tuple[Block, ...]]]

EMPTY = "# Empty caddyfile"
_place = attrgetter("place")
# with this many changed groups, sorting everything is faster
SORTED_ANEW = 256


@frozen(eq=False)
class Assembly:
    """A whole Caddyfile: its text, the origins of each line, and the conflicts that show in the text.

    `shared` are the members of each group that several have, and of definitions, `neighbours` the sites with a path of an older
    site. They are compared by what Caddy makes of them.
    """

    sections: tuple[Section, ...]
    conflicts: tuple[Conflict, ...] = ()
    shared: Mapping[Hashable, Sequence[Member]] = field(factory=dict)
    neighbours: Sequence[Neighbours] = ()
    # what it was made from
    _given: tuple[Fragment, ...] = ()
    # the sections of sites that transformers noted something of
    _noted: tuple[Section, ...] = ()
    _bare: frozenset[Origin] = frozenset()

    @cached_property
    def text(self) -> str:
        """The Caddyfile; a comment if it is empty."""
        return text_of(self.sections) or EMPTY

    def says_the_same_as(self, other: "Assembly") -> bool:
        """Whether both have the same text."""
        hunks = Difference.of(self.sections, other.sections).hunks
        return all([each.text for each in hunk.old] == [each.text for each in hunk.new] for hunk in hunks)

    @cached_property
    def lines(self) -> tuple[tuple[Origin, ...], ...]:
        """The origins of each line of `text`, from line 1 on."""
        return caddyfile.write_with_origins([section.block for section in self.sections])[1]

    @property
    def fragments(self) -> list[Fragment]:
        """The fragments that it is made of, in their order."""
        return [each for each in self._given if each.blocks]

    @cached_property
    def listen_ports(self) -> ListenPorts:
        """The ports of sites that name none."""
        # no section is before the global options
        return ListenPorts.of(section.block for section in self.sections[:1])

    @cached_property
    def placeholders(self) -> Mapping[str, str]:
        """What placeholders in it stand for now."""
        return {name: value for each in self._noted for name, value in each.placeholders.items()}

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """The problems of its sites."""
        return (*(problem for each in self._noted for problem in each.problems), *self._empty_sites())

    def _empty_sites(self) -> Iterator[Problem]:
        """Sites for which no label says more than the address. A site that is empty only at times is none of them."""
        for section in self.sections if self._bare else ():
            origins = section.block.origins
            if _is_empty_site(section.block) and origins and self._bare.issuperset(origins):
                message = (
                    f"the site has no directives and every response is empty: add {origins[0].label}.reverse_proxy: "
                )
                yield Problem(origins[0].resource, origins[0].label, message + '"{{upstreams PORT}}"', "warning")


def _is_empty_site(block: Block) -> bool:
    return caddyfile.is_site(block) and not block.children


@define
class Assembler:
    """Keeps the groups of the last assembly, so that unchanged fragments are not merged again."""

    route_order: str = "caddy"
    finisher: SiteFinisher = field(factory=SiteFinisher)
    allow_shadowing: bool = False
    _in_order: dict[Hashable, Sequence[Member]] = field(factory=dict)
    _shared: dict[Hashable, Sequence[Member]] = field(factory=dict)
    # what it was given last, by key, and what is part of the assembly
    _given: tuple[Fragment, ...] = ()
    _by_key: dict[str, Fragment] = field(factory=dict)
    _fragments: dict[str, Fragment] = field(factory=dict)
    _bare: Chosen[Fragment] = field(factory=lambda: Chosen(lambda each: bool(each.bare)))
    _noted: Chosen[Section] = field(factory=lambda: Chosen(_is_noted))
    _sections: dict[Hashable, tuple[Section, ...]] = field(factory=dict)
    _conflicts: Conflicts = field(init=False)
    _ordered: list[Section] = field(factory=list)
    _latest: Assembly | None = None

    def __attrs_post_init__(self) -> None:
        self._conflicts = Conflicts(self.allow_shadowing)

    def assemble(self, fragments: Sequence[Fragment]) -> Assembly:
        """Merge, sort and write `fragments`, in that order.

        Gives the same assembly as before where none of them has changed.
        """
        touched: _Touched = {}
        before, left = self._fragments, list[str]()
        for key, fragment in self._changed(tuple(fragments)).items():
            if key in before:
                self._leave(before.pop(key), touched)
                left.append(key)
            if fragment is not None:
                self._enter(fragment, touched)
                before[key] = fragment
        if touched or self._latest is None:
            self._latest = self._assembled(touched, left)
        return self._latest

    def _changed(self, fragments: tuple[Fragment, ...]) -> Mapping[str, Fragment | None]:
        """By key, the fragments that are to be part of the assembly and are not yet; None for those that are to leave it."""
        difference = Difference.of(self._given, fragments)
        for each in difference.gone:
            self._by_key.pop(each.key, None)
        self._by_key.update((each.key, each) for each in difference.new)
        keys = [each.key for each in (*difference.gone, *difference.new)]
        if len(self._by_key) != len(fragments):
            # of several with one key the last one counts
            self._by_key = {each.key: each for each in fragments}
            keys = [*self._fragments, *self._by_key]
        self._given = fragments
        wanted = {key: self._by_key.get(key) for key in keys}
        return {key: each for key, each in wanted.items() if self._fragments.get(key) is not each}

    def _assembled(self, touched: _Touched, left: Sequence[str]) -> Assembly:
        """The assembly, of which the touched groups are made again."""
        if touched:
            keys = {key for blocks in touched.values() for key in blocks}
            there = places([self._fragments[key] for key in keys], self._given)
            positions = {each.key: place for each, place in there.items()}
            members = {group: self._members(blocks, positions) for group, blocks in touched.items()}
            self._conflicts.update(members, left)
            for group, found in members.items():
                keep(self._in_order, group, found)
                keep(self._shared, group, found if len(found) > 1 or isinstance(group, tuple) else ())
            self._put_in_order({group: self._finished(found) for group, found in members.items()})
        bare = [each.bare for each in self._bare.of(self._given)]
        sections = tuple(self._ordered)
        return Assembly(
            sections,
            self._conflicts.conflicts,
            dict(self._shared),
            self._conflicts.neighbours,
            self._given,
            self._noted.of(sections),
            frozenset[Origin]().union(*bare),
        )

    def _enter(self, fragment: Fragment, touched: _Touched) -> None:
        grouped: dict[Hashable, list[Block]] = {}
        for group, block in zip(fragment.group_keys, fragment.blocks, strict=True):
            grouped.setdefault(group, []).append(block)
        for group, blocks in grouped.items():
            self._blocks(group, touched)[fragment.key] = tuple(blocks)

    def _leave(self, fragment: Fragment, touched: _Touched) -> None:
        for group in fragment.group_keys:
            self._blocks(group, touched).pop(fragment.key, None)

    def _blocks(self, group: Hashable, touched: _Touched) -> dict[str, tuple[Block, ...]]:
        """The blocks of a group by the keys of their fragments, to be changed."""
        if group not in touched:
            touched[group] = {each.fragment.key: each.blocks for each in self._in_order.get(group, ())}
        return touched[group]

    def _members(self, blocks: Mapping[str, tuple[Block, ...]], positions: Mapping[str, int]) -> tuple[Member, ...]:
        in_order = [(self._fragments[key], positions[key]) for key in sorted(blocks, key=positions.__getitem__)]
        return tuple([Member(each, blocks[each.key], (each.seniority, place)) for each, place in in_order])

    def _finished(self, members: Sequence[Member]) -> tuple[Section, ...]:
        """The finished sections of a group."""
        return tuple(map(self.finisher.finish, self._merged(members)))

    def _merged(self, members: Sequence[Member]) -> Iterable[Section]:
        if len(members) == 1 and len(members[0].blocks) == len(members[0].fragment.blocks):
            # nothing but this group is in the fragment, which nobody shares
            return members[0].fragment.sections(self.route_order)
        merged = caddyfile.merge(block for member in members for block in member.blocks)
        return map(Section.of, caddyfile.sort(map(without_superseded, merged), self.route_order))

    def _put_in_order(self, rebuilt: dict[Hashable, tuple[Section, ...]]) -> None:
        """Replace the sections of groups. A few are inserted, many are sorted."""
        old = [section for group in rebuilt for section in self._sections.pop(group, ())]
        self._sections.update((group, sections) for group, sections in rebuilt.items() if sections)
        if len(rebuilt) > SORTED_ANEW:
            every = (section for sections in self._sections.values() for section in sections)
            self._ordered = sorted(every, key=_place)
            return
        for section in old:
            at = bisect_left(self._ordered, section.place, key=_place)
            while self._ordered[at] is not section:
                at += 1
            del self._ordered[at]
        for sections in rebuilt.values():
            for section in sections:
                insort(self._ordered, section, key=_place)


def _is_noted(section: Section) -> bool:
    return bool(section.placeholders or section.problems)

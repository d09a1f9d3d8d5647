"""Fragments become one Caddyfile, and a changed fragment costs only the sites it touches. Pure."""

from collections.abc import Collection, Hashable, Sequence
from functools import cached_property
from typing import Any

from attrs import define, field, frozen

from dockcaddy import caddyfile
from dockcaddy.caddyfile import Block, Origin
from dockcaddy.conflicts import Clash, clashes
from dockcaddy.rendering import Fragment
from dockcaddy.replicas import without_superseded

EMPTY = "# Empty caddyfile"


@frozen(eq=False)
class Section:
    """The merged and sorted top-level blocks of one group: they share a first key, so no other group touches them."""

    blocks: tuple[Block, ...]
    sort_keys: tuple[tuple[Any, ...], ...]
    texts: tuple[str, ...]


@frozen(eq=False)
class Assembly:
    """A whole Caddyfile: its text, for each line the origins of what stands there, and what in it contradicts itself."""

    sections: tuple[tuple[Block, str], ...]
    clashes: tuple[Clash, ...] = ()

    @cached_property
    def text(self) -> str:
        """The Caddyfile; a comment where there is nothing."""
        if not self.sections:
            return EMPTY
        texts = [text for _, text in self.sections]
        texts[-1] = caddyfile.write_block(self.sections[-1][0], last=True)
        return "".join(texts)

    @cached_property
    def lines(self) -> tuple[tuple[Origin, ...], ...]:
        """The origins of each line of `text`, from line 1 on."""
        return caddyfile.write_with_origins([block for block, _ in self.sections])[1]


@define
class Assembler:
    """Keeps the groups of the last assembly, so that equal fragments are not merged again."""

    route_order: str = "caddy"
    _members: dict[Hashable, dict[str, tuple[Block, ...]]] = field(factory=dict)
    _fragments: dict[str, Fragment] = field(factory=dict)
    _sections: dict[Hashable, Section] = field(factory=dict)
    _clashes: dict[Hashable, tuple[Clash, ...]] = field(factory=dict)
    _ordered: list[tuple[tuple[Any, ...], str, Block]] | None = None

    def assemble(self, fragments: Sequence[Fragment], excluded: Collection[str] = frozenset()) -> Assembly:
        """Merge, sort and write `fragments`, in that order, without those whose key is `excluded`."""
        wanted = {fragment.key: fragment for fragment in fragments if fragment.key not in excluded}
        touched: set[Hashable] = set()
        for key in [key for key in self._fragments if key not in wanted]:
            touched |= self._leave(self._fragments.pop(key))
        for key, fragment in wanted.items():
            before = self._fragments.get(key)
            if before is not fragment:
                if before is not None:
                    touched |= self._leave(before)
                touched |= self._enter(fragment)
                self._fragments[key] = fragment
        if touched:
            positions = {key: position for position, key in enumerate(wanted)}
            for group in touched:
                self._rebuild(group, positions)
            self._ordered = None
        return self._whole()

    def _enter(self, fragment: Fragment) -> set[Hashable]:
        grouped: dict[Hashable, list[Block]] = {}
        for block in fragment.blocks:
            grouped.setdefault(caddyfile.group_key(block), []).append(block)
        for group, blocks in grouped.items():
            self._members.setdefault(group, {})[fragment.key] = tuple(blocks)
        return set(grouped)

    def _leave(self, fragment: Fragment) -> set[Hashable]:
        groups = {caddyfile.group_key(block) for block in fragment.blocks}
        for group in groups:
            self._members[group].pop(fragment.key, None)
        return groups

    def _rebuild(self, group: Hashable, positions: dict[str, int]) -> None:
        members = self._members[group]
        self._clashes.pop(group, None)
        if not members:
            del self._members[group]
            self._sections.pop(group, None)
            return
        in_order = sorted(members, key=positions.__getitem__)
        if len(members) > 1:
            found = clashes((self._fragments[key], members[key]) for key in in_order)
            if found:
                self._clashes[group] = found
        merged = caddyfile.merge(block for key in in_order for block in members[key])
        blocks = caddyfile.sort(map(without_superseded, merged), self.route_order)
        self._sections[group] = Section(
            blocks,
            tuple(caddyfile.sort_key(block) for block in blocks),
            tuple(caddyfile.write_block(block) for block in blocks),
        )

    def _whole(self) -> Assembly:
        if self._ordered is None:
            self._ordered = sorted(
                (
                    (sort_key, text, block)
                    for section in self._sections.values()
                    for sort_key, text, block in zip(section.sort_keys, section.texts, section.blocks, strict=True)
                ),
                key=lambda entry: entry[0],
            )
        clashing = tuple(clash for found in self._clashes.values() for clash in found)
        return Assembly(tuple((block, text) for _, text, block in self._ordered), clashing)

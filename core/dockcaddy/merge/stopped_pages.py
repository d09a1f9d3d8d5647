"""A stopped container's page is for addresses that nothing else serves; its certificate, `bind` and log stay. Pure."""

from collections.abc import Hashable, Iterable, Iterator, Sequence

from attrs import define, evolve, field

from dockcaddy.caddyfile import Block, group_key, is_site
from dockcaddy.fragment import Fragment
from dockcaddy.incremental import Chosen

_Addresses = frozenset[Hashable]


@define
class StoppedPages:
    """Leaves pages out. The same fragments are returned as long as nothing changes."""

    _kept: dict[str, tuple[Fragment, Fragment]] = field(factory=dict)
    _pages: Chosen[Fragment] = field(factory=lambda: Chosen(lambda each: each.is_page))

    def needed(self, fragments: tuple[Fragment, ...]) -> tuple[Fragment, ...]:
        """The fragments, with pages only for addresses that nothing that runs serves."""
        if not self._pages.of(fragments):
            return fragments
        kept: dict[str, tuple[Fragment, Fragment]] = {}
        sites = _Sites.of(each for each in fragments if not each.is_page and not each.is_stopped)
        for each in fragments:
            if each.is_page:
                made = evolve(each, blocks=tuple(sites.left(each.blocks)))
                before = self._kept.get(each.key)
                is_same = before is not None and before[0] is each and before[1].blocks == made.blocks
                kept[each.key] = before if before is not None and is_same else (each, made)
                sites.add_pages(_groups([made]))
        self._kept = kept
        return tuple(kept[each.key][1] if each.is_page else each for each in fragments)


@define
class _Sites:
    """What is served: `taken` addresses, groups of the `running` sites of containers, and of `pages` so far.

    Only sites of equal groups become one, others that share an address are an error for Caddy.
    """

    taken: set[Hashable]
    running: frozenset[_Addresses]
    pages: set[_Addresses] = field(factory=set)

    @classmethod
    def of(cls, fragments: Iterable[Fragment]) -> "_Sites":
        every = list(fragments)
        running = _groups(each for each in every if not each.is_operators)
        return cls(set().union(*running, *_groups(each for each in every if each.is_operators)), running)

    def add_pages(self, groups: frozenset[_Addresses]) -> None:
        """These addresses have a page now, if nothing runs there."""
        new = groups - self.running
        self.pages |= new
        self.taken.update(*new)

    def left(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """These blocks of a page's fragment, as far as nothing else serves them."""
        for block in blocks:
            if not is_site(block) or _group(block) in self.pages:
                yield block
                continue
            names = [key.rstrip(",") for key in block.keys if key != ","]
            if free := [each for each in names if self.taken.isdisjoint(_group(Block((each,))))]:
                yield block if len(free) == len(names) else _of(block, free)
            # the page is the last line, those before it are of use to whatever serves the site
            others = [each for each in names if each not in free]
            settings = block.children[:-1]
            if settings and others and _group(Block(tuple(others))) in self.running:
                yield evolve(_of(block, others), children=settings)


def _of(block: Block, names: Sequence[str]) -> Block:
    return evolve(block, keys=(*(f"{each}," for each in names[:-1]), names[-1]))


def _group(block: Block) -> _Addresses:
    group = group_key(block)
    return group if isinstance(group, frozenset) else _Addresses()


def _groups(fragments: Iterable[Fragment]) -> frozenset[_Addresses]:
    return frozenset(
        group for each in fragments if not each.refused for group in each.groups if isinstance(group, frozenset)
    )

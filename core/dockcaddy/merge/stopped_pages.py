"""A stopped container's page is for addresses that nothing else serves. Pure."""

from collections.abc import Hashable, Iterable, Iterator, Sequence

from attrs import define, evolve, field

from dockcaddy.caddyfile import Block, group_key, is_site
from dockcaddy.fragment import Fragment

_Addresses = frozenset[Hashable]


@define
class StoppedPages:
    """Leaves pages out. The same fragments are returned as long as nothing changes."""

    _kept: dict[str, tuple[Fragment, _Addresses, Fragment]] = field(factory=dict)

    def needed(self, fragments: Sequence[Fragment]) -> tuple[Fragment, ...]:
        """The fragments, with pages only for addresses that no other resource serves, each from one container."""
        if not any(each.is_page for each in fragments):
            return tuple(fragments)
        kept: dict[str, tuple[Fragment, _Addresses, Fragment]] = {}
        served = _addresses(each for each in fragments if not each.is_page and not each.is_stopped)
        for each in fragments:
            if each.is_page:
                own = _addresses([each])
                taken = own & served
                served |= own
                before = self._kept.get(each.key)
                is_same = before is not None and before[:2] == (each, taken)
                kept[each.key] = before if before is not None and is_same else (each, taken, _without(each, taken))
        self._kept = kept
        return tuple(kept[each.key][2] if each.is_page else each for each in fragments)


def _addresses(fragments: Iterable[Fragment]) -> _Addresses:
    groups = (group for each in fragments if not each.refused for group in each.groups)
    return frozenset(address for group in groups if isinstance(group, frozenset) for address in group)


def _without(fragment: Fragment, taken: _Addresses) -> Fragment:
    """The fragment without these addresses, and without sites that have no other."""
    if not taken:
        return fragment
    return evolve(fragment, blocks=tuple(_left(fragment.blocks, taken)))


def _left(blocks: Iterable[Block], taken: _Addresses) -> Iterator[Block]:
    for block in blocks:
        names = [key.rstrip(",") for key in block.keys if key != ","] if is_site(block) else []
        left = [name for name in names if taken.isdisjoint(_addresses_of(name))]
        if len(left) == len(names):
            yield block
        elif left:
            yield evolve(block, keys=(*(f"{each}," for each in left[:-1]), left[-1]))


def _addresses_of(name: str) -> _Addresses:
    group = group_key(Block((name,)))
    return group if isinstance(group, frozenset) else frozenset()

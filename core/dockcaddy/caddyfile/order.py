"""The total order of a tree: equal content gives equal text, whatever its original order."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from dockcaddy.caddyfile.block import Block
from dockcaddy.caddyfile.directives import DIRECTIVES, FIRST_HANDLER
from dockcaddy.caddyfile.matchers import matcher

_ORDERED = tuple(each.name for each in DIRECTIVES.values() if each.ordered)
# directives without a place in the order (`import`, those of Caddy's plugins) come before the first handler
_UNKNOWN = _ORDERED.index(FIRST_HANDLER)
_POSITIONS = {name: at + (at >= _UNKNOWN) for at, name in enumerate(_ORDERED)}

# the place of a top-level block among merged ones
Place = tuple[int, int, tuple[str, ...]]
# a block whose children are sorted, behind its sort key
_Placed = tuple[tuple[Any, ...], Block]
_key = itemgetter(0)


def sort(blocks: Iterable[Block], route_order: str = "caddy") -> tuple[Block, ...]:
    """Blocks in their order, on every level: global options, snippets, matchers, then order numbers, then text.

    Inside `route`, where Caddy keeps the written order, siblings with one order number follow Caddy's own directive
    order; `route_order="alphabetical"` sorts them as text, as caddy-docker-proxy does.
    """
    placed = [_placed(block, by_directive=route_order == "caddy") for block in blocks]
    return tuple([block for _, block in sorted(placed, key=_key)])


def _placed(block: Block, *, by_directive: bool) -> _Placed:
    """The block with its children sorted, and its sort key, in which theirs are."""
    keys, children = block.keys, block.children
    if not children:
        return (_rank(keys), block.order, keys, ()), block
    inside = [_placed(child, by_directive=by_directive) for child in children]
    inside.sort(key=_route_key if by_directive and keys[:1] == ("route",) else _key)
    within, ordered = tuple([key for key, _ in inside]), tuple([child for _, child in inside])
    block = block if ordered == children else block.with_children(ordered)
    return (_rank(keys), block.order, keys, within), block


def _rank(keys: tuple[str, ...]) -> int:
    first = keys[0][:1] if keys else ""
    if first == "@":
        return 2
    if first == "(" and len(keys) == 1 and keys[0].endswith(")"):
        return 1
    return 3 if keys else 0


def _route_key(child: _Placed) -> tuple[Any, ...]:
    """The sort key inside `route`: Caddy's directive order, then specificity, suffix and text."""
    (rank, order, keys, children), block = child
    name = block.keys[0] if block.keys else ""
    return (rank, order, _POSITIONS.get(name, _UNKNOWN), name, _specificity(block), block.suffix, keys, children)


def merged_key(block: Block) -> Place:
    """The sort key of a top-level block among merged ones, of which no two have the same keys."""
    return _rank(block.keys), block.order, block.keys


def position(directive: str) -> int:
    """The position of a directive in Caddy's order. `handle_path` is sorted with `handle`."""
    return _POSITIONS.get("handle" if directive == "handle_path" else directive, _UNKNOWN)


def _specificity(block: Block) -> tuple[int, int, str]:
    """The place among equal directives: longer paths first, then named matchers, then what matches everything.

    All matching `vars` run and the last one wins, so the most specific one comes last, as in Caddy.
    """
    return _generality(matcher(block), -1 if block.keys[:1] == ("vars",) else 1)


def _generality(token: str, direction: int) -> tuple[int, int, str]:
    if token.startswith("/"):
        return -2 * direction, -len(token.removesuffix("*")) * direction, token
    return (-1 * direction if token.startswith("@") else 0), 0, ""

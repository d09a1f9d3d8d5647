"""The total order of a tree: equal content gives equal text, whatever its original order."""

from collections.abc import Iterable

from attrs import evolve

from dockcaddy.caddyfile.block import Block
from dockcaddy.caddyfile.directives import DIRECTIVES, FIRST_HANDLER
from dockcaddy.caddyfile.matchers import matcher

_ORDERED = tuple(each.name for each in DIRECTIVES.values() if each.ordered)
# directives without a place in the order (`import`, those of Caddy's plugins) come before the first handler
_UNKNOWN = _ORDERED.index(FIRST_HANDLER)
_POSITIONS = {name: at + (at >= _UNKNOWN) for at, name in enumerate(_ORDERED)}


def sort(blocks: Iterable[Block], route_order: str = "caddy") -> tuple[Block, ...]:
    """Blocks in their order, on every level: global options, snippets, matchers, then order numbers, then text.

    Inside `route`, where Caddy keeps the written order, siblings with one order number follow Caddy's own directive
    order; `route_order="alphabetical"` sorts them as text, as caddy-docker-proxy does.
    """
    return tuple(sorted((_sorted_inside(block, route_order) for block in blocks), key=sort_key))


def _sorted_inside(block: Block, route_order: str) -> Block:
    if not block.children:
        return block
    by_directive = route_order == "caddy" and block.keys[:1] == ("route",)
    key = _route_key if by_directive else sort_key
    children = tuple(sorted([_sorted_inside(child, route_order) for child in block.children], key=key))
    return block if children == block.children else evolve(block, children=children)


def sort_key(block: Block) -> tuple[object, ...]:
    """The sort key of a block whose children are sorted."""
    keys, children = block.keys, block.children
    return (_rank(keys), block.order, keys, tuple(sort_key(child) for child in children) if children else ())


def _rank(keys: tuple[str, ...]) -> int:
    if not keys:
        return 0
    first = keys[0]
    if first.startswith("@"):
        return 2
    return 1 if len(keys) == 1 and first.startswith("(") and first.endswith(")") else 3


def _route_key(block: Block) -> tuple[object, ...]:
    """The sort key inside `route`: Caddy's directive order, then specificity, suffix and text."""
    rank, order, keys, children = sort_key(block)
    name = block.keys[0] if block.keys else ""
    return (rank, order, _POSITIONS.get(name, _UNKNOWN), name, _specificity(block), block.suffix, keys, children)


def merged_key(block: Block) -> tuple[int, int, tuple[str, ...]]:
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

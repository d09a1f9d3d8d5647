"""The total order of a tree: equal content gives equal text, whatever the order it came in."""

from collections.abc import Iterable
from typing import Any

from attrs import evolve

from dockcaddy.caddyfile.block import Block

# https://caddyserver.com/docs/caddyfile/directives#directive-order, Caddy 2.11
DIRECTIVE_ORDER = [
    "tracing",
    "map",
    "vars",
    "fs",
    "root",
    "log_append",
    "log_skip",
    "skip_log",
    "log_name",
    "header",
    "copy_response_headers",
    "request_body",
    "redir",
    "method",
    "rewrite",
    "uri",
    "try_files",
    "basic_auth",
    "basicauth",
    "forward_auth",
    "request_header",
    "encode",
    "push",
    "intercept",
    "templates",
    "invoke",
    "handle",
    "handle_path",
    "route",
    "abort",
    "error",
    "copy_response",
    "respond",
    "metrics",
    "reverse_proxy",
    "php_fastcgi",
    "file_server",
    "acme_server",
]
_POSITION = {name: position for position, name in enumerate(DIRECTIVE_ORDER)}
# where the last one wins, Caddy runs the most specific path last
_SPECIFIC_LAST = frozenset(("vars", "root"))


def sort(blocks: Iterable[Block], route_order: str = "caddy") -> tuple[Block, ...]:
    """Blocks in their order, on every level: global options, snippets, matchers, then order numbers, then text.

    Inside `route`, where Caddy keeps the written order, siblings with one order number follow Caddy's own directive
    order; `route_order="alphabetical"` sorts them as text, as caddy-docker-proxy does.
    """
    return tuple(sorted((_sorted_inside(block, route_order) for block in blocks), key=sort_key))


def _sorted_inside(block: Block, route_order: str) -> Block:
    if not block.children:
        return block
    children = (_sorted_inside(child, route_order) for child in block.children)
    by_directive = route_order == "caddy" and block.keys[:1] == ("route",)
    return evolve(block, children=tuple(sorted(children, key=_route_key if by_directive else sort_key)))


def sort_key(block: Block) -> tuple[Any, ...]:
    """What blocks are compared by, once their children are sorted."""
    keys = block.keys
    return (_rank(keys), block.order, keys, tuple(sort_key(child) for child in block.children))


def _rank(keys: tuple[str, ...]) -> int:
    if not keys:
        return 0
    first = keys[0]
    return 1 if first.startswith("(") else 2 if first.startswith("@") else 3


def _route_key(block: Block) -> tuple[Any, ...]:
    name = block.keys[0] if block.keys else ""
    position = _POSITION.get(name, len(DIRECTIVE_ORDER))
    specificity = _path_length(block.keys)
    ranked = specificity if name in _SPECIFIC_LAST else -specificity
    return (_rank(block.keys), block.order, position, name, ranked, *sort_key(block)[2:])


def _path_length(keys: tuple[str, ...]) -> int:
    """How specific the matcher is: a longer path first, then a named one, then everything."""
    if len(keys) < 2:
        return 0
    if keys[1].startswith("/"):
        return 1 + len(keys[1])
    return 1 if keys[1].startswith("@") else 0

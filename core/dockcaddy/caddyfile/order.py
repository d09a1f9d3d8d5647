"""The total order of a tree: equal content gives equal text, whatever the order it came in."""

from collections.abc import Iterable

from attrs import evolve

from dockcaddy.caddyfile.block import Block

# https://caddyserver.com/docs/caddyfile/directives#directive-order, Caddy 2.11
_FIRST = """
    tracing map vars fs root log_append log_skip skip_log log_name
    header copy_response_headers request_body redir
    method rewrite uri try_files
    basic_auth basicauth forward_auth request_header encode push intercept templates
"""
_ANSWERING = """
    invoke handle handle_path route
    abort error copy_response respond metrics reverse_proxy php_fastcgi file_server acme_server
"""
# What Caddy has no place for (`import`, directives of its plugins: authorize, rate_limit) runs before anything answers.
_UNKNOWN = len(_FIRST.split())
_POSITIONS = {name: position for position, name in enumerate(_FIRST.split())}
_POSITIONS |= {name: _UNKNOWN + position for position, name in enumerate(_ANSWERING.split(), 1)}
# what only a site can have: these are no global options
SITE_DIRECTIVES = frozenset((*_POSITIONS, "tls", "bind")) - {"metrics"}
# what sends requests on to upstreams
PROXIES = frozenset(("reverse_proxy", "php_fastcgi"))
# A single argument of these is their value, even where it looks like a path matcher.
_VALUE_ALONE = frozenset(("root", "rewrite"))


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
    """What blocks are compared by, once their children are sorted."""
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
    """Directives as Caddy sorts them elsewhere, equal ones by specificity, by their suffix, then as text."""
    rank, order, keys, children = sort_key(block)
    name = block.keys[0] if block.keys else ""
    return (rank, order, _POSITIONS.get(name, _UNKNOWN), name, _specificity(block.keys), block.suffix, keys, children)


def position(directive: str) -> int:
    """Where Caddy runs a directive among the others of a site. `handle_path` has its turn among the `handle`."""
    return _POSITIONS.get("handle" if directive == "handle_path" else directive, _UNKNOWN)


def matcher(block: Block) -> str:
    """The matcher of a directive, `""` where it has none."""
    keys = block.keys
    if len(keys) < 2 or keys[0] == "try_files" or (len(keys) == 2 and keys[0] in _VALUE_ALONE):
        return ""
    return keys[1] if keys[1] == "*" or keys[1].startswith(("/", "@")) else ""


def _specificity(keys: tuple[str, ...]) -> tuple[int, int, str]:
    """The place among equal directives: longer paths first, then named matchers, then what matches everything.

    Of `vars` all that match run and the last one wins, so there the most specific comes last, as in Caddy.
    """
    matcher = keys[1] if len(keys) > 1 else ""
    if keys[:1] == ("vars",):
        return _generality(matcher, -1)
    if len(keys) == 2 and keys[0] in _VALUE_ALONE:
        return 0, 0, ""
    return _generality(matcher, 1)


def _generality(matcher: str, direction: int) -> tuple[int, int, str]:
    if matcher.startswith("/"):
        return -2 * direction, -len(matcher.removesuffix("*")) * direction, matcher
    return (-1 * direction if matcher.startswith("@") else 0), 0, ""

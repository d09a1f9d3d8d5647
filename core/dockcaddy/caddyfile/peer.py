"""Merge and write blocks as caddy-docker-proxy does, its faults included, to compare with it."""

from collections.abc import Iterable, Iterator

from attrs import evolve

from dockcaddy.caddyfile.block import Block
from dockcaddy.caddyfile.directives import PROXIES
from dockcaddy.caddyfile.matchers import split_matcher
from dockcaddy.caddyfile.merge import merge_key


def merge_as_peer(blocks: Iterable[Block], onto: tuple[Block, ...] = ()) -> tuple[Block, ...]:
    """Each block joins the first one with the same tokens, a proxy the first one with the same matcher.

    Addresses and upstreams are compared as text, and an upstream that is named twice stays twice. Blocks of `onto` stay
    apart.
    """
    merged = list(onto)
    for block in blocks:
        kind = merge_key(block.keys)
        at = next((at for at, each in enumerate(merged) if merge_key(each.keys) == kind), None)
        if at is None:
            merged.append(block)
        else:
            merged[at] = _joined(merged[at], block)
    return tuple(merged)


def _joined(block: Block, other: Block) -> Block:
    is_proxy = block.keys[:1] and block.keys[0] in PROXIES
    return evolve(
        block,
        keys=(*block.keys, *split_matcher(other.keys[1:])[1]) if is_proxy else block.keys,
        children=merge_as_peer(other.children, block.children),
        origins=tuple(dict.fromkeys(block.origins + other.origins)),
    )


def write_as_peer(block: Block, *, last: bool = False) -> str:
    """One top-level block as text: braces and empty tokens without quotes, a site without directives without braces.

    It makes no difference whether it is the `last` one in a file.
    """
    return "".join(_lines(block, ""))


def _lines(block: Block, indent: str) -> Iterator[str]:
    head = " ".join(map(_token, block.keys))
    if not block.children:
        if block.keys:
            yield f"{indent}{head}\n"
        return
    yield f"{indent}{head} {{\n" if head else f"{indent}{{\n"
    for child in block.children:
        yield from _lines(child, indent + "\t")
    yield f"{indent}}}\n"


def _token(token: str) -> str:
    if "\n" in token or '"' in token:
        return "`" + token.replace("`", "\\`") + "`"
    return f'"{token}"' if " " in token else token

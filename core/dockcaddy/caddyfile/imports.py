"""Imported files, wherever the Caddy that reads the text runs."""

import posixpath
from collections.abc import Iterable

from attrs import evolve

from dockcaddy.caddyfile.block import Block

# what tells a path from the name of a snippet
_OF_PATHS = frozenset("/.*?[")


def with_absolute_imports(blocks: Iterable[Block], folder: str) -> tuple[Block, ...]:
    """The blocks with the relative paths of their imports starting from `folder`, as in a file that lies there.

    See https://caddyserver.com/docs/caddyfile/directives/import.
    """
    blocks = tuple(blocks)
    snippets = {block.keys[0][1:-1] for block in blocks if block.keys and block.keys[0].startswith("(")}
    return tuple([_absolute(block, folder, snippets) for block in blocks])


def imports_files(line: Block) -> bool:
    """Whether a line imports files, unless there is a snippet of that name."""
    return line.keys[:1] == ("import",) and len(line.keys) > 1 and not _OF_PATHS.isdisjoint(line.keys[1])


def _absolute(block: Block, folder: str, snippets: set[str]) -> Block:
    keys = block.keys
    if keys[:1] == ("import",) and len(keys) > 1 and keys[1] not in snippets and _is_relative_path(keys[1]):
        keys = ("import", posixpath.normpath(posixpath.join(folder, keys[1])), *keys[2:])
    children = tuple([_absolute(child, folder, snippets) for child in block.children])
    return block if keys is block.keys and children == block.children else evolve(block, keys=keys, children=children)


def _is_relative_path(word: str) -> bool:
    return not word.startswith(("/", "{")) and not _OF_PATHS.isdisjoint(word)

"""Imports of files, made independent of the folder that Caddy runs in."""

import posixpath
from collections.abc import Callable, Iterable

from attrs import evolve

from dockcaddy.caddyfile.block import Block

# characters of paths, which are not usual in the names of snippets
_OF_PATHS = frozenset("/.*?[")
# in labels a dot alone is no sign of a path: other resources may have a snippet `(example.org)`
_EXTENSIONS = (".caddy", ".caddyfile", ".conf", ".cfg", ".inc", ".txt")


def with_absolute_imports(blocks: Iterable[Block], folder: str) -> tuple[Block, ...]:
    """The blocks of a file with the relative paths of their imports starting from its `folder`.

    See https://caddyserver.com/docs/caddyfile/directives/import.
    """
    return _all_absolute(tuple(blocks), folder, lambda word: not _OF_PATHS.isdisjoint(word))


def with_absolute_imports_of_labels(blocks: Iterable[Block], folder: str) -> tuple[Block, ...]:
    """The same for the blocks of labels, where a name that may be a snippet's stays as it is."""
    return _all_absolute(tuple(blocks), folder, lambda word: "/" in word or word.lower().endswith(_EXTENSIONS))


def _all_absolute(blocks: tuple[Block, ...], folder: str, is_path: Callable[[str], bool]) -> tuple[Block, ...]:
    snippets = {block.keys[0][1:-1] for block in blocks if block.keys and block.keys[0].startswith("(")}

    def absolute(block: Block) -> Block:
        keys = block.keys
        if len(keys) > 1 and keys[0] == "import" and _is_relative(keys[1]) and keys[1] not in snippets:
            place = posixpath.join(folder, keys[1])
            keys = ("import", posixpath.normpath(place), *keys[2:]) if is_path(keys[1]) else keys
        children = tuple([absolute(child) for child in block.children])
        same = keys is block.keys and all(map(_is, children, block.children))
        return block if same else evolve(block, keys=keys, children=children)

    return tuple([absolute(block) for block in blocks])


def imports_files(line: Block) -> bool:
    """Whether a line imports files, unless there is a snippet of that name."""
    return line.keys[:1] == ("import",) and len(line.keys) > 1 and not _OF_PATHS.isdisjoint(line.keys[1])


def _is_relative(word: str) -> bool:
    return not word.startswith(("/", "{"))


def _is(one: Block, other: Block) -> bool:
    return one is other

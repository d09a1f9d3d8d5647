"""What imports of snippets become (https://caddyserver.com/docs/caddyfile/directives/import)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import define, field, frozen

from dockcaddy.caddyfile import Block
from dockcaddy.conflicts.clash import Clash, Member, label_of
from dockcaddy.model import Problem

# so deep are snippets looked into; each import in a file that people wrote is one or two deep
DEEPEST = 8
# what the imports of one resource may become: more than any file that people wrote
MOST_CHARACTERS = 4 * 1024 * 1024
MOST_IMPORTS = 5_000

_ARGUMENT = re.compile(r"\{args(?:\[(\d+)\]|\.(\d+)|\[[^\]]*\])\}")
_BLOCK = re.compile(r"\{blocks?(?:\.[^{}]*)?\}")


@frozen
class Snippets:
    """The snippets of a configuration by name, each with the lines in it."""

    lines: Mapping[str, tuple[Block, ...]] = field(factory=dict)

    def opened(self, blocks: Iterable[Block], depth: int = 0) -> Iterator[Block]:
        """The blocks, with a snippet's lines in the place of its import."""
        for block in blocks:
            inside = self._imported(block)
            if inside is None or depth >= DEEPEST:
                yield block
            else:
                yield from self.opened(inside, depth + 1)

    def exploding(self, blocks: Sequence[Block]) -> Block | None:
        """The first import that becomes more than Caddy could hold, with those before it."""
        measure = _Measure(self)
        for block in _imports_in(blocks):
            try:
                measure.line(block, (), 0)
            except _TooMuchError:
                return block
        return None

    def _imported(self, block: Block) -> tuple[Block, ...] | None:
        return self.lines.get(block.keys[1]) if block.keys[:1] == ("import",) and len(block.keys) > 1 else None


def _imports_in(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        if block.keys[:1] == ("import",):
            yield block
        elif not (block.keys and block.keys[0].startswith("(")):
            yield from _imports_in(block.children)


class _TooMuchError(Exception):
    """The limit is passed."""


@define
class _Measure:
    """Follows imports as Caddy does, with the lengths of texts instead of the texts."""

    snippets: Snippets
    characters: int = 0
    imports: int = 0
    open_names: list[str] = field(factory=list)

    def line(self, block: Block, arguments: tuple[int, ...], inserted: int) -> None:
        """Count a line; `arguments` are the lengths of its snippet's, `inserted` of the block that it was given."""
        lengths = tuple([_length(key, arguments, inserted) for key in block.keys])
        imported = self.snippets._imported(block)
        if imported is None or block.keys[1] in self.open_names:
            self._count(sum(lengths) + len(lengths) + 1)
            for child in block.children:
                self.line(child, arguments, inserted)
            return
        self.imports += 1
        before = self.characters
        for child in block.children:
            self.line(child, arguments, inserted)
        given = self.characters - before
        self.open_names.append(block.keys[1])
        for each in imported:
            self.line(each, lengths[2:], given)
        self.open_names.pop()

    def _count(self, characters: int) -> None:
        self.characters += characters
        if self.characters > MOST_CHARACTERS or self.imports > MOST_IMPORTS:
            raise _TooMuchError


def _length(token: str, arguments: tuple[int, ...], inserted: int) -> int:
    if "{" not in token:
        return len(token)
    length = len(token) + inserted * len(_BLOCK.findall(token))
    for found in _ARGUMENT.finditer(token):
        place = found[1] or found[2]
        if place is None:
            length += sum(arguments)
        elif len(place) < 5 and int(place) < len(arguments):
            length += arguments[int(place)]
    return length


def explosions(members: Iterable[Member], snippets: Snippets) -> Iterator[Clash]:
    """Members whose imports would become more than Caddy can hold."""
    for member in members:
        found = snippets.exploding(member.blocks)
        if found is not None:
            reason = f"imports of snippets become more than {MOST_CHARACTERS} characters or {MOST_IMPORTS} imports"
            yield Clash(member.fragment.key, Problem(member.fragment.owner, label_of(found), reason))

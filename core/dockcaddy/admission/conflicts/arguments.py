"""The arguments and the block that an import gives to a snippet. Pure.

See https://caddyserver.com/docs/caddyfile/directives/import.
"""

import re
from collections.abc import Iterable, Iterator

from attrs import evolve, frozen

from dockcaddy.caddyfile import Block, Origin

_SEVERAL = re.compile(r"\{args\[([+-]?[0-9]{0,9}):([+-]?[0-9]{0,9})\]\}")
_ONE = re.compile(r"\{args(?:\[([0-9]{1,9})\]|\.([0-9]{1,9}))\}")
_OF_BLOCKS = re.compile(r"\{blocks\.(.*)\}", re.DOTALL)
# the suffix of imported lines: they keep the place of their import among its siblings
IMPORTED = -1


@frozen
class Given:
    """The arguments, the lines and the origins of an import."""

    arguments: tuple[str, ...]
    lines: tuple[Block, ...]
    origins: tuple[Origin, ...]

    def in_place_of(self, statement: Block, snippet: Iterable[Block]) -> Iterator[Block]:
        """The lines of a snippet in the place of the import, with arguments and blocks filled in."""
        for line in self._filled_in(snippet):
            yield evolve(line, order=statement.order, suffix=IMPORTED)

    def _filled_in(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The lines, filled in. Those of another resource get the origins of the import."""
        owners = {origin.resource for origin in self.origins}
        for block in blocks:
            is_own = any(origin.resource in owners for origin in block.origins)
            origins = block.origins if is_own else self.origins
            children = block.children and tuple(self._filled_in(block.children))
            yield from self._line(evolve(block, children=children, origins=origins))

    def _line(self, line: Block) -> Iterator[Block]:
        """One line, filled in. A block in it, and what follows the block, begin new lines."""
        keys: list[str] = []
        for token in line.keys:
            inserted = self._inserted(token)
            if inserted is None:
                keys += self._words(token)
                continue
            if keys:
                yield evolve(line, keys=tuple(keys), children=())
                keys = []
            yield from inserted
        if keys or line.children:
            yield evolve(line, keys=tuple(keys))

    def _inserted(self, token: str) -> tuple[Block, ...] | None:
        if token == "{block}":
            return self.lines
        named = _OF_BLOCKS.fullmatch(token)
        if named is None:
            return None
        # Caddy takes the last of several with one name
        chosen = [line for line in self.lines if line.keys[:1] == (named[1],)][-1:]
        return tuple(
            each for line in chosen for each in (evolve(line, keys=line.keys[1:], children=()), *line.children)
        )

    def _words(self, token: str) -> Iterable[str]:
        several = _SEVERAL.fullmatch(token)
        if several is None:
            return (_ONE.sub(self._argument, token) if "{args" in token else token,)
        first, last = int(several[1] or 0), int(several[2] or len(self.arguments))
        return self.arguments[first:last] if 0 <= first <= last <= len(self.arguments) else (token,)

    def _argument(self, found: re.Match[str]) -> str:
        place = int(found[1] or found[2])
        return self.arguments[place] if place < len(self.arguments) else found[0]

"""What sites can refer to: snippets and named routes (https://caddyserver.com/docs/caddyfile/directives/import)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import field, frozen

from dockcaddy.caddyfile import Block
from dockcaddy.conflicts.clash import Member

# so deep are snippets looked into; in what people write each import is one or two deep
DEEPEST = 8


@frozen
class Definitions:
    """The lines of each snippet and of each named route of a configuration, by their names, and who made each of both."""

    snippets: Mapping[str, tuple[Block, ...]] = field(factory=dict)
    routes: Mapping[str, tuple[Block, ...]] = field(factory=dict)
    makers: Mapping[str, Sequence[Member]] = field(factory=dict)

    def opened(self, blocks: Iterable[Block], depth: int = 0) -> Iterator[Block]:
        """The blocks, with a snippet's lines in the place of its import."""
        for block in blocks:
            inside = self.imported(block)
            if inside is None or depth >= DEEPEST:
                yield block
            else:
                yield from self.opened(inside, depth + 1)

    def imported(self, block: Block) -> tuple[Block, ...] | None:
        """The lines that a block imports, None where it is no import of a snippet."""
        return self.snippets.get(block.keys[1]) if block.keys[:1] == ("import",) and len(block.keys) > 1 else None

    def invoked(self, block: Block) -> tuple[Block, ...] | None:
        """The lines of the named route that a block invokes, None where it invokes none."""
        return self.routes.get(block.keys[-1]) if block.keys[:1] == ("invoke",) else None

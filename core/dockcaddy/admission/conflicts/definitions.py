"""What sites can refer to: snippets and named routes (https://caddyserver.com/docs/caddyfile/directives/import)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import evolve, field, frozen

from dockcaddy.admission.conflicts.arguments import Given
from dockcaddy.admission.conflicts.conflict import Member
from dockcaddy.caddyfile import Block


@frozen
class Definitions:
    """The lines of each snippet and of each named route of a configuration, by their names, and who made each of both."""

    snippets: Mapping[str, tuple[Block, ...]] = field(factory=dict)
    routes: Mapping[str, tuple[Block, ...]] = field(factory=dict)
    makers: Mapping[str, Sequence[Member]] = field(factory=dict)

    def written_out(self, member: Member) -> Member:
        """The member with all that its blocks import, as Caddy reads them.

        However deep that is: what is too deep, or comes to no end, has been refused before anybody asks for this.
        """
        blocks = tuple(self._expanded(member.blocks, ()))
        return member if blocks == member.blocks else evolve(member, blocks=blocks)

    def _expanded(self, blocks: Iterable[Block], opened: tuple[str, ...]) -> Iterator[Block]:
        """The blocks, with the lines of a snippet in the place of its import."""
        for block in blocks:
            children = block.children and tuple(self._expanded(block.children, opened))
            inside = self.imported(block)
            if inside is not None and block.keys[1] not in opened:
                given = Given(block.keys[2:], children, block.origins)
                yield from self._expanded(given.in_place_of(block, inside), (*opened, block.keys[1]))
            else:
                yield block if children == block.children else evolve(block, children=children)

    def imported(self, block: Block) -> tuple[Block, ...] | None:
        """The lines that a block imports, None where it is no import of a snippet."""
        return self.snippets.get(block.keys[1]) if block.keys[:1] == ("import",) and len(block.keys) > 1 else None

    def invoked(self, block: Block) -> tuple[Block, ...] | None:
        """The lines of the named route that a block invokes, None where it invokes none."""
        return self.routes.get(block.keys[-1]) if block.keys[:1] == ("invoke",) else None

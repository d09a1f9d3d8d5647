"""Snippets and named routes, which sites refer to (https://caddyserver.com/docs/caddyfile/directives/import)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import evolve, field, frozen

from dockcaddy.admission.conflicts.arguments import Given
from dockcaddy.admission.conflicts.conflict import Member
from dockcaddy.caddyfile import Block


@frozen
class Definitions:
    """The lines of each snippet and named route of a configuration by its name, and the members that define it."""

    snippets: Mapping[str, tuple[Block, ...]] = field(factory=dict)
    routes: Mapping[str, tuple[Block, ...]] = field(factory=dict)
    definers: Mapping[str, Sequence[Member]] = field(factory=dict)

    def written_out(self, member: Member) -> Member:
        """The member with the imports of its blocks written out, as Caddy reads them.

        Call it only for members within the limits of `size`: an import that is nested too deep, or imports itself, has been
        left out before.
        """
        blocks = tuple(self._imported(member.blocks, ()))
        return member if blocks == member.blocks else evolve(member, blocks=blocks)

    def _imported(self, blocks: Iterable[Block], opened: tuple[str, ...]) -> Iterator[Block]:
        """The blocks with each import replaced by the lines of its snippet."""
        for block in blocks:
            children = block.children and tuple(self._imported(block.children, opened))
            inside = self.imported(block)
            if inside is not None and block.keys[1] not in opened:
                given = Given(block.keys[2:], children, block.origins)
                yield from self._imported(given.in_place_of(block, inside), (*opened, block.keys[1]))
            else:
                yield block if children == block.children else evolve(block, children=children)

    def imported(self, block: Block) -> tuple[Block, ...] | None:
        """The lines that a block imports, None where it does not import a snippet."""
        return self.snippets.get(block.keys[1]) if block.keys[:1] == ("import",) and len(block.keys) > 1 else None

    def invoked(self, block: Block) -> tuple[Block, ...] | None:
        """The lines of the named route that a block invokes, None where it invokes none."""
        return self.routes.get(block.keys[-1]) if block.keys[:1] == ("invoke",) else None

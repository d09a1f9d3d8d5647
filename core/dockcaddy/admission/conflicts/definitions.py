"""Snippets and named routes, which sites refer to (https://caddyserver.com/docs/caddyfile/directives/import)."""

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from dockcaddy.admission.conflicts.conflict import Member
from dockcaddy.caddyfile import Block


@frozen
class Definitions:
    """The lines of each snippet and named route of a configuration by its name, and the members that define it."""

    snippets: Mapping[str, tuple[Block, ...]] = field(factory=dict)
    routes: Mapping[str, tuple[Block, ...]] = field(factory=dict)
    definers: Mapping[str, Sequence[Member]] = field(factory=dict)

    def imported(self, block: Block) -> tuple[Block, ...] | None:
        """The lines that a block imports, None where it does not import a snippet."""
        return self.snippets.get(block.keys[1]) if block.keys[:1] == ("import",) and len(block.keys) > 1 else None

    def invoked(self, block: Block) -> tuple[Block, ...] | None:
        """The lines of the named route that a block invokes, None where it invokes none."""
        return self.routes.get(block.keys[-1]) if block.keys[:1] == ("invoke",) else None

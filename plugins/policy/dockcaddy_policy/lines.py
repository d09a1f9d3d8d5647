"""A resource's blocks as single lines, each with what it stands under."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from attrs import frozen
from dockcaddy import Block

GLOBAL, SITE, SNIPPET = "global", "site", "snippet"

PLACEHOLDER = re.compile(r"\{[^{}\s]*\}")


@frozen(slots=False)
class Line:
    """One line of a Caddyfile: its tokens, and the names of what it stands under.

    `path` begins with `global`, `site` or `snippet`; it is empty for a top-level line itself. `addresses` are those of
    the site it belongs to.
    """

    path: tuple[str, ...]
    tokens: tuple[str, ...]
    block: Block
    addresses: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The directive or option; `""` for the addresses of a site."""
        return self.tokens[0] if self.path or self.tokens[0] == "import" else ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows the name."""
        return self.tokens[1:] if self.name else self.tokens

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The arguments without a matcher in front of them."""
        first = self.arguments[0] if self.arguments else ""
        is_matcher = first == "*" or first.startswith("@")
        return self.arguments[1:] if is_matcher else self.arguments

    @property
    def is_global(self) -> bool:
        """Whether it is a global option or a part of one."""
        return self.path[:1] == (GLOBAL,)


def lines_of(blocks: Iterable[Block]) -> Iterator[Line]:
    """Every line of a resource's blocks, from the top."""
    for block in blocks:
        kind = GLOBAL if not block.keys else SNIPPET if block.keys[0].startswith(("(", "&(")) else SITE
        addresses = block.keys if kind is SITE else ()
        if block.keys:
            yield Line((), block.keys, block, addresses)
        yield from _beneath(block, (kind,), addresses)


def _beneath(block: Block, path: tuple[str, ...], addresses: tuple[str, ...]) -> Iterator[Line]:
    for child in block.children:
        if child.keys:
            yield Line(path, child.keys, child, addresses)
        if child.children:
            yield from _beneath(child, (*path, *child.keys[:1]), addresses)

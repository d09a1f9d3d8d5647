"""The node of the Caddyfile tree."""

from collections.abc import Iterable, Iterator

from attrs import field, frozen

NO_ORDER = 2**31 - 1
# Blocks within each other. People nest fewer than 10; each level takes Python frames in whatever walks the tree.
MAX_DEPTH = 50


class CaddyfileError(ValueError):
    """Text that is not a Caddyfile, or a token that no Caddyfile can hold. `line` counts from 1, 0 where unknown."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.line = line


# there are dozens of these for each site
@frozen(weakref_slot=False)
class Origin:
    """Where a block came from: a resource as errors name it (`container web-1`) and its label's key as written."""

    resource: str
    label: str = ""


class QuotedText(str):
    """A quoted token with `{$NAME}` in it.

    Caddy fills in environment variables before it splits text into tokens, so the quotes have to stay: they keep the
    value one token.
    """

    __slots__ = ()


@frozen(weakref_slot=False)
class Block:
    """A line of a Caddyfile and its block: `keys` are its tokens, `children` the lines between its braces.

    `keys` is empty for the global options. `order` sorts siblings (lower first); inside `route` equal directives of
    one order go by `suffix`, the N of a label's `_N`. `conditional` blocks come from templates with control flow and
    may be absent at times. These two and `origins` do not take part in comparisons: two resources may make the same block.
    """

    keys: tuple[str, ...] = ()
    children: tuple["Block", ...] = ()
    order: int = NO_ORDER
    origins: tuple[Origin, ...] = field(default=(), eq=False)
    suffix: int = field(default=0, eq=False)
    conditional: bool = field(default=False, eq=False)

    @property
    def is_definition(self) -> bool:
        """Whether a top-level block defines something for others: a snippet, `(name)`, or a named route, `&(name)`."""
        return bool(self.keys) and self.keys[0].startswith(("(", "&("))

    def with_children(self, children: tuple["Block", ...]) -> "Block":
        """The block with other children. `evolve` takes several times as long."""
        return Block(self.keys, children, self.order, self.origins, self.suffix, self.conditional)


def all_blocks(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks and everything in them, each before its children."""
    waiting = [*blocks][::-1]
    while waiting:
        block = waiting.pop()
        yield block
        waiting += block.children[::-1]

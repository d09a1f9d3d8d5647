"""The node of the Caddyfile tree."""

from attrs import field, frozen

NO_ORDER = 2**31 - 1


class CaddyfileError(ValueError):
    """Text that is not a Caddyfile, or a token that no Caddyfile can hold. `line` counts from 1, 0 where unknown."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.line = line


@frozen
class Origin:
    """Where a block came from: a resource as errors name it (`container web-1`) and its label's key as written."""

    resource: str
    label: str = ""


@frozen
class Block:
    """A line of a Caddyfile with what it opens: `keys` are its tokens, `children` the lines between its braces.

    `keys` is empty for the global options. `order` sorts siblings (lower first). `origins` do not take part in
    comparisons: two resources may make the same block.
    """

    keys: tuple[str, ...] = ()
    children: tuple["Block", ...] = ()
    order: int = NO_ORDER
    origins: tuple[Origin, ...] = field(default=(), eq=False)

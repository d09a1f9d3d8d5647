"""Matcher tokens (https://caddyserver.com/docs/caddyfile/matchers#syntax). Pure."""

from collections.abc import Sequence

from dockcaddy.caddyfile.block import Block
from dockcaddy.caddyfile.directives import DIRECTIVES


def is_matcher(token: str) -> bool:
    """Whether Caddy reads a directive's first argument as its matcher: `*`, a path or a `@name`.

    `*.example.org` is no matcher: only a single star matches every request.
    """
    return token == "*" or token.startswith(("/", "@"))


def split_matcher(arguments: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The matcher in front of a directive's arguments (`""` where there is none), and the other arguments."""
    return (arguments[0], arguments[1:]) if arguments and is_matcher(arguments[0]) else ("", arguments)


def matcher(block: Block) -> str:
    """The matcher of a directive, `""` where it has none."""
    name, arguments = "".join(block.keys[:1]), block.keys[1:]
    known = DIRECTIVES.get(name)
    takes = known.matcher if known is not None else "optional"
    return "" if takes == "never" or (takes == "several" and len(arguments) < 2) else split_matcher(arguments)[0]


def is_matcher_block(name: str) -> bool:
    """Whether the lines in a block of this name are conditions of a matcher."""
    return name.startswith("@") or name in ("not", "lb_retry_match")

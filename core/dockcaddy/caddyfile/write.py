"""Blocks to text that Caddy reads back as the same blocks."""

import re
import sys
from collections.abc import Sequence

from dockcaddy.caddyfile.block import Block, CaddyfileError, Origin, QuotedText
from dockcaddy.caddyfile.lex import SPACES

_PLAIN = re.compile(r"""(?!<<|[#`])[!#-\[\]-~]+""")
_STRUCTURE = frozenset(("{", "}", "{}"))
# What outside quotes would begin a quote, a comment or a heredoc, or be dropped.
_NOT_BARE = re.compile(r'\\?[#`"]|<<|\ufeff')
# An odd number of backslashes: the last one escapes what follows.
_ESCAPES_BARE = re.compile(r"(?<!\\)(?:\\\\)*\\(?:<|\Z)")
_ESCAPES_IN_QUOTES = re.compile(r'(?<!\\)(?:\\\\)*\\(?:"|\Z)')

# text with its line break, and where it came from
_Line = tuple[str, tuple[Origin, ...]]


def quote(token: str) -> str:
    """One token as Caddy's lexer reads it back; bare, quoted or raw as caddy-docker-proxy chooses where that is right.

    Raises CaddyfileError where no form can hold it.
    """
    if _PLAIN.fullmatch(token) and token not in _STRUCTURE and not isinstance(token, QuotedText):
        return token
    try:
        token.encode()
    except UnicodeEncodeError as error:
        raise CaddyfileError(f"{_shown(token)} is not UTF-8 text") from error
    if ("\n" in token or '"' in token) and "`" not in token:
        return f"`{token}`"
    if _may_stand_bare(token):
        return token
    if not _ESCAPES_IN_QUOTES.search(token):
        return '"' + token.replace('"', '\\"') + '"'
    if "`" not in token:
        return f"`{token}`"
    return _heredoc(token)


def _may_stand_bare(token: str) -> bool:
    return (
        token != ""
        and token not in _STRUCTURE
        and '"' not in token
        and SPACES.isdisjoint(token)
        and not _NOT_BARE.match(token)
        and not _ESCAPES_BARE.search(token)
        and not isinstance(token, QuotedText)
    )


def _heredoc(token: str) -> str:
    """A heredoc, which can hold backslashes, quotes and backticks together."""
    if "\r" in token:
        raise CaddyfileError(
            f"no form of quotes holds {_shown(token)}: a backtick, a carriage return and a final backslash"
        )
    marker = "END"
    while marker in token:
        marker += "_"
    return f"<<{marker}\n{token}\n{marker}"


def _shown(token: str) -> str:
    return repr(token if len(token) <= 60 else token[:57] + "...")


def write(blocks: Sequence[Block]) -> str:
    """The Caddyfile of top-level blocks, in their order. Raises CaddyfileError for a token that cannot be written."""
    return "".join(write_block(block, last=block is blocks[-1]) for block in blocks)


def write_block(block: Block, *, last: bool = False) -> str:
    """One top-level block as text.

    A site without directives keeps its braces, or Caddy would take the next one for its first directive; only the
    `last` one in a file goes without, as caddy-docker-proxy writes it.
    """
    # whoever needs it writes it again: equal texts are one object
    return sys.intern("".join([text for text, _ in _top_level(block, last=last)]))


def write_with_origins(blocks: Sequence[Block]) -> tuple[str, tuple[tuple[Origin, ...], ...]]:
    """The Caddyfile, and the origins of each of its lines."""
    pieces = [piece for block in blocks for piece in _top_level(block, last=block is blocks[-1])]
    origins = tuple(origin for text, origin in pieces for _ in range(text.count("\n")))
    return "".join([text for text, _ in pieces]), origins


def _top_level(block: Block, *, last: bool) -> list[_Line]:
    lines: list[_Line] = []
    if block.children or block.keys[:1] == ("import",) or (last and _is_site(block)):
        _write(block, "", lines)
    elif block.keys:
        # global options without an option are no line, as with caddy-docker-proxy
        lines += (f"{_joined(block.keys)} {{\n", block.origins), ("}\n", block.origins)
    return lines


def _is_site(block: Block) -> bool:
    return bool(block.keys) and not block.is_definition


def _write(block: Block, indent: str, lines: list[_Line]) -> None:
    head = _joined(block.keys)
    if block.children:
        lines.append((f"{indent}{head} {{\n" if head else f"{indent}{{\n", block.origins))
        for child in block.children:
            _write(child, indent + "\t", lines)
        lines.append((f"{indent}}}\n", block.origins))
    elif head:
        lines.append((f"{indent}{head}\n", block.origins))


def _joined(keys: tuple[str, ...]) -> str:
    return " ".join(map(quote, keys))

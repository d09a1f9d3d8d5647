"""Blocks to text that Caddy reads back as the same blocks."""

import re
from collections.abc import Iterable, Sequence

from dockcaddy.caddyfile.block import Block, CaddyfileError, Origin
from dockcaddy.caddyfile.lex import SPACES

_BARE = re.compile(r"""(?!<<|[#`])[!#-\[\]-~]+""")
_UNSAFE_IN_QUOTES = re.compile(r'(?<!\\)(?:\\\\)*\\(?:"|\Z)')
_STRUCTURE = frozenset(("{", "}", "{}"))


def quote(token: str) -> str:
    """One token as Caddy's lexer reads it back; bare, quoted or raw as caddy-docker-proxy chooses where that is right.

    Raises CaddyfileError where no form can hold it.
    """
    if _BARE.fullmatch(token) and token not in _STRUCTURE:
        return token
    if ("\n" in token or '"' in token) and "`" not in token:
        return _checked(f"`{token}`", token)
    if _may_stand_bare(token):
        return token
    if not _UNSAFE_IN_QUOTES.search(token):
        return _checked('"' + token.replace('"', '\\"') + '"', token)
    if "`" not in token:
        return _checked(f"`{token}`", token)
    return _heredoc(token)


def _may_stand_bare(token: str) -> bool:
    """Outside quotes a backslash is itself, but not at the end and not before `<`."""
    return (
        token not in _STRUCTURE
        and token != ""
        and not token.startswith(("#", "`", "<<"))
        and not token.endswith("\\")
        and "\\<" not in token
        and '"' not in token
        and SPACES.isdisjoint(token)
        and _checked(token, token) == token
    )


def _checked(text: str, token: str) -> str:
    if "\0" in token:
        raise CaddyfileError(f"{_shown(token)} holds a NUL byte, which no Caddyfile can")
    try:
        token.encode()
    except UnicodeEncodeError as error:
        raise CaddyfileError(f"{_shown(token)} is not UTF-8 text") from error
    return text


def _heredoc(token: str) -> str:
    """The form that takes backslash, quote and backtick together."""
    if "\r" in token:
        raise CaddyfileError(
            f"{_shown(token)} cannot be written: a backslash, a quote, a backtick and a line break (CR)"
        )
    marker = "END"
    while marker in token:
        marker += "_"
    return _checked(f"<<{marker}\n{token}\n{marker}", token)


def _shown(token: str) -> str:
    return repr(token if len(token) <= 60 else token[:57] + "...")


def write(blocks: Sequence[Block]) -> str:
    """The Caddyfile of top-level blocks, in their order. Raises CaddyfileError for a token that cannot be written."""
    return "".join(write_block(block, last=block is blocks[-1]) for block in blocks)


def write_block(block: Block, *, last: bool = False) -> str:
    """One top-level block as text.

    A site without directives keeps its braces, or Caddy would take the next one for its first directive; only the
    `last` one in a file goes without.
    """
    return "".join(line for line, _ in _top_level(block, last=last))


def write_with_origins(blocks: Sequence[Block]) -> tuple[str, tuple[tuple[Origin, ...], ...]]:
    """The Caddyfile, and for each of its lines the origins of what stands there."""
    pieces = [piece for block in blocks for piece in _top_level(block, last=block is blocks[-1])]
    origins = tuple(origin for text, origin in pieces for _ in range(text.count("\n")))
    return "".join(text for text, _ in pieces), origins


def _top_level(block: Block, *, last: bool) -> Iterable[tuple[str, tuple[Origin, ...]]]:
    if block.children or last or not block.keys or block.keys[0] == "import":
        return _lines(block, "")
    return [(f"{_joined(block.keys)} {{\n", block.origins), ("}\n", block.origins)]


def _lines(block: Block, indent: str) -> Iterable[tuple[str, tuple[Origin, ...]]]:
    head = _joined(block.keys)
    if not block.children:
        if head or not indent:
            yield f"{indent}{head}\n" if head else "{\n}\n", block.origins
        return
    yield f"{indent}{head} {{\n" if head else f"{indent}{{\n", block.origins
    deeper = indent + "\t"
    for child in block.children:
        yield from _lines(child, deeper)
    yield f"{indent}}}\n", block.origins


def _joined(keys: tuple[str, ...]) -> str:
    return " ".join(map(quote, keys))

"""Placeholders that are put together of pieces, and those that read files."""

import re

from dockcaddy import Context

from dockcaddy_policy.lines import ROUTES, Line

# an argument of a snippet, in both spellings that Caddy knows
ARGUMENT = re.compile(r"\{args(?:\[[^\[\]{}]*\]|\.\d+)\}")

# Where a placeholder is all there is, Caddy takes every brace off it: `{}env.X}` is one. A snippet takes the backslash
# off an escaped brace.
BRACES = r"\{[\\}]*"
# what a piece that follows could make `{env.X}` or `{file.X}` of
_OPEN_END = re.compile(rf"(?:\{{|(?<![^'\"]){BRACES})(?:e|en|env|f|fi|fil|file)?\Z")
_BLOCKS = re.compile(r"\{block\}|\{blocks\..*\}", re.DOTALL)
# `{file.base}` and `{file.ext}` are parts of the request's path
_FILE = re.compile(r"\{file\.(?!(?:base|ext)\})|\{[\\}]+file\.")


def opens(text: str) -> bool:
    """Whether text that follows could become the name of a variable or of a file."""
    return _OPEN_END.search(text) is not None


def built(line: Line, context: Context) -> str:
    """Why this could become a placeholder or a directive that no other rule has seen whole."""
    if _is_built_name(line):
        return f"{line.name} would become a directive"
    if any(map(_BLOCKS.fullmatch, line.arguments)) or _is_misplaced_block(line):
        return "a block of an import could become anything here"
    for token in line.tokens:
        pieces = ARGUMENT.split(token)
        if any(map(opens, pieces[:-1])) or any("{args" in piece for piece in pieces):
            return f"{token} would build a placeholder"
        if line.name == "import" and opens(token):
            return f"{token} is a piece of a placeholder"
    return ""


def file_placeholder(line: Line, context: Context) -> str:
    """Why a placeholder reads a file."""
    found = next(filter(_FILE.search, line.tokens), "")
    return f"{found} reads a file" if found else ""


def _is_built_name(line: Line) -> bool:
    # a matcher's name stays one, whatever follows its sign
    of_an_argument = "{args" in line.name and not line.name.startswith("@")
    return of_an_argument or ("{" in line.name and "import" in line.path)


def _is_misplaced_block(line: Line) -> bool:
    is_block = _BLOCKS.fullmatch(line.name) is not None
    return is_block and (line.arguments != () or line.path[-1] not in ROUTES)

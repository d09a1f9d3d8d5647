"""Placeholders and directives that are assembled from parts."""

import re

from dockcaddy import Context

from dockcaddy_policy.lines import GLOBAL, ROUTES, Line
from dockcaddy_policy.options import PLACED

# an argument of a snippet, in both spellings that Caddy accepts
ARGUMENT = re.compile(r"\{args(?:\[[^\[\]{}]*\]|\.\d+)\}")

# If a token is only a placeholder, Caddy strips all braces: it reads `{}env.X}` too. A snippet removes the backslash before
# an escaped brace.
BRACES = r"\{[\\}]*"
# text that the next piece could complete to `{env.X}` or `{file.X}`
_OPEN_END = re.compile(rf"(?:\{{|(?<![^'\"]){BRACES})(?:e|en|env|f|fi|fil|file)?\Z")
_ONE_ARGUMENT = re.compile(r"\{args\[\d+\]\}")
_BLOCKS = re.compile(r"\{block\}|\{blocks\..*\}", re.DOTALL)
# a variable in the name of another one: the label decides which name results
_NESTED = re.compile(rf"{BRACES}(?:e|en|env|env\.[^{{}}]*|f|fi|fil|file|file\.[^{{}}]*)?\{{\$")


# a file placeholder; its path may contain variables. The rule `files` checks its place
FILE_OF_VARIABLE = re.compile(r"\{file\.(?:[^{}\\]|\{\$\w+(?::[^{}]*)?\})*\}")


def opens(text: str) -> bool:
    """Whether text that follows could become the name of a variable or of a file."""
    return _OPEN_END.search(text) is not None


def built(line: Line, context: Context) -> str:
    """Why this is refused: it could become a placeholder or a directive that the other rules cannot see."""
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
        if _NESTED.search(token) and not FILE_OF_VARIABLE.fullmatch(token):
            return f"{token} would build a placeholder"
    return ""


def _is_built_name(line: Line) -> bool:
    if line.name.startswith("@") or "{" not in line.name:
        # with @ in front it stays the name of a matcher
        return False
    if _BLOCKS.fullmatch(line.name):
        return False
    if "{$" in line.name:
        return not line.is_data and not line.is_matcher and line.path[-1] != "layer4"
    if _ONE_ARGUMENT.fullmatch(line.name) and _is_alone(line) and _takes_options(line):
        return False
    return "{args" in line.name or "import" in line.path


def _is_misplaced_block(line: Line) -> bool:
    return _BLOCKS.fullmatch(line.name) is not None and not (_is_alone(line) and _takes_lines(line))


def _is_alone(line: Line) -> bool:
    return line.arguments == () and line.block.children == ()


def _takes_lines(line: Line) -> bool:
    """Whether the other rules check lines in this place even if they come from elsewhere: here no line is data, and no rule
    depends on the place.
    """
    inside = line.path[1:]
    return (
        line.path[0] != GLOBAL
        and not line.is_matcher
        and PLACED.isdisjoint(inside)
        and not any("{" in each for each in inside)
    )


def _takes_options(line: Line) -> bool:
    """Whether a single word here can only be an option, which affects no other site."""
    return _takes_lines(line) and line.path[-1] not in (*ROUTES, "import")

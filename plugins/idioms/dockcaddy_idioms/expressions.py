"""The idiom of expressions (https://caddyserver.com/docs/caddyfile/matchers#expression)."""

import re
from collections.abc import Iterator

from attrs import evolve
from dockcaddy import UPSTREAM_DIRECTIVES, Label

from dockcaddy_idioms.places import is_condition, is_directive, is_option, names_of

_MATCHES = re.compile(r"(expression\s+)?(.*)", re.DOTALL)
_STRING = re.compile(r'"(?:\\"|[^"])*"|\'[^\']*\'')
# Caddy replaces a placeholder by a call that contains quotes: within a string that does not compile
_FILLED_IN = re.compile(r"\{[a-zA-Z][\w.-]+\}")


def expressions(labels: tuple[Label, ...]) -> Iterator[Label]:
    """An expression of several words that contains quotes, which are lost when the label is split into words."""
    for label in labels:
        names = names_of(label.key) if '"' in label.value else ("",)
        of_matcher = _may_be_expression(names)
        is_meant = of_matcher or (names[-1] == "expression" and is_condition(names))
        found = _MATCHES.fullmatch(label.value.strip()) if is_meant else None
        if found is None or bool(found[1]) is not of_matcher or not _loses_quotes(found[2]):
            yield label
        else:
            yield evolve(label, value=f"{found[1] or ''}`{found[2]}`")


def _may_be_expression(names: tuple[str, ...]) -> bool:
    """Whether the value may be a condition with its name first."""
    if names[-1].startswith("@"):
        return is_directive(names) or is_option(names, *UPSTREAM_DIRECTIVES)
    if names[-1] == "lb_retry_match":
        return is_option(names, *UPSTREAM_DIRECTIVES)
    return names[-1] == "not" and is_condition(names)


def _loses_quotes(expression: str) -> bool:
    words = expression.split()
    is_plain = "`" not in expression and '\\"' not in expression and not any(word[0] == "#" for word in words)
    if not is_plain or expression.count('"') % 2 or len(words) < 2:
        return False
    strings = _STRING.findall(expression)
    return expression not in strings and '"' in expression and not any(map(_FILLED_IN.search, strings))

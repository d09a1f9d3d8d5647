"""The idiom of expressions (https://caddyserver.com/docs/caddyfile/matchers#expression)."""

import re

from dockcaddy import UPSTREAM_DIRECTIVES, Label

from dockcaddy_idioms.places import is_condition, is_directive, is_option, names_of

_MATCHES = re.compile(r"(expression\s+)?(.*)", re.DOTALL)
_STRING = re.compile(r'"(?:\\"|[^"])*"|\'[^\']*\'')
# Caddy replaces a placeholder by a call that contains quotes: within a string that does not compile
_FILLED_IN = re.compile(r"\{[a-zA-Z][\w.-]+\}")


def may_be_expression(key: str) -> bool:
    """Whether the label's value may be an expression, or a condition with its name first."""
    names = names_of(key)
    return _has_name_first(names) or (names[-1] == "expression" and is_condition(names))


def expression(label: Label) -> str | None:
    """An expression of several words that contains quotes, which are lost when the label is split into words."""
    found = _MATCHES.fullmatch(label.value.strip()) if '"' in label.value else None
    if found is None or bool(found[1]) is not _has_name_first(names_of(label.key)) or not _loses_quotes(found[2]):
        return None
    return f"{found[1] or ''}`{found[2]}`"


def _has_name_first(names: tuple[str, ...]) -> bool:
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

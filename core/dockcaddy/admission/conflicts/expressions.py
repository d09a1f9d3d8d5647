"""The value of a matcher's expression for one request. Pure.

See https://caddyserver.com/docs/caddyfile/matchers#expression. None stands for an unknown value, and for what follows from one.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from attrs import define

from dockcaddy.admission.conflicts.regexps import is_found
from dockcaddy.settings import limits

Value = Any
_TOKEN = re.compile(
    r"\s+|//[^\n]*|\{[a-zA-Z_$][^\s{}'\",:]*\}|[rR]?'(?:\\.|[^'\\])*'|[rR]?\"(?:\\.|[^\"\\])*\"|\d+(?:\.\d+)?|\w+"
    r"|\|\||&&|[=!<>]=|[<>!?:.,()\[\]{}+\-*/%]",
    re.DOTALL,
)
_RELATIONS: Mapping[str, Callable[[Value, Value], Value]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "in": lambda one, many: one in many,
}  # fmt: skip
_METHODS: Mapping[str, Callable[[str, str], Value]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": str.__contains__,
    "matches": lambda text, pattern: is_found(pattern, text),
}
_CHANGES: Mapping[str, Callable[[Any], Value]] = {"lowerAscii": str.lower, "upperAscii": str.upper, "size": len}
_WORDS = {"true": True, "false": False}


class _UnreadableError(Exception):
    """The text is no expression, or uses something that is not supported here."""


def value_of(text: str, placeholder: Callable[[str], Value], call: Callable[[str, Sequence[Value]], Value]) -> Value:
    """The value of an expression. `placeholder` gives the values of names in braces, `call` those of matchers."""
    if len(text) > limits.MAX_EXPRESSION_TEXT:
        return None
    try:
        reader = _Reader(_tokens(text), placeholder, call)
        found = reader.choice()
        return found if reader.at == len(reader.tokens) else None
    except (_UnreadableError, RecursionError):
        return None


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _UnreadableError
        if not token[0].isspace() and not token[0].startswith("//"):
            found.append(token[0])
        at = token.end()
    return found


def negated(value: Value) -> bool | None:
    """The opposite of a known value."""
    return not value if isinstance(value, bool) else None


def all_of(values: Sequence[Value]) -> bool | None:
    """Whether all are true. One that is false decides, whatever is unknown."""
    if any(value is False for value in values):
        return False
    return True if all(value is True for value in values) else None


def any_of(values: Sequence[Value]) -> bool | None:
    """Whether one is true."""
    return negated(all_of([negated(value) for value in values]))


@define
class _Reader:
    tokens: list[str]
    placeholder: Callable[[str], Value]
    call: Callable[[str, Sequence[Value]], Value]
    at: int = 0
    depth: int = 0

    def choice(self) -> Value:
        self.depth += 1
        if self.depth > limits.MAX_EXPRESSION_DEPTH:
            raise _UnreadableError
        found = self._operation(0)
        if self._takes("?"):
            one = self.choice()
            self._expect(":")
            other = self.choice()
            found = one if found is True or one == other else other if found is False else None
        self.depth -= 1
        return found

    def _operation(self, level: int) -> Value:
        if level == len(_OPERATORS):
            return self._unary()
        found = self._operation(level + 1)
        while operation := _OPERATORS[level].get(self._next):
            self.at += 1
            found = operation(found, self._operation(level + 1))
        return found

    def _unary(self) -> Value:
        signs = 0
        while self._takes("!"):
            signs += 1
        if self._takes("-"):
            return _known(operator.neg, self._postfixed())
        found = self._postfixed()
        return (negated(found) if signs % 2 else negated(negated(found))) if signs else found

    def _postfixed(self) -> Value:
        found = self._primary()
        while True:
            if self._takes("."):
                found = self._member(found)
            elif self._takes("["):
                found = _known(operator.getitem, found, self.choice())
                self._expect("]")
            else:
                return found

    def _member(self, value: Value) -> Value:
        name = self._word()
        if not self._takes("("):
            return None
        given = self._listed(")")
        if name in _METHODS and isinstance(value, str) and len(given) == 1 and isinstance(given[0], str):
            return _METHODS[name](value, given[0])
        return _known(_CHANGES[name], value) if name in _CHANGES and not given else None

    def _primary(self) -> Value:
        token = self._word()
        if token == "(":
            found = self.choice()
            self._expect(")")
            return found
        if token == "[":
            return _whole(self._listed("]"))
        if token == "{":
            return self._mapped()
        if token.startswith("{"):
            return self.placeholder(token[1:-1])
        if token[-1] in "'\"":
            return _text(token)
        if token[0].isdecimal():
            return float(token) if "." in token else int(token)
        if not token[0].isalpha() and token[0] != "_":
            raise _UnreadableError
        if self._takes("("):
            given = self._listed(")")
            return _known(len, *given) if token == "size" and len(given) == 1 else self.call(token, given)
        return _WORDS.get(token)

    def _listed(self, end: str) -> list[Value]:
        found: list[Value] = []
        while not self._takes(end):
            found.append(self.choice())
            if not self._takes(","):
                self._expect(end)
                break
        return found

    def _mapped(self) -> Value:
        found: dict[Value, Value] = {}
        while not self._takes("}"):
            key = self.choice()
            self._expect(":")
            if not isinstance(key, str):
                raise _UnreadableError
            found[key] = self.choice()
            if not self._takes(","):
                self._expect("}")
                break
        return found

    @property
    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _takes(self, token: str) -> bool:
        found = self._next == token
        self.at += found
        return found

    def _expect(self, token: str) -> None:
        if not self._takes(token):
            raise _UnreadableError

    def _word(self) -> str:
        if not self._next:
            raise _UnreadableError
        self.at += 1
        return self.tokens[self.at - 1]


def _known(work: Callable[..., Value], *values: Value) -> Value:
    """The result of a function; None where a value is unknown or of another type."""
    kinds = {type(value) for value in values}
    if None in values or (len(kinds) > 1 and not kinds & {list, dict}):
        return None
    try:
        return work(*values)
    except (TypeError, LookupError, ValueError):
        return None


# from those that bind least to those that bind most
_OPERATORS: Sequence[Mapping[str, Callable[[Value, Value], Value]]] = (
    {"||": lambda one, other: any_of([one, other])},
    {"&&": lambda one, other: all_of([one, other])},
    {sign: partial(_known, compare) for sign, compare in _RELATIONS.items()},
    {"+": partial(_known, operator.add), **dict.fromkeys("-*/%", lambda one, other: None)},
)


def _whole(values: list[Value]) -> list[Value] | None:
    """The list, None where one of its values is unknown."""
    return None if None in values else values


def _text(token: str) -> str:
    raw = token[0] in "rR"
    inside = token[raw + 1 : -1]
    return inside if raw else re.sub(r"\\(.)", _unescaped, inside, flags=re.DOTALL)


def _unescaped(found: re.Match[str]) -> str:
    if found[1].isalnum() and found[1] not in "nt":
        raise _UnreadableError
    return {"n": "\n", "t": "\t"}.get(found[1], found[1])

"""Whether a regular expression of Go's syntax matches in a text, in bounded time. Pure.

See https://github.com/google/re2/wiki/Syntax.
"""

import re
from collections.abc import Callable, Iterable

from attrs import define

from dockcaddy.settings import limits

# from the positions where a part may begin to those where it may end
_Part = Callable[[frozenset[int]], frozenset[int]]
_QUANTIFIER = re.compile(r"(?:[*+?]|\{(\d{1,4})(,?)(\d{0,4})\})\??")
# literal characters, the last of them not repeated
_LITERAL = re.compile(r"[\w/ ,;=&~!@#%'\"<>:-]+(?![*+?{\w])")
_GROUP = re.compile(r"\?(?:P?<\w+>|:|[imsU-]+:)")
_FLAGS = re.compile(r"\(\?[imsU-]+\)")
_CLASS = re.compile(
    r"\[(\^?)((?:\[:\^?\w+:\]|\]?(?:\\[pP]\{[^{}]*\}|\\x\{[^{}]*\}|\\.|\[:\^?\w+:\]|[^\]\\]))(?:[^\]\\]|\\.)*?)\]"
)
_ITEM = re.compile(r"\[:(\^?)(\w+):\]|(\\x\{[0-9a-fA-F]{1,6}\}|\\x[0-9a-fA-F]{2}|\\.|.)(?:-(\\.|[^\]]))?", re.DOTALL)
_ESCAPE = re.compile(
    r"\\(?:x\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|Q(.*?)(?:\\E|$)|([pP])(?:\{[^{}]*\}|.)|(.))", re.DOTALL
)
_PERL = {"d": str.isdecimal, "w": lambda each: each.isalnum() or each == "_", "s": str.isspace}
_POSIX: dict[str, Callable[[str], bool]] = {
    "alpha": str.isalpha, "digit": str.isdecimal, "alnum": str.isalnum, "space": str.isspace,
    "lower": str.islower, "upper": str.isupper, "word": lambda each: each.isalnum() or each == "_",
}  # fmt: skip
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}


class _UnreadableError(Exception):
    """The expression uses something that is not supported here, or takes too long."""


def is_found(pattern: str, text: str) -> bool | None:
    """Whether the pattern is found somewhere in the text; None where that is unknown."""
    if len(pattern) > limits.MAX_REGEXP_TEXT:
        return None
    if "i" in "".join(_FLAGS.findall(pattern)) or "(?i" in pattern:
        pattern, text = _lowered(pattern), text.lower()
    reader = _Reader(pattern, text)
    try:
        ends = reader.whole()(frozenset(range(len(text) + 1)))
    except (_UnreadableError, RecursionError):
        return None
    return bool(ends) if reader.is_exact or not ends else None


def _lowered(pattern: str) -> str:
    """The pattern in lower case, except for letters behind a backslash."""
    return re.sub(r"\\.|[^\\]+", lambda each: each[0] if each[0].startswith("\\") else each[0].lower(), pattern)


@define
class _Reader:
    """Compiles a pattern for one text. It is not exact where it matches more than Go does."""

    pattern: str
    text: str
    at: int = 0
    depth: int = 0
    steps: int = 0
    is_exact: bool = True

    def whole(self) -> _Part:
        found = self._choice()
        if self.at < len(self.pattern):
            raise _UnreadableError
        return found

    def _choice(self) -> _Part:
        self.depth += 1
        if self.depth > limits.MAX_REGEXP_DEPTH:
            raise _UnreadableError
        parts = [self._sequence()]
        while self.pattern.startswith("|", self.at):
            self.at += 1
            parts.append(self._sequence())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else lambda starts: frozenset[int]().union(*(each(starts) for each in parts))

    def _sequence(self) -> _Part:
        parts: list[_Part] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            part = self._one()
            while (found := _QUANTIFIER.match(self.pattern, self.at)) is not None:
                self.at = found.end()
                part = self._repeated(part, found)
            parts.append(part)

        def ends(starts: frozenset[int]) -> frozenset[int]:
            for part in parts:
                starts = part(starts)
            return starts

        return ends

    def _repeated(self, part: _Part, found: re.Match[str]) -> _Part:
        kind = found[0][0]
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(kind, (0, None))
        if found[1]:
            least = int(found[1])
            most = least if not found[2] else int(found[3]) if found[3] else None

        def ends(starts: frozenset[int]) -> frozenset[int]:
            for _ in range(min(least, len(self.text) + 1)):
                starts = part(starts)
            reached = new = starts
            for _ in range(len(self.text) + 1 if most is None else min(most, len(self.text) + 1) - least):
                new = part(new) - reached
                if not new:
                    break
                reached |= new
            return reached

        return ends

    def _one(self) -> _Part:
        literal = _LITERAL.match(self.pattern, self.at)
        if literal:
            self.at = literal.end()
            return self._all_of(literal[0])
        character = self.pattern[self.at]
        if character == "(":
            return self._group()
        if character == "[":
            return self._class()
        if character == "\\":
            return self._escaped()
        self.at += 1
        if character in "*+?":
            raise _UnreadableError
        if character == "^":
            return lambda starts: starts & {0}
        if character == "$":
            return lambda starts: starts & {len(self.text)}
        return self._character(lambda each: character in (each, "."))

    def _group(self) -> _Part:
        flags = _FLAGS.match(self.pattern, self.at)
        if flags:
            self.at = flags.end()
            return _nothing
        opening = _GROUP.match(self.pattern, self.at + 1)
        self.at = opening.end() if opening else self.at + 1
        inside = self._choice()
        if not self.pattern.startswith(")", self.at):
            raise _UnreadableError
        self.at += 1
        return inside

    def _class(self) -> _Part:
        found = _CLASS.match(self.pattern, self.at)
        if found is None or "\\p" in found[0].lower():
            raise _UnreadableError
        self.at = found.end()
        wanted, is_negated = [self._item(each) for each in _ITEM.finditer(found[2])], bool(found[1])
        return self._character(lambda each: any(item(each) for item in wanted) is not is_negated)

    def _item(self, item: re.Match[str]) -> Callable[[str], bool]:
        if item[2]:
            known, is_negated = _POSIX.get(item[2]), bool(item[1])
            if known is None:
                raise _UnreadableError
            return lambda each: known(each) is not is_negated
        if item[3].startswith("\\") and item[3][1:].lower() in _PERL:
            return _of_perl(item[3][1])
        low, high = _plain(item[3]), _plain(item[4] or item[3])
        return lambda each: low <= each <= high

    def _escaped(self) -> _Part:
        found = _ESCAPE.match(self.pattern, self.at)
        if found is None:
            raise _UnreadableError
        self.at = found.end()
        code, quoted, kind = found[1] or found[2], found[3], found[5]
        if quoted is not None:
            return self._all_of(quoted)
        if code:
            return self._all_of(_plain(found[0]))
        if found[4] or kind in "bB":
            # Go and Python differ in what a letter is
            self.is_exact = False
            return self._character(lambda _: True) if found[4] else _nothing
        if kind in "Az":
            return lambda starts: starts & {0 if kind == "A" else len(self.text)}
        if kind.lower() in _PERL:
            return self._character(_of_perl(kind))
        if kind.isalnum() and kind not in _CONTROLS:
            raise _UnreadableError
        return self._all_of(_plain(found[0]))

    def _all_of(self, characters: Iterable[str]) -> _Part:
        wanted = "".join(characters)

        def ends(starts: frozenset[int]) -> frozenset[int]:
            self._count(1 + len(starts) // 8)
            return frozenset(each + len(wanted) for each in starts if self.text.startswith(wanted, each))

        return ends

    def _count(self, steps: int) -> None:
        self.steps += steps
        if self.steps > limits.MAX_REGEXP_STEPS:
            raise _UnreadableError

    def _character(self, is_wanted: Callable[[str], bool]) -> _Part:
        def ends(starts: frozenset[int]) -> frozenset[int]:
            self._count(1 + len(starts))
            return frozenset(each + 1 for each in starts if each < len(self.text) and is_wanted(self.text[each]))

        return ends


def _nothing(starts: frozenset[int]) -> frozenset[int]:
    return starts


def _of_perl(letter: str) -> Callable[[str], bool]:
    known, is_negated = _PERL[letter.lower()], letter.isupper()
    return lambda each: each.isascii() and known(each) if not is_negated else not (each.isascii() and known(each))


def _plain(character: str) -> str:
    """A literal character, or the one behind a backslash."""
    if not character.startswith("\\") or len(character) == 1:
        return character
    if character[1] == "x" and len(character) > 2:
        code = int(character[2:].strip("{}"), 16)
        return chr(code) if code < 0x110000 else ""
    return _CONTROLS.get(character[1:], character[1:])

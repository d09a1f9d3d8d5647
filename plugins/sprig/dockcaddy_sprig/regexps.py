"""Regular expressions in Go's syntax (RE2)."""

import re
from collections.abc import Callable, Iterator

from dockcaddy import Context
from dockcaddy.gotemplate import SLICE_OF_STRING, Captures, FunctionError, Regexp, Value, compile_regexp, quote_raw

from dockcaddy_sprig.go import ELEMENTS_PER_STEP, Strings, bounded, strings_of

_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")
_NO_GROUP = -1


def _must_compile(context: Context, pattern: str) -> Regexp:
    """The expression, as Go's MustCompile: the error names it."""
    try:
        return compile_regexp(pattern, context.spend)
    except FunctionError as error:
        raise FunctionError(f"regexp: Compile({quote_raw(pattern)}): {error}") from None


def _compile(context: Context, pattern: str) -> Regexp:
    return compile_regexp(pattern, context.spend)


Compile = Callable[[Context, str], Regexp]


def _matches(regexp: Regexp, text: str, most: int) -> Iterator[Captures]:
    """All matches, one after the other; an empty one right after another does not count."""
    at, before, count = 0, -1, 0
    while at <= len(text) and (most < 0 or count < most):
        found = regexp.search(text, at)
        if found is None:
            return
        accepted = True
        if found[1] == at:
            accepted = found[0] != before
            at += 1
        else:
            at = found[1]
        before = found[1]
        if accepted:
            count += 1
            yield found


def regex_match(context: Context, pattern: str, text: str) -> bool:
    """Whether the expression is found in the text; a wrong expression is not."""
    try:
        regexp = _compile(context, pattern)
    except FunctionError as error:
        if str(error).startswith("error parsing regexp"):
            return False
        raise
    return regexp.search(text, 0) is not None


def must_regex_match(context: Context, pattern: str, text: str) -> bool:
    """Whether the expression is found in the text; an error where it is wrong."""
    return _compile(context, pattern).search(text, 0) is not None


def _finding(compile_: Compile) -> tuple[Callable[..., object], ...]:
    """regexFind, regexFindAll, regexSplit and the two that replace."""

    def find(context: Context, pattern: str, text: str) -> str:
        """The first match."""
        found = compile_(context, pattern).search(text, 0)
        return text[found[0] : found[1]] if found else ""

    def find_all(context: Context, pattern: str, text: str, count: int) -> Strings:
        """The first COUNT matches, all where COUNT is below 0."""
        found = [text[each[0] : each[1]] for each in _matches(compile_(context, pattern), text, count)]
        return strings_of(found) if found else Value(SLICE_OF_STRING, None)

    def split(context: Context, pattern: str, text: str, count: int) -> Strings:
        """The parts between the matches, at most COUNT; all where COUNT is below 0."""
        return _split(compile_(context, pattern), pattern, text, count)

    def replace_all(context: Context, pattern: str, text: str, replacement: str) -> str:
        """The text with each match replaced; `$1` or `${name}` is what a group matched."""
        regexp = compile_(context, pattern)
        pieces = _pieces(regexp, replacement)
        return _replaced(regexp, text, lambda found: _expanded(regexp, pieces, text, found))

    def replace_literal(context: Context, pattern: str, text: str, replacement: str) -> str:
        """The text with each match replaced by REPLACEMENT as it stands."""
        return _replaced(compile_(context, pattern), text, lambda found: replacement)

    return find, find_all, split, replace_all, replace_literal


def _split(regexp: Regexp, pattern: str, text: str, count: int) -> Strings:
    if count == 0:
        return Value(SLICE_OF_STRING, None)
    if pattern and not text:
        return strings_of([""])
    parts: list[str] = []
    begin = end = 0
    for found in _matches(regexp, text, count):
        if 0 < count <= len(parts) + 1:
            break
        end = found[0]
        if found[1] != 0:
            parts.append(text[begin:end])
        begin = found[1]
    if end != len(text):
        parts.append(text[begin:])
    return strings_of(parts)


def _replaced(regexp: Regexp, text: str, made: Callable[[Captures], str]) -> str:
    pieces: list[str] = []
    last = at = size = 0
    while at <= len(text):
        found = regexp.search(text, at)
        if found is None:
            break
        pieces.append(text[last : found[0]])
        if found[1] > last or found[0] == 0:
            pieces.append(made(found))
            size += len(pieces[-1])
            bounded(size + len(text))
        last = found[1]
        at = found[1] if found[1] > at else at + 1
    return "".join((*pieces, text[last:]))


def _pieces(regexp: Regexp, replacement: str) -> list[str | int]:
    """The replacement as texts and numbers of groups; what stands for nothing is left out."""
    pieces: list[str | int] = []
    last = 0
    for found in _REFERENCE.finditer(replacement):
        pieces.append(replacement[last : found.start()])
        pieces.append("$" if found[1] else _number(regexp, found[2] or found[3]))
        last = found.end()
    return [each for each in (*pieces, replacement[last:]) if each not in ("", _NO_GROUP)]


def _number(regexp: Regexp, name: str) -> int:
    numbered = re.fullmatch(r"0|[1-9][0-9]{0,8}", name, re.ASCII)
    number = int(name) if numbered else regexp.names.get(name, _NO_GROUP)
    return number if number <= regexp.groups else _NO_GROUP


def _expanded(regexp: Regexp, pieces: list[str | int], text: str, found: Captures) -> str:
    """The replacement with what its groups matched."""
    regexp.spend(len(pieces) // ELEMENTS_PER_STEP)
    return "".join(
        each if isinstance(each, str) else text[found[2 * each] : found[2 * each + 1]] if found[2 * each] >= 0 else ""
        for each in pieces
    )


def regex_quote_meta(context: Context, text: str) -> str:
    """An expression that matches the text and nothing else."""
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", text)


_PLAIN, _MUST = _finding(_must_compile), _finding(_compile)
_NAMES = ("Find", "FindAll", "Split", "ReplaceAll", "ReplaceAllLiteral")
FUNCTIONS: dict[str, Callable[..., object]] = {
    "mustRegexMatch": must_regex_match,
    "regexMatch": regex_match,
    "regexQuoteMeta": regex_quote_meta,
    **{f"regex{name}": call for name, call in zip(_NAMES, _PLAIN, strict=True)},
    **{f"mustRegex{name}": call for name, call in zip(_NAMES, _MUST, strict=True)},
}

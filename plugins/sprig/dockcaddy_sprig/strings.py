"""Strings. Lengths and places count bytes, as in Go."""

import unicodedata
from collections.abc import Callable

from dockcaddy import Context, gotemplate
from dockcaddy.gotemplate import FunctionError, go_bytes, go_string, lower_letter, title_letter, upper_letter

from dockcaddy_sprig.go import Any_, bounded, shown, strval

# what Go's unicode.IsSpace knows
SPACES = "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_NO_UTF8 = "".join(map(chr, range(0xDC80, 0xDD00)))


def runes(text: str) -> str:
    """The text with the replacement character for each byte that is not UTF-8."""
    return text if text.isascii() else "".join("\ufffd" if "\udc80" <= each <= "\udcff" else each for each in text)


def is_upper(letter: str) -> bool:
    """Go's unicode.IsUpper."""
    return unicodedata.category(letter) == "Lu"


def trim(context: Context, text: str) -> str:
    """The text without the white space around it."""
    return text.strip(SPACES)


def trim_all(context: Context, characters: str, text: str) -> str:
    """The text without any of these characters around it."""
    # each byte that is no UTF-8 stands for all of them
    more = _NO_UTF8 if "\ufffd" in runes(characters) else ""
    return text.strip(characters + more) if characters else text


def trim_suffix(context: Context, suffix: str, text: str) -> str:
    """The text without this end."""
    return go_string(go_bytes(text).removesuffix(go_bytes(suffix)))


def trim_prefix(context: Context, prefix: str, text: str) -> str:
    """The text without this beginning."""
    return go_string(go_bytes(text).removeprefix(go_bytes(prefix)))


def upper(context: Context, text: str) -> str:
    """The text in upper case."""
    return text.upper() if text.isascii() else "".join(map(upper_letter, runes(text)))


def lower(context: Context, text: str) -> str:
    """The text in lower case."""
    return text.lower() if text.isascii() else "".join(map(lower_letter, runes(text)))


def _is_separator(letter: str) -> bool:
    if letter.isascii():
        return not (letter.isalnum() or letter == "_")
    category = unicodedata.category(letter)
    return not (category.startswith("L") or category == "Nd") and letter in SPACES


def title(context: Context, text: str) -> str:
    """The text with each word's first letter in upper case."""
    before, made = " ", []
    for letter in runes(text):
        made.append(title_letter(letter) if _is_separator(before) else letter)
        before = letter
    return "".join(made)


def untitle(context: Context, text: str) -> str:
    """The text with each word's first letter in lower case."""
    return _at_words(runes(text), lower_letter, lambda letter: letter)


def swapcase(context: Context, text: str) -> str:
    """The text with upper case and lower case swapped."""

    def swapped(letter: str) -> str:
        if is_upper(letter) or unicodedata.category(letter) == "Lt":
            return lower_letter(letter)
        return upper_letter(letter) if unicodedata.category(letter) == "Ll" else letter

    made, after_space = [], True
    for letter in runes(text):
        cased = unicodedata.category(letter) in ("Lu", "Lt", "Ll")
        first = after_space and unicodedata.category(letter) == "Ll"
        made.append(title_letter(letter) if first else swapped(letter))
        after_space = False if cased else letter in SPACES
    return "".join(made)


def _at_words(text: str, first: Callable[[str], str], rest: Callable[[str], str]) -> str:
    made, begins = [], True
    for letter in text:
        if letter in SPACES:
            made.append(letter)
            begins = True
        else:
            made.append(first(letter) if begins else rest(letter))
            begins = False
    return "".join(made)


def repeat(context: Context, count: int, text: str) -> str:
    """The text COUNT times."""
    if count < 0:
        raise FunctionError("strings: negative Repeat count")
    bounded(count * len(text))
    return text * count


def substr(context: Context, start: int, end: int, text: str) -> str:
    """The bytes from START up to END; an END below 0 is the text's end."""
    data = go_bytes(text)
    if start < 0:
        return go_string(_cut(data, 0, end))
    if end < 0 or end > len(data):
        if start > len(data):
            raise FunctionError(f"runtime error: slice bounds out of range [{start}:{len(data)}]")
        return go_string(data[start:])
    return go_string(_cut(data, start, end))


def _cut(data: bytes, start: int, end: int) -> bytes:
    if end < 0:
        raise FunctionError(f"runtime error: slice bounds out of range [:{end}]")
    if end > len(data):
        raise FunctionError(f"runtime error: slice bounds out of range [:{end}] with length {len(data)}")
    if start > end:
        raise FunctionError(f"runtime error: slice bounds out of range [{start}:{end}]")
    return data[start:end]


def trunc(context: Context, count: int, text: str) -> str:
    """The first COUNT bytes, the last ones where COUNT is below 0."""
    data = go_bytes(text)
    if count < 0 and len(data) + count > 0:
        return go_string(data[len(data) + count :])
    return go_string(data[:count]) if 0 <= count < len(data) else text


def abbrev(context: Context, width: int, text: str) -> str:
    """The text cut to WIDTH bytes, with `...` at the end."""
    return text if width < 4 else go_string(_abbreviated(go_bytes(text), 0, width))


def abbrev_both(context: Context, left: int, right: int, text: str) -> str:
    """The text cut on both sides, with `...` on each."""
    if right < 4 or (left > 0 and right < 7):
        return text
    return go_string(_abbreviated(go_bytes(text), left, right))


def _abbreviated(data: bytes, offset: int, width: int) -> bytes:
    if len(data) <= width:
        return data
    offset = min(offset, len(data))
    if len(data) - offset < width - 3:
        offset = len(data) - (width - 3)
    if offset <= 4:
        return data[: width - 3] + b"..."
    if width < 7:
        return b""
    if offset + width - 3 < len(data):
        return b"..." + (_abbreviated(data[offset:], 0, width - 3) if width - 3 >= 4 else b"")
    return b"..." + data[len(data) - (width - 3) :]


def _byte_letters(text: str) -> list[str]:
    return [chr(byte) for byte in go_bytes(text)]


def nospace(context: Context, text: str) -> str:
    """The text without any white space."""
    letters = _byte_letters(text)
    kept = [letter for letter in letters if letter not in SPACES]
    return text if len(kept) == len(letters) else "".join(kept)


def initials(context: Context, text: str) -> str:
    """The first letters of all words."""
    made, begins = [], True
    for letter in _byte_letters(text):
        if letter in SPACES:
            begins = True
        elif begins:
            made.append(letter)
            begins = False
    return "".join(made)


def contains(context: Context, part: str, text: str) -> bool:
    """Whether PART is in the text."""
    return go_bytes(part) in go_bytes(text)


def has_prefix(context: Context, prefix: str, text: str) -> bool:
    """Whether the text begins so."""
    return go_bytes(text).startswith(go_bytes(prefix))


def has_suffix(context: Context, suffix: str, text: str) -> bool:
    """Whether the text ends so."""
    return go_bytes(text).endswith(go_bytes(suffix))


def quote(context: Context, *values: Any_) -> str:
    """The values in double quotes, nil left out."""
    return " ".join(gotemplate.quote(strval(context, each)) for each in values if each is not None)


def squote(context: Context, *values: Any_) -> str:
    """The values in single quotes, nil left out."""
    return " ".join(f"'{shown(context, each)}'" for each in values if each is not None)


def cat(context: Context, *values: Any_) -> str:
    """The values with a space between, nil left out."""
    return " ".join(shown(context, each) for each in values if each is not None)


def indent(context: Context, spaces: int, text: str) -> str:
    """The text with so many spaces before each line."""
    if spaces < 0:
        raise FunctionError("strings: negative Repeat count")
    bounded(len(text) + spaces * (text.count("\n") + 1))
    pad = " " * spaces
    return pad + text.replace("\n", "\n" + pad)


def nindent(context: Context, spaces: int, text: str) -> str:
    """A new line, and the text with so many spaces before each line."""
    return "\n" + indent(context, spaces, text)


def replace(context: Context, old: str, new: str, text: str) -> str:
    """The text with NEW for each OLD."""
    bounded(len(text) + (text.count(old) * len(new)))
    return text.replace(old, new)


def plural(context: Context, one: str, many: str, count: int) -> str:
    """ONE where COUNT is 1, else MANY."""
    return one if count == 1 else many


def hello(context: Context) -> str:
    """Hello!"""
    return "Hello!"


FUNCTIONS: dict[str, Callable[..., object]] = {
    "abbrev": abbrev,
    "abbrevboth": abbrev_both,
    "cat": cat,
    "contains": contains,
    "hasPrefix": has_prefix,
    "hasSuffix": has_suffix,
    "hello": hello,
    "indent": indent,
    "initials": initials,
    "lower": lower,
    "nindent": nindent,
    "nospace": nospace,
    "plural": plural,
    "quote": quote,
    "repeat": repeat,
    "replace": replace,
    "squote": squote,
    "substr": substr,
    "swapcase": swapcase,
    "title": title,
    "trim": trim,
    "trimAll": trim_all,
    "trimPrefix": trim_prefix,
    "trimSuffix": trim_suffix,
    "trimall": trim_all,
    "trunc": trunc,
    "untitle": untitle,
    "upper": upper,
}

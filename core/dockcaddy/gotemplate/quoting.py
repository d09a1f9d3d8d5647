"""Go's strconv quoting and number syntax (https://pkg.go.dev/strconv)."""

import re

from dockcaddy.gotemplate.values import go_bytes, go_string

_SIMPLE = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "'": 39, '"': 34}
# a backquote, control characters, a byte order mark, a byte that is no UTF-8
_NOT_RAW = re.compile(r"[`\x00-\x08\x0a-\x1f\x7f\ufeff\udc80-\udcff]")
_NUMERIC = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})")
_INTEGER = re.compile(
    r"[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)"
)
_DECIMAL = re.compile(r"[+-]?(?:[0-9](?:_?[0-9])*)?(?:\.(?:[0-9](?:_?[0-9])*)?)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?")
_HEXADECIMAL = re.compile(
    r"[+-]?0[xX](?:_?[0-9a-fA-F])*(?:\.(?:[0-9a-fA-F](?:_?[0-9a-fA-F])*)?)?[pP][+-]?[0-9](?:_?[0-9])*"
)


def is_printable(character: str) -> bool:
    """Go's unicode.IsPrint."""
    return character.isprintable()


def _quoted_character(character: str, quote: str, ascii_only: bool) -> str:
    code = ord(character)
    if character in (quote, "\\"):
        return "\\" + character
    if is_printable(character) and not (ascii_only and code > 126):
        return character
    if character in _SIMPLE:
        return _SIMPLE[character]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 32 or code == 127:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quote(text: str, *, ascii_only: bool = False) -> str:
    """`strconv.Quote`: a double-quoted Go string."""
    return '"' + "".join(_quoted_character(character, '"', ascii_only) for character in text) + '"'


def quote_raw(text: str, *, ascii_only: bool = False) -> str:
    """The text in backquotes where Go can write it so (`strconv.CanBackquote`), else as `quote`."""
    return quote(text, ascii_only=ascii_only) if _NOT_RAW.search(text) else f"`{text}`"


def quote_rune(code: int, *, ascii_only: bool = False) -> str:
    """`strconv.QuoteRune`: a single-quoted character."""
    if not 0 <= code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        code = 0xFFFD
    return "'" + _quoted_character(chr(code), "'", ascii_only) + "'"


def unquote(text: str) -> str:
    """`strconv.Unquote` of a double- or back-quoted string. Raises ValueError with Go's words."""
    quote_mark, inner = text[0], text[1:-1]
    if quote_mark == "`":
        return inner.replace("\r", "")
    if "\\" not in inner:
        return inner
    content = bytearray()
    position = 0
    while position < len(inner):
        piece, position = _unquoted_piece(inner, position, quote_mark)
        content += piece
    return go_string(bytes(content))


def unquote_character(text: str) -> tuple[int, str]:
    """The first character of a single-quoted constant, and what follows it."""
    inner = text[1:]
    if inner.startswith("'"):
        raise ValueError("invalid syntax")
    if not inner.startswith("\\"):
        return ord(inner[0]), inner[1:]
    match = _NUMERIC.match(inner, 1)
    if match and (match[1] or match[4]):
        number = int(match[1], 16) if match[1] else int(match[4], 8)
        if number > 255:
            raise ValueError("invalid syntax")
        return number, inner[match.end() :]
    piece, end = _unquoted_piece(inner, 0, "'")
    return ord(piece.decode("utf-8")), inner[end:]


def _unquoted_piece(inner: str, position: int, quote_mark: str) -> tuple[bytes, int]:
    character = inner[position]
    if character != "\\":
        return go_bytes(character), position + 1
    following = inner[position + 1 : position + 2]
    if following in _ESCAPES and following:
        if following in "'\"" and following != quote_mark:
            raise ValueError("invalid syntax")
        return bytes((_ESCAPES[following],)), position + 2
    match = _NUMERIC.match(inner, position + 1)
    if match is None:
        raise ValueError("invalid syntax")
    if match[1] or match[4]:
        number = int(match[1], 16) if match[1] else int(match[4], 8)
        if number > 255:
            raise ValueError("invalid syntax")
        return bytes((number,)), match.end()
    code = int(match[2] or match[3], 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise ValueError("invalid syntax")
    return chr(code).encode(), match.end()


def parse_integer(text: str) -> int | None:
    """An integer of any base in Go's syntax, None where it is not one."""
    if not _INTEGER.fullmatch(text) or len(text) > 100:
        return None
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-").replace("_", "").lower()
    if len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567":
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def parse_float(text: str) -> float | None:
    """A float in Go's syntax, decimal or hexadecimal; None where it is not one or is out of range."""
    if len(text) > 400:
        return None
    if _HEXADECIMAL.fullmatch(text):
        return _hexadecimal(text)
    if not _DECIMAL.fullmatch(text) or not any(character.isdigit() for character in text):
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return None if number in (float("inf"), float("-inf")) else number


def _hexadecimal(text: str) -> float | None:
    try:
        return float.fromhex(text.replace("_", ""))
    except (ValueError, OverflowError):
        return None

"""Number constants: which kinds one can be (Go's parse.NumberNode)."""

import re

from dockcaddy.gotemplate.nodes import Number
from dockcaddy.gotemplate.quoting import parse_float, parse_integer, quote, unquote_character

_COMPLEX = re.compile(r"(.*?[^eEpP+-])([+-].*)i")
_LARGEST_INTEGER = 2**63 - 1


def parse_number(position: int, text: str, kind: str) -> Number:
    """The number of an item. Raises ValueError with Go's words."""
    number = Number(position, text)
    if kind == "char constant":
        code, rest = unquote_character(text)
        if rest != "'":
            raise ValueError(f"malformed character constant: {text}")
        number.integer, number.unsigned, number.floating = code, code, float(code)
    elif kind == "complex":
        if text[0] in "+-" and text[1] in "+-":
            raise ValueError(f"strconv.ParseFloat: parsing {quote(text[0])}: invalid syntax")
        match = _COMPLEX.fullmatch(text)
        real, imaginary = (parse_float(match[1]), parse_float(match[2])) if match else (None, None)
        if real is None or imaginary is None:
            raise ValueError("syntax error scanning complex number")
        _simplify(number, complex(real, imaginary))
    elif text.endswith("i") and (imaginary := parse_float(text[:-1])) is not None:
        _simplify(number, complex(0, imaginary))
    else:
        _real(number, text)
    return number


def _simplify(number: Number, value: complex) -> None:
    number.imaginary = value
    if value.imag == 0:
        number.floating = value.real
        _whole(number, value.real)


def _whole(number: Number, value: float) -> None:
    """A float that is a whole number can be an integer too."""
    if value.is_integer():
        if number.integer is None and -(2.0**63) <= value < 2.0**63:
            number.integer = int(value)
        if number.unsigned is None and 0 <= value < 2.0**64:
            number.unsigned = int(value)


def _real(number: Number, text: str) -> None:
    integer = parse_integer(text)
    if integer is not None:
        if not text.startswith(("+", "-")) and integer < 2**64:
            number.unsigned = integer
        if -_LARGEST_INTEGER - 1 <= integer <= _LARGEST_INTEGER:
            number.integer = integer
            if integer == 0:
                number.unsigned = 0
    if number.integer is not None or number.unsigned is not None:
        number.floating = float(number.integer if number.integer is not None else number.unsigned or 0)
        return
    floating = parse_float(text)
    if floating is not None:
        if not any(character in text for character in ".eEpP"):
            raise ValueError(f"integer overflow: {quote(text)}")
        number.floating = floating
        _whole(number, floating)
        return
    raise ValueError(f"illegal number syntax: {quote(text)}")

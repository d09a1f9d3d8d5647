"""Conversion between types."""

import re
from collections.abc import Callable

from dockcaddy import Context

from dockcaddy_sprig.go import Any_, Int64, strval, to_float, to_int

_LARGEST = 2**63 - 1


def atoi(context: Context, text: str) -> int:
    """The decimal number that the text is, 0 where it is none."""
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII) or len(text) > 4000:
        return 0
    return min(max(int(text), -_LARGEST - 1), _LARGEST)


def int_(context: Context, value: Any_) -> int:
    """The value as an int; a text may be hexadecimal (0x1F) or octal (010)."""
    return to_int(value)


def int64(context: Context, value: Any_) -> Int64:
    """The value as an int64; a text may be hexadecimal (0x1F) or octal (010)."""
    return to_int(value)


def float64(context: Context, value: Any_) -> float:
    """The value as a float64."""
    return to_float(value)


def to_string(context: Context, value: Any_) -> str:
    """The value as text."""
    return strval(context, value)


def to_decimal(context: Context, value: Any_) -> Int64:
    """The octal number that the text is, 0 where it is none."""
    text = strval(context, value)
    if not re.fullmatch(r"[+-]?[0-7]+", text, re.ASCII) or len(text) > 100:
        return 0
    number = int(text, 8)
    return number if -_LARGEST - 1 <= number <= _LARGEST else 0


FUNCTIONS: dict[str, Callable[..., object]] = {
    "atoi": atoi,
    "float64": float64,
    "int": int_,
    "int64": int64,
    "toDecimal": to_decimal,
    "toString": to_string,
}

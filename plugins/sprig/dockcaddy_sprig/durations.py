"""Go's time.Duration: nanoseconds, written as `1h30m0s`."""

import re

from dockcaddy.gotemplate import INT64, STRING, FunctionError, Method, Type, function_type

UNITS = {
    "ns": 1, "us": 1_000, "\u00b5s": 1_000, "\u03bcs": 1_000, "ms": 1_000_000,
    "s": 1_000_000_000, "m": 60 * 1_000_000_000, "h": 3600 * 1_000_000_000,
}  # fmt: skip
_NUMBER = re.compile(r"([0-9]*)(?:(\.)([0-9]*))?", re.ASCII)
_UNIT = re.compile(r"[^0-9.]*", re.ASCII)
_MOST = 2**63
_LONGEST = 1_000


def parse_duration(text: str) -> int:
    """Nanoseconds. Raises FunctionError with Go's words."""
    invalid = FunctionError(f"time: invalid duration {quoted(text)}")
    if len(text) > _LONGEST:
        raise invalid
    rest = text[1:] if text[:1] in ("+", "-") and text else text
    if rest == "0":
        return 0
    if not rest:
        raise invalid
    total = 0
    while rest:
        number = _NUMBER.match(rest)
        if number is None or not (number[1] or number[3]) or int(number[1] or 0) > _MOST:
            raise invalid
        rest = rest[number.end() :]
        unit = _UNIT.match(rest)
        name = unit[0] if unit else ""
        if not name:
            raise FunctionError(f"time: missing unit in duration {quoted(text)}")
        if name not in UNITS:
            raise FunctionError(f"time: unknown unit {quoted(name)} in duration {quoted(text)}")
        rest = rest[len(name) :]
        total += int(number[1] or 0) * UNITS[name] + _fraction(number[3] or "", UNITS[name])
        if total > _MOST:
            raise invalid
    if text.startswith("-"):
        return -total
    if total == _MOST:
        raise invalid
    return total


def _fraction(digits: str, unit: int) -> int:
    kept = digits[:18]
    return int(float(int(kept)) * (unit / 10.0 ** len(kept))) if kept else 0


def quoted(text: str) -> str:
    """The text as errors of Go's package time quote it."""
    made = []
    for letter in text:
        if letter < " " or letter >= "\x80":
            made += [f"\\x{byte:02x}" for byte in letter.encode("utf-8", "surrogateescape")]
        else:
            made.append(f"\\{letter}" if letter in '"\\' else letter)
    return '"' + "".join(made) + '"'


def shown(nanoseconds: int) -> str:
    """As Go prints it: `1h0m0.5s`, `1.5ms`, `0s`."""
    sign, left = "-" if nanoseconds < 0 else "", abs(nanoseconds)
    if left < UNITS["s"]:
        if left == 0:
            return "0s"
        name = "ns" if left < 1_000 else "\u00b5s" if left < 1_000_000 else "ms"
        return f"{sign}{_decimal(left, UNITS[name])}{name}"
    minutes, left = divmod(left, UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    seconds = _decimal(left, UNITS["s"])
    return sign + (f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else "") + f"{seconds}s"


def _decimal(amount: int, unit: int) -> str:
    whole, fraction = divmod(amount, unit)
    digits = f"{fraction:0{len(str(unit)) - 1}d}".rstrip("0") if fraction else ""
    return f"{whole}.{digits}" if digits else str(whole)


def rounded(nanoseconds: int, unit: int) -> int:
    """To the nearest multiple of the unit, halves away from zero."""
    if unit <= 0:
        return nanoseconds
    whole, rest = divmod(abs(nanoseconds), unit)
    amount = (whole + (2 * rest >= unit)) * unit
    return max(-amount, -_MOST) if nanoseconds < 0 else min(amount, _MOST - 1)


def _truncated(nanoseconds: int, unit: int) -> int:
    """To the next multiple of the unit that is nearer to zero."""
    return nanoseconds - _units(nanoseconds, unit)[1] if unit > 0 else nanoseconds


def _units(nanoseconds: int, unit: int) -> tuple[int, int]:
    """How many whole units, and the rest, both with the sign of the duration as Go divides."""
    whole, rest = divmod(abs(nanoseconds), unit)
    return (-whole, -rest) if nanoseconds < 0 else (whole, rest)


def _in_units(nanoseconds: int, unit: int) -> float:
    whole, rest = _units(nanoseconds, unit)
    return whole + rest / unit


def _type() -> Type:
    floating = Type("float64", "float64")
    methods: dict[str, Method] = {}
    made = Type("int64", "time.Duration", methods=methods)
    methods["String"] = Method(function_type([], [STRING]), shown)
    methods["Nanoseconds"] = Method(function_type([], [INT64]), lambda amount: amount)
    methods["Microseconds"] = Method(function_type([], [INT64]), lambda amount: _units(amount, UNITS["us"])[0])
    methods["Milliseconds"] = Method(function_type([], [INT64]), lambda amount: _units(amount, UNITS["ms"])[0])
    for name, unit in (("Seconds", "s"), ("Minutes", "m"), ("Hours", "h")):
        methods[name] = Method(function_type([], [floating]), lambda amount, unit=UNITS[unit]: _in_units(amount, unit))
    methods["Abs"] = Method(function_type([], [made]), lambda amount: min(abs(amount), _MOST - 1))
    methods["Round"] = Method(function_type([made], [made]), lambda amount, unit: rounded(amount, unit.data))
    methods["Truncate"] = Method(function_type([made], [made]), lambda amount, unit: _truncated(amount, unit.data))
    return made


DURATION = _type()

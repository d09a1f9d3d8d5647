"""Time layouts: a reference time that shows how others are written (https://pkg.go.dev/time#Layout)."""

import re
from collections.abc import Callable, Mapping

from dockcaddy_sprig.times import DAYS, MONTHS, Time

# a piece of a layout; the longest first where one begins like another
PIECES = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|0[1-6]|002|15|1|2006|_2(?!006)|__2|2|3|4|5|PM|pm"
    r"|[-Z]070000|[-Z]07:00:00|[-Z]0700|[-Z]07:00|[-Z]07|[.,](?:0+|9+)(?![0-9])",
    re.ASCII,
)
ZONES = re.compile(r"[-Z]07(?:0000|:00:00|00|:00)?", re.ASCII)


def formatted(time: Time, layout: str) -> str:
    """The time written as the layout shows."""
    made, last = [], 0
    for found in PIECES.finditer(layout):
        made.append(layout[last : found.start()])
        made.append(_piece(time, found[0]))
        last = found.end()
    return "".join((*made, layout[last:]))


def _padded(number: int, width: int) -> str:
    return f"-{-number:0{width}d}" if number < 0 else f"{number:0{width}d}"


def _twelve(time: Time) -> int:
    return (time.clock()[0] + 11) % 12 + 1


_WRITERS: Mapping[str, Callable[[Time], str]] = {
    "January": lambda time: MONTHS[time.date()[1] - 1],
    "Jan": lambda time: MONTHS[time.date()[1] - 1][:3],
    "1": lambda time: str(time.date()[1]),
    "01": lambda time: _padded(time.date()[1], 2),
    "Monday": lambda time: DAYS[time.weekday()],
    "Mon": lambda time: DAYS[time.weekday()][:3],
    "2": lambda time: str(time.date()[2]),
    "_2": lambda time: f"{time.date()[2]:2d}",
    "02": lambda time: _padded(time.date()[2], 2),
    "__2": lambda time: f"{time.year_day():3d}",
    "002": lambda time: _padded(time.year_day(), 3),
    "15": lambda time: _padded(time.clock()[0], 2),
    "3": lambda time: str(_twelve(time)),
    "03": lambda time: _padded(_twelve(time), 2),
    "4": lambda time: str(time.clock()[1]),
    "04": lambda time: _padded(time.clock()[1], 2),
    "5": lambda time: str(time.clock()[2]),
    "05": lambda time: _padded(time.clock()[2], 2),
    "2006": lambda time: _padded(time.date()[0], 4),
    "06": lambda time: _padded(abs(time.date()[0]) % 100, 2),
    "PM": lambda time: "PM" if time.clock()[0] >= 12 else "AM",
    "pm": lambda time: "pm" if time.clock()[0] >= 12 else "am",
    "MST": lambda time: _zone_name(time),  # noqa: PLW0108  it is defined below
}


def _piece(time: Time, piece: str) -> str:
    writer = _WRITERS.get(piece)
    if writer is not None:
        return writer(time)
    if piece[0] in ".,":
        digits = f"{time.nano:09d}"[: len(piece) - 1]
        if piece[1] == "9":
            digits = digits.rstrip("0")
        return piece[0] + digits if digits else ""
    offset = time.zone.at(time.unix)[1]
    return "Z" if piece[0] == "Z" and not offset else _offset(offset, piece)


def _zone_name(time: Time) -> str:
    name, offset = time.zone.at(time.unix)
    # the database names zones without letters by their offset, as Go does
    return name or _offset(offset, "-0700")


def _offset(offset: int, piece: str) -> str:
    minutes = int(offset / 60)
    colon = ":" if ":" in piece else ""
    text = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}"
    if len(piece) > 3:
        text += f"{colon}{abs(minutes) % 60:02d}"
    return f"{text}{colon}{abs(offset) % 60:02d}" if len(piece) > 6 else text

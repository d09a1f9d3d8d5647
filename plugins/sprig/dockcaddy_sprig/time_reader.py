"""Times out of texts, by a layout; Go's words where a text is not like it."""

import re
from collections.abc import Mapping, Sequence

from attrs import define, field
from dockcaddy.gotemplate import FunctionError

from dockcaddy_sprig.durations import quoted
from dockcaddy_sprig.layouts import PIECES, ZONES
from dockcaddy_sprig.times import DAYS, MONTHS, ZULU, Time, Zone, days_of, moment

_NAMED = re.compile(
    r"ChST|MeST|GMT(?:[+-][0-9]+)?|[+-][0-9]+|[A-Z]{4}T(?![A-Z])|(?:[A-Z]{3}T|WITA)(?![A-Z])|[A-Z]{3}(?![A-Z])",
    re.ASCII,
)
_MOST_CHARACTERS = 1_000


class _BadError(Exception):
    """The text has something else where the layout has this piece."""


class _OutOfRangeError(Exception):
    """A number is too small or too large; the message says of what."""


def parsed(layout: str, text: str) -> Time:
    """The time. Raises FunctionError with Go's words."""
    if len(layout) > _MOST_CHARACTERS or len(text) > _MOST_CHARACTERS:
        raise FunctionError(f"the time or its layout exceeds the limit of {_MOST_CHARACTERS} characters")
    return _Reader(layout, text).whole()


@define
class _Reader:
    layout: str
    text: str
    rest: str = ""
    numbers: dict[str, int] = field(factory=dict)
    half: str = ""
    zone: Zone | None = None
    offset: int | None = None
    zone_name: str = ""

    def whole(self) -> Time:
        self.rest, last = self.text, 0
        for found in PIECES.finditer(self.layout):
            self.skip(self.layout[last : found.start()])
            self.piece(found[0], self.layout[found.end() :])
            last = found.end()
        self.skip(self.layout[last:])
        if self.rest:
            raise self.wrong(f": extra text: {quoted(self.rest)}")
        return self.time()

    def wrong(self, message: str) -> FunctionError:
        return FunctionError(f"parsing time {quoted(self.text)}{message}")

    def unlike(self, piece: str, rest: str) -> FunctionError:
        return self.wrong(f" as {quoted(self.layout)}: cannot parse {quoted(rest)} as {quoted(piece)}")

    def skip(self, prefix: str) -> None:
        left = prefix
        while left:
            if left[0] == " ":
                if self.rest and self.rest[0] != " ":
                    raise self.unlike(prefix, self.rest)
                left, self.rest = left.lstrip(" "), self.rest.lstrip(" ")
            elif self.rest[:1] != left[0]:
                raise self.unlike(prefix, self.rest)
            else:
                left, self.rest = left[1:], self.rest[1:]

    def piece(self, piece: str, following: str) -> None:
        hold = self.rest
        try:
            self.read(piece, following)
        except _OutOfRangeError as error:
            raise self.wrong(f": {error} out of range") from None
        except _BadError:
            raise self.unlike(piece, hold) from None

    # --- pieces

    def read(self, piece: str, following: str) -> None:
        if piece in _NUMBERS:
            self.number(piece, *_NUMBERS[piece])
            if piece in ("5", "05"):
                self.unwritten_fraction(following)
        elif piece in ("January", "Jan"):
            self.numbers["month"] = self.name(MONTHS, len(piece) > 3) + 1
        elif piece in ("Monday", "Mon"):
            self.name(DAYS, len(piece) > 3)
        elif piece == "2006":
            self.numbers["year"] = int(self.take(r"[0-9]{4}"))
        elif piece == "06":
            year = int(self.take(r"[0-9]{2}|[+-][0-9]"))
            self.numbers["year"] = year + (1900 if year >= 69 else 2000)
        elif piece in ("PM", "pm"):
            self.half = self.take(r"[AP]M" if piece == "PM" else r"[ap]m").upper()
        elif piece == "MST":
            self.zone_letters()
        elif ZONES.fullmatch(piece):
            self.zone_numbers(piece)
        else:
            self.fraction(piece)

    def take(self, pattern: str) -> str:
        found = re.compile(pattern, re.ASCII).match(self.rest)
        if found is None:
            raise _BadError
        self.rest = self.rest[found.end() :]
        return found[0]

    def number(self, piece: str, name: str, least: int, most: int) -> None:
        if piece in ("_2", "__2"):
            spaces = re.match(rf" {{0,{len(piece) - 1}}}", self.rest)
            self.rest = self.rest[spaces.end() if spaces else 0 :]
        digits = 3 if piece in ("__2", "002") else 2
        fixed = piece.startswith("0")
        value = int(self.take(f"[0-9]{{{digits}}}" if fixed else f"[0-9]{{1,{digits}}}"))
        if not least <= value <= most:
            raise _OutOfRangeError(name)
        self.numbers[name] = value

    def name(self, names: Sequence[str], long: bool) -> int:
        for place, name in enumerate(names):
            wanted = name if long else name[:3]
            if self.rest[: len(wanted)].lower() == wanted.lower():
                self.rest = self.rest[len(wanted) :]
                return place
        raise _BadError

    def unwritten_fraction(self, following: str) -> None:
        """A fraction of a second in the text where the layout has none."""
        found = re.compile(r"[.,][0-9]+", re.ASCII).match(self.rest)
        coming = PIECES.search(following)
        if found and not (coming and coming[0][0] in ".,"):
            self.nano(found[0])

    def fraction(self, piece: str) -> None:
        if piece[1] == "0":
            found = re.compile(rf"[.,][0-9]{{{len(piece) - 1}}}", re.ASCII).match(self.rest)
            if found is None:
                raise _BadError
        else:
            found = re.compile(r"[.,][0-9]+", re.ASCII).match(self.rest)
            if found is None:
                return
        self.nano(found[0])

    def nano(self, written: str) -> None:
        self.numbers["nano"] = int(written[1:10].ljust(9, "0"))
        self.rest = self.rest[len(written) :]

    def zone_letters(self) -> None:
        if self.rest.startswith("UTC"):
            self.zone, self.rest = ZULU, self.rest[3:]
            return
        found = _NAMED.match(self.rest)
        hours = re.search(r"[+-]([0-9]+)$", found[0], re.ASCII) if found else None
        if found is None or (hours and int(hours[1]) > 23):
            raise _BadError
        self.zone_name, self.rest = found[0], self.rest[found.end() :]

    def zone_numbers(self, piece: str) -> None:
        if piece[0] == "Z" and self.rest.startswith("Z"):
            self.zone, self.rest = ZULU, self.rest[1:]
            return
        written = self.take("..." + re.sub("00", "..", piece[3:]))
        digits = written[1:].replace(":", "").ljust(6, "0")
        parts: list[int] = []
        for at, name, most in ((0, "hour", 24), (2, "minute", 60), (4, "second", 60)):
            if not re.fullmatch("[0-9]{2}", digits[at : at + 2]):
                raise _BadError
            parts.append(int(digits[at : at + 2]))
            if parts[-1] > most:
                raise _OutOfRangeError(f"time zone offset {name}")
        if written[0] not in "+-":
            raise _BadError
        seconds = (parts[0] * 60 + parts[1]) * 60 + parts[2]
        self.offset = -seconds if written[0] == "-" else seconds

    # --- what they say together

    def time(self) -> Time:
        found = self.numbers
        hour = found.get("hour", 0)
        if self.half == "PM" and hour < 12:
            hour += 12
        elif self.half == "AM" and hour == 12:
            hour = 0
        year, month, day = self.date()
        seconds = (hour * 60 + found.get("minute", 0)) * 60 + found.get("second", 0)
        made = moment(year, month, day, seconds, found.get("nano", 0), ZULU)
        if self.zone is not None:
            return made
        if self.offset is not None:
            made = made.plus(-self.offset * 1_000_000_000)
            fixed = self.offset or self.zone_name not in ("", "UTC")
            return Time(made.unix, made.nano, Zone(self.zone_name, self.offset)) if fixed else made
        if self.zone_name:
            hours = re.fullmatch(r"GMT([+-][0-9]+)", self.zone_name, re.ASCII)
            return Time(made.unix, made.nano, Zone(self.zone_name, int(hours[1]) * 3600 if hours else 0))
        return made

    def date(self) -> tuple[int, int, int]:
        found = self.numbers
        year, month, day = found.get("year", 0), found.get("month"), found.get("day")
        if "day of year" in found:
            first = days_of(year, 1, 1)
            number = found["day of year"]
            if not 1 <= number <= days_of(year + 1, 1, 1) - first:
                raise self.wrong(": day-of-year out of range")
            own_month = next(each for each in range(12, 0, -1) if days_of(year, each, 1) - first < number)
            own_day = number - (days_of(year, own_month, 1) - first)
            if month is not None and month != own_month:
                raise self.wrong(": day-of-year does not match month")
            if day is not None and day != own_day:
                raise self.wrong(": day-of-year does not match day")
            return year, own_month, own_day
        month, day = month or 1, 1 if day is None else day
        if not 1 <= day <= days_of(year, month + 1, 1) - days_of(year, month, 1):
            raise self.wrong(": day out of range")
        return year, month, day


# what the piece reads: its name, its least, its most
_NUMBERS: Mapping[str, tuple[str, int, int]] = {
    "1": ("month", 1, 12),
    "01": ("month", 1, 12),
    "2": ("day", 0, 99),
    "_2": ("day", 0, 99),
    "02": ("day", 0, 99),
    "__2": ("day of year", 0, 999),
    "002": ("day of year", 0, 999),
    "15": ("hour", 0, 23),
    "3": ("hour", 0, 12),
    "03": ("hour", 0, 12),
    "4": ("minute", 0, 59),
    "04": ("minute", 0, 59),
    "5": ("second", 0, 59),
    "05": ("second", 0, 59),
}

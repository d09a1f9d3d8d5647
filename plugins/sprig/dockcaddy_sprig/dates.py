"""Dates. `now` is the time at which the label was rendered first, as long as it and its resource are the same."""

import re
from collections.abc import Callable

from attrs import evolve
from dockcaddy import Context
from dockcaddy.gotemplate import FunctionError, Value

from dockcaddy_sprig.durations import UNITS, parse_duration, rounded, shown
from dockcaddy_sprig.go import Any_
from dockcaddy_sprig.layouts import formatted
from dockcaddy_sprig.time_reader import parsed
from dockcaddy_sprig.time_type import TIME, TimeValue
from dockcaddy_sprig.times import ZERO, Time, load_zone
from dockcaddy_sprig.times import now as present

_CHARACTERS_PER_STEP = 8
# finding a time zone takes so many steps
_ZONE_STEPS = 4
_ROUNDED = (("y", 365 * 24 * UNITS["h"]), ("mo", 30 * 24 * UNITS["h"]), ("d", 24 * UNITS["h"]), ("h", UNITS["h"]),
            ("m", UNITS["m"]), ("s", UNITS["s"]))  # fmt: skip


def now(context: Context) -> TimeValue:
    """The time at which the label was rendered first."""
    return Value(TIME, context.keep(present))


def _time_of(context: Context, value: Any_, *kinds: str) -> Time:
    """What sprig takes for a time; anything else is now."""
    if value is not None and value.type.name in ("time.Time", "*time.Time"):
        time: Time = value.data
        return time
    if value is not None and value.type.name in kinds:
        return Time(value.data)
    return context.keep(present)


def date(context: Context, layout: str, value: Any_) -> str:
    """The time written like Go's reference time 2006-01-02 15:04:05."""
    return date_in_zone(context, layout, value, "Local")


def date_in_zone(context: Context, layout: str, value: Any_, zone: str) -> str:
    """The time in a time zone, written like Go's reference time 2006-01-02 15:04:05."""
    context.spend(_ZONE_STEPS + len(layout) // _CHARACTERS_PER_STEP)
    time = _time_of(context, value, "int", "int64", "int32")
    return formatted(evolve(time, zone=load_zone(zone)), layout)


def html_date(context: Context, value: Any_) -> str:
    """The date as 2006-01-02."""
    return date(context, "2006-01-02", value)


def html_date_in_zone(context: Context, value: Any_, zone: str) -> str:
    """The date in a time zone as 2006-01-02."""
    return date_in_zone(context, "2006-01-02", value, zone)


def must_date_modify(context: Context, amount: str, value: TimeValue) -> TimeValue:
    """The time so much later (`1h30m`) or earlier (`-24h`)."""
    return Value(TIME, value.data.plus(parse_duration(amount)))


def date_modify(context: Context, amount: str, value: TimeValue) -> TimeValue:
    """The time so much later (`1h30m`) or earlier (`-24h`); the same where the amount is wrong."""
    try:
        return must_date_modify(context, amount, value)
    except FunctionError:
        return value


def ago(context: Context, value: Any_) -> str:
    """How long ago a time is, to the second."""
    time = _time_of(context, value, "int", "int64")
    return shown(rounded(context.keep(present).since(time), UNITS["s"]))


def duration(context: Context, seconds: Any_) -> str:
    """The seconds as hours, minutes and seconds."""
    amount = 0
    if seconds is not None and seconds.type.name == "int64":
        amount = seconds.data
    elif seconds is not None and seconds.type.name == "string" and re.fullmatch(r"[+-]?[0-9]+", seconds.data, re.ASCII):
        amount = min(max(int(seconds.data[:100]), -(2**63)), 2**63 - 1)
    return shown((amount * UNITS["s"] + 2**63) % 2**64 - 2**63)


def duration_round(context: Context, value: Any_) -> str:
    """A duration in its largest unit; of a time, since then."""
    amount = 0
    if value is not None and value.type.name == "string":
        amount = _or_zero(value.data)
    elif value is not None and value.type.name == "int64":
        amount = value.data
    elif value is not None and value.type.name == "time.Time":
        amount = context.keep(present).since(value.data)
    return next((f"{abs(amount) // unit}{name}" for name, unit in _ROUNDED if abs(amount) > unit), "0s")


def _or_zero(text: str) -> int:
    try:
        return parse_duration(text)
    except FunctionError:
        return 0


def must_to_date(context: Context, layout: str, text: str) -> TimeValue:
    """The time that the text is, written like Go's reference time."""
    context.spend((len(layout) + len(text)) // _CHARACTERS_PER_STEP)
    return Value(TIME, parsed(layout, text))


def to_date(context: Context, layout: str, text: str) -> TimeValue:
    """The time that the text is, written like Go's reference time; year 1 where it is not."""
    try:
        return must_to_date(context, layout, text)
    except FunctionError:
        return Value(TIME, ZERO)


def unix_epoch(context: Context, value: TimeValue) -> str:
    """Seconds since 1970."""
    return str(value.data.unix)


FUNCTIONS: dict[str, Callable[..., object]] = {
    "ago": ago,
    "date": date,
    "dateInZone": date_in_zone,
    "dateModify": date_modify,
    "date_in_zone": date_in_zone,
    "date_modify": date_modify,
    "duration": duration,
    "durationRound": duration_round,
    "htmlDate": html_date,
    "htmlDateInZone": html_date_in_zone,
    "mustDateModify": must_date_modify,
    "mustToDate": must_to_date,
    "must_date_modify": must_date_modify,
    "now": now,
    "toDate": to_date,
    "unixEpoch": unix_epoch,
}

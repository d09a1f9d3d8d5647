"""The methods of time.Time that templates call."""

from collections.abc import Callable
from typing import Annotated

from dockcaddy.gotemplate import BOOL, INT, INT64, STRING, Method, Type, Value, function_type

from dockcaddy_sprig.durations import DURATION
from dockcaddy_sprig.layouts import formatted
from dockcaddy_sprig.times import DAY, DAYS, MONTHS, ZERO, ZULU, Time, moment


def _named(name: str, words: tuple[str, ...], first: int) -> Type:
    methods: dict[str, Method] = {}
    methods["String"] = Method(function_type([], [STRING]), lambda number: words[number - first])
    return Type("int", name, methods=methods)


MONTH, WEEKDAY = _named("time.Month", MONTHS, 1), _named("time.Weekday", DAYS, 0)


def shown(time: Time) -> str:
    """As Go prints it."""
    return formatted(time, "2006-01-02 15:04:05.999999999 -0700 MST")


def rfc3339(time: Time) -> str:
    """As JSON has it."""
    return formatted(time, "2006-01-02T15:04:05.999999999Z07:00")


def _add_date(time: Time, years: Value, months: Value, days: Value) -> Time:
    year, month, day = time.date()
    return moment(year + years.data, month + months.data, day + days.data, time.local % DAY, time.nano, time.zone)


def _time_type() -> Type:
    methods: dict[str, Method] = {}
    made = Type("struct", "time.Time", methods=methods)

    def add(name: str, result: Type, call: Callable[..., object], *parameters: Type) -> None:
        methods[name] = Method(function_type(parameters, [result]), call)

    add("String", STRING, shown)
    add("MarshalJSON", STRING, rfc3339)
    add("Format", STRING, lambda time, layout: formatted(time, layout.data), STRING)
    add("Year", INT, lambda time: time.date()[0])
    add("Month", MONTH, lambda time: time.date()[1])
    add("Day", INT, lambda time: time.date()[2])
    add("Weekday", WEEKDAY, Time.weekday)
    add("YearDay", INT, Time.year_day)
    add("Hour", INT, lambda time: time.clock()[0])
    add("Minute", INT, lambda time: time.clock()[1])
    add("Second", INT, lambda time: time.clock()[2])
    add("Nanosecond", INT, lambda time: time.nano)
    add("Unix", INT64, lambda time: time.unix)
    add("UnixMilli", INT64, lambda time: time.unix * 1_000 + time.nano // 1_000_000)
    add("UnixMicro", INT64, lambda time: time.unix * 1_000_000 + time.nano // 1_000)
    add("UnixNano", INT64, lambda time: (time.unix * 1_000_000_000 + time.nano + 2**63) % 2**64 - 2**63)
    add("UTC", made, lambda time: Time(time.unix, time.nano, ZULU))
    add("Local", made, lambda time: Time(time.unix, time.nano, ZULU))
    add("IsZero", BOOL, lambda time: (time.unix, time.nano) == (ZERO.unix, ZERO.nano))
    add("Add", made, lambda time, amount: time.plus(amount.data), DURATION)
    add("AddDate", made, _add_date, INT, INT, INT)
    add("Sub", DURATION, lambda time, other: time.since(other.data), made)
    add("Truncate", made, lambda time, unit: time.plus(-_past(time, unit.data)), DURATION)
    methods["Zone"] = Method(function_type([], [STRING, INT]), lambda time: time.zone.at(time.unix)[0])
    add("After", BOOL, lambda time, other: _key(time) > _key(other.data), made)
    add("Before", BOOL, lambda time, other: _key(time) < _key(other.data), made)
    add("Equal", BOOL, lambda time, other: _key(time) == _key(other.data), made)
    add("Compare", INT, lambda time, other: (_key(time) > _key(other.data)) - (_key(time) < _key(other.data)), made)
    return made


def _past(time: Time, unit: int) -> int:
    """Nanoseconds since the last multiple of the unit, counted from year 1."""
    return ((time.unix - ZERO.unix) * 1_000_000_000 + time.nano) % unit if unit > 0 else 0


def _key(time: Time) -> tuple[int, int]:
    return time.unix, time.nano


TIME = _time_type()
TimeValue = Annotated[Value, TIME]

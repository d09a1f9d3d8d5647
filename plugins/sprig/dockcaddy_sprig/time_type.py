"""The methods of time.Time that templates call."""

from collections.abc import Callable, Mapping
from typing import Annotated

from dockcaddy.gotemplate import (
    BOOL,
    INT,
    INT64,
    STRING,
    UINT64,
    Field,
    FunctionError,
    Method,
    Type,
    Value,
    function_type,
    pointer_to,
)

from dockcaddy_sprig.durations import DURATION
from dockcaddy_sprig.layouts import formatted
from dockcaddy_sprig.times import DAY, DAYS, MONTHS, ZERO, ZULU, Time, moment


def _named(name: str, words: tuple[str, ...], first: int) -> Type:
    methods: dict[str, Method] = {}
    methods["String"] = Method(function_type([], [STRING]), lambda number: words[number - first])
    return Type("int", name, methods=methods)


def _location() -> Type:
    name = Field(STRING, lambda zone: zone.name, exported=False)
    shown = Method(function_type([], [STRING]), lambda zone: zone.name, on_pointer=True)
    return pointer_to(Type("struct", "time.Location", fields={"name": name}, methods={"String": shown}))


MONTH, WEEKDAY, LOCATION = _named("time.Month", MONTHS, 1), _named("time.Weekday", DAYS, 0), _location()
_FIELDS = {
    "wall": Field(UINT64, lambda time: time.nano, exported=False),
    "ext": Field(INT64, lambda time: time.unix - ZERO.unix, exported=False),
    "loc": Field(LOCATION, lambda time: None if time.zone == ZULU else time.zone, exported=False),
}
_WITHOUT_ONE_RESULT: Mapping[str, Callable[[Type], list[Type]]] = {
    "Clock": lambda time: [INT, INT, INT],
    "Date": lambda time: [INT, MONTH, INT],
    "ISOWeek": lambda time: [INT, INT],
    "Zone": lambda time: [STRING, INT],
    "ZoneBounds": lambda time: [time, time],
}


def shown(time: Time) -> str:
    """As Go prints it."""
    return formatted(time, "2006-01-02 15:04:05.999999999 -0700 MST")


def rfc3339(time: Time) -> str:
    """As JSON has it. Raises FunctionError, in Go's words, for what it cannot hold."""
    if not 0 <= time.date()[0] <= 9999:
        raise FunctionError(
            "json: error calling MarshalJSON for type time.Time: Time.MarshalJSON: year outside of range [0,9999]"
        )
    return formatted(time, "2006-01-02T15:04:05.999999999Z07:00")


def _add_date(time: Time, years: Value, months: Value, days: Value) -> Time:
    year, month, day = time.date()
    return moment(year + years.data, month + months.data, day + days.data, time.local % DAY, time.nano, time.zone)


def _time_type() -> Type:
    methods: dict[str, Method] = {}
    made = Type("struct", "time.Time", fields=_FIELDS, methods=methods)

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
    add("Round", made, lambda time, unit: time.plus(_to_nearest(time, unit.data)), DURATION)
    add("Location", LOCATION, lambda time: time.zone)
    add("In", made, _in_zone, LOCATION)
    for name, results in _WITHOUT_ONE_RESULT.items():
        # a template may not call them
        methods[name] = Method(function_type([], results(made)), lambda time: None)
    add("After", BOOL, lambda time, other: _key(time) > _key(other.data), made)
    add("Before", BOOL, lambda time, other: _key(time) < _key(other.data), made)
    add("Equal", BOOL, lambda time, other: _key(time) == _key(other.data), made)
    add("Compare", INT, lambda time, other: (_key(time) > _key(other.data)) - (_key(time) < _key(other.data)), made)
    return made


def _in_zone(time: Time, zone: Value) -> Time:
    if zone.data is None:
        raise FunctionError("time: missing Location in call to Time.In")
    return Time(time.unix, time.nano, zone.data)


def _to_nearest(time: Time, unit: int) -> int:
    """Nanoseconds to the nearest multiple of the unit, halves upwards."""
    past = _past(time, unit)
    return unit - past if 2 * past >= unit > 0 else -past


def _past(time: Time, unit: int) -> int:
    """Nanoseconds since the last multiple of the unit, counted from year 1."""
    return ((time.unix - ZERO.unix) * 1_000_000_000 + time.nano) % unit if unit > 0 else 0


def _key(time: Time) -> tuple[int, int]:
    return time.unix, time.nano


TIME = _time_type()
TimeValue = Annotated[Value, TIME]

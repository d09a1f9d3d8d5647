"""Go's types and values as sprig's functions meet them."""

import math
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Annotated, Any

from dockcaddy import Context, gotemplate
from dockcaddy.gotemplate import (
    FLOAT_KINDS,
    INT64,
    INT_KINDS,
    MAP_OF_ANY,
    NILABLE_KINDS,
    SLICE_OF_ANY,
    SLICE_OF_STRING,
    STRING,
    UINT_KINDS,
    FunctionError,
    Room,
    Value,
)

# characters and elements of one result
LONGEST, MOST_ELEMENTS = 256 * 1024, 20_000
# characters that are looked at or made in about the time of one step
CHARACTERS_PER_STEP = 32
# elements, the same
ELEMENTS_PER_STEP = 8
# what looking into a list or dictionary takes, beside its elements
COMPOSITE_STEPS = 8
DEEPEST = 100

# Go's `interface {}`; None is its nil
Any_ = Value | None
Int64 = Annotated[int, INT64]
Dict = Annotated[Value, MAP_OF_ANY]
Strings = Annotated[Value, SLICE_OF_STRING]
List = Annotated[Value, SLICE_OF_ANY]

NIL_POINTER = "runtime error: invalid memory address or nil pointer dereference"


def dynamic(value: object) -> Any_:
    """What an element, a field or an argument holds; None for nil."""
    held = gotemplate.value_of(value)
    while held is not None and held.kind == "interface":
        held = held.elem()
    return held


def list_of(items: Iterable[object]) -> Value:
    """A `[]interface {}` of values or plain data."""
    made = list(islice(items, MOST_ELEMENTS + 1))
    _bounded_elements(len(made))
    return Value(SLICE_OF_ANY, made)


def strings_of(items: Iterable[str]) -> Value:
    """A `[]string`."""
    made = list(islice(items, MOST_ELEMENTS + 1))
    _bounded_elements(len(made))
    return Value(SLICE_OF_STRING, made)


def _bounded_elements(count: int) -> None:
    if count > MOST_ELEMENTS:
        raise FunctionError(f"the result exceeds the limit of {MOST_ELEMENTS} elements")


def bounded(length: int) -> None:
    """Refuse a text before it is made. Raises FunctionError."""
    if length > LONGEST:
        raise FunctionError(f"the result exceeds the limit of {LONGEST} characters")


def elements(value: Any_, refusal: str) -> list[Any_]:
    """The elements of a slice or array. Raises FunctionError: `refusal` and the kind of what is none."""
    if value is None:
        raise FunctionError(NIL_POINTER)
    if value.kind not in ("slice", "array"):
        raise FunctionError(f"{refusal} {value.kind}")
    return [dynamic(value.index(place)) for place in range(value.length())]


def shown(context: Context, value: Any_) -> str:
    """The value as `%v` prints it."""
    return gotemplate.sprintf("%v", [value], Room(LONGEST, context.spend))


def strval(context: Context, value: Any_) -> str:
    """The value as text, as sprig's functions read it."""
    if value is None:
        return "<nil>"
    if value.type is STRING:
        text: str = value.data
        return text
    if value.type.name in ("[]uint8", "[]byte"):
        return gotemplate.go_string(bytes(value.data or ()))
    return shown(context, value)


def warned(context: Context, message: str) -> str:
    """An error that sprig returns as text, so that it ends up in the configuration: there is a warning about it."""
    context.warn(f"a function returns its error as text: {message}")
    return message


def is_empty(value: Any_) -> bool:
    """Whether it is the zero value of its kind; a struct never is."""
    if value is None:
        return True
    if value.kind in ("slice", "array", "map", "string"):
        return value.length() == 0
    if value.kind == "struct":
        return False
    return value.data is None if value.kind in NILABLE_KINDS else not value.data


def to_int(value: Any_) -> int:
    """The whole number that cast.ToInt64 makes of anything; 0 where there is none."""
    value, _ = gotemplate.indirect(value)
    if value is None or _is_named(value):
        return 0
    data = value.data
    if value.kind in INT_KINDS or value.kind in UINT_KINDS or value.kind == "bool":
        return wrapped(int(data))
    if value.kind in FLOAT_KINDS:
        return _cut(data)
    if value.kind == "string":
        number = gotemplate.parse_integer(_without_zero_decimals(data))
        return number if number is not None and -(2**63) <= number < 2**63 else 0
    return 0


def _is_named(value: Value) -> bool:
    """Whether the type has a name of its own, which cast does not look behind, except for these two."""
    return value.type.name not in (value.kind, "time.Month", "time.Weekday")


def wrapped(number: int) -> int:
    """In 64 bits, as Go's arithmetic overflows."""
    number &= (1 << 64) - 1
    return number - (1 << 64) if number >> 63 else number


def _cut(number: float) -> int:
    if math.isnan(number) or math.isinf(number) or not -(2.0**63) <= number < 2.0**63:
        return -(2**63)
    return int(number)


def _without_zero_decimals(text: str) -> str:
    whole, point, decimals = text.rpartition(".")
    return whole if point and decimals and not decimals.strip("0") else text


def to_float(value: Any_) -> float:
    """The number that cast.ToFloat64 makes of anything; 0 where there is none."""
    value, _ = gotemplate.indirect(value)
    if value is None or _is_named(value):
        return 0.0
    if value.kind in INT_KINDS or value.kind in UINT_KINDS or value.kind in FLOAT_KINDS or value.kind == "bool":
        return float(value.data)
    number = parse_float(value.data) if value.kind == "string" else None
    return 0.0 if number is None else number


_WORDS = {"inf": math.inf, "infinity": math.inf, "nan": math.nan}


def parse_float(text: str) -> float | None:
    """strconv.ParseFloat: a number, infinity or NaN; None where it is none."""
    word = _WORDS.get(text.lstrip("+-").lower())
    if word is not None and len(text) - len(text.lstrip("+-")) <= 1:
        return -word if text.startswith("-") else word
    # digits may be grouped
    return gotemplate.parse_float(re.sub(r"(?<=[0-9])_(?=[0-9])", "", text)) if len(text) < 400 else None


def kind_of(value: Any_) -> str:
    """reflect's kind, `invalid` for nil."""
    return "invalid" if value is None else value.kind


def type_of(value: Any_) -> str:
    """The type as `%T` prints it."""
    return "<nil>" if value is None else value.type.name


def deep_equal(context: Context, one: Any_, other: Any_, depth: int = 0) -> bool:
    """reflect.DeepEqual: the same types all the way down. Raises FunctionError where it is too deep or too much."""
    if depth > DEEPEST:
        raise FunctionError("the value is nested too deep to compare")
    context.spend(1)
    if one is None or other is None:
        return one is other
    if one.type.name != other.type.name:
        return False
    if one.kind in NILABLE_KINDS and (one.data is None or other.data is None):
        return one.data is None and other.data is None
    context.spend(0 if one.type.elem is None else COMPOSITE_STEPS)
    if one.kind in ("slice", "array"):
        if one.length() != other.length():
            return False
        pairs = ((one.index(place), other.index(place)) for place in range(one.length()))
        return all(deep_equal(context, dynamic(left), dynamic(right), depth + 1) for left, right in pairs)
    if one.kind == "map":
        left, right = dict(_items(one)), dict(_items(other))
        return left.keys() == right.keys() and all(
            deep_equal(context, left[key], right[key], depth + 1) for key in left
        )
    if isinstance(one.data, str):
        context.spend(len(one.data) // CHARACTERS_PER_STEP)
    return bool(one.data == other.data)


def _items(value: Value) -> Iterable[tuple[Any, Any_]]:
    return ((key.data, dynamic(item)) for key, item in value.map_items())


def contains(context: Context, items: Sequence[Any_], wanted: Any_) -> bool:
    """Whether one of the items is deeply equal."""
    return any(deep_equal(context, wanted, each) for each in items)

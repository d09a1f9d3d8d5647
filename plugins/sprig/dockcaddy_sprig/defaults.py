"""Defaults: what to take where there is nothing."""

from collections.abc import Callable

from dockcaddy import Context

from dockcaddy_sprig.go import Any_, is_empty


def default(context: Context, otherwise: Any_, *given: Any_) -> Any_:
    """GIVEN, or OTHERWISE where GIVEN is empty: nil, 0, false, or without length."""
    return otherwise if not given or is_empty(given[0]) else given[0]


def empty(context: Context, value: Any_) -> bool:
    """Whether the value is nil, 0, false, or without length."""
    return is_empty(value)


def coalesce(context: Context, *values: Any_) -> Any_:
    """The first value that is not empty."""
    return next((each for each in values if not is_empty(each)), None)


def all_(context: Context, *values: Any_) -> bool:
    """Whether no value is empty."""
    return not any(map(is_empty, values))


def any_(context: Context, *values: Any_) -> bool:
    """Whether one of the values is not empty."""
    return not all(map(is_empty, values))


def ternary(context: Context, one: Any_, other: Any_, condition: bool) -> Any_:
    """ONE where CONDITION is true, else OTHER."""
    return one if condition else other


FUNCTIONS: dict[str, Callable[..., object]] = {
    "all": all_,
    "any": any_,
    "coalesce": coalesce,
    "default": default,
    "empty": empty,
    "ternary": ternary,
}

"""Types of values."""

from collections.abc import Callable

from dockcaddy import Context

from dockcaddy_sprig.go import Any_
from dockcaddy_sprig.go import deep_equal as equal
from dockcaddy_sprig.go import kind_of as kind
from dockcaddy_sprig.go import type_of as type_


def type_of(context: Context, value: Any_) -> str:
    """The value's type, as Go spells it."""
    return type_(value)


def type_is(context: Context, name: str, value: Any_) -> bool:
    """Whether the value's type is called so."""
    return name == type_(value)


def type_is_like(context: Context, name: str, value: Any_) -> bool:
    """Whether the value's type is called so, or it points at such a value."""
    return type_(value) in (name, f"*{name}")


def kind_of(context: Context, value: Any_) -> str:
    """The value's kind: string, int, slice, map, struct, ptr, invalid and so on."""
    return kind(value)


def kind_is(context: Context, name: str, value: Any_) -> bool:
    """Whether the value is of that kind."""
    return name == kind(value)


def deep_equal(context: Context, one: Any_, other: Any_) -> bool:
    """Whether the two are of the same type and equal all the way down."""
    return equal(context, one, other)


FUNCTIONS: dict[str, Callable[..., object]] = {
    "deepEqual": deep_equal,
    "kindIs": kind_is,
    "kindOf": kind_of,
    "typeIs": type_is,
    "typeIsLike": type_is_like,
    "typeOf": type_of,
}

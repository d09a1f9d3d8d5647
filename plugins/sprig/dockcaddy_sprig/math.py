"""Integer math, in 64 bits."""

from collections.abc import Callable

from dockcaddy import Context
from dockcaddy.gotemplate import FunctionError

from dockcaddy_sprig.go import Any_, Int64, to_int, wrapped

_BY_ZERO = "runtime error: integer divide by zero"


def add(context: Context, *values: Any_) -> Int64:
    """The sum."""
    return wrapped(sum(map(to_int, values)))


def add1(context: Context, value: Any_) -> Int64:
    """One more."""
    return wrapped(to_int(value) + 1)


def sub(context: Context, first: Any_, second: Any_) -> Int64:
    """The difference."""
    return wrapped(to_int(first) - to_int(second))


def mul(context: Context, first: Any_, *values: Any_) -> Int64:
    """The product."""
    product = to_int(first)
    for value in values:
        product = wrapped(product * to_int(value))
    return product


def div(context: Context, first: Any_, second: Any_) -> Int64:
    """The quotient, without its fraction."""
    return wrapped(_divided(to_int(first), to_int(second))[0])


def mod(context: Context, first: Any_, second: Any_) -> Int64:
    """What is left of the division; it has the sign of the first."""
    return _divided(to_int(first), to_int(second))[1]


def _divided(first: int, second: int) -> tuple[int, int]:
    if second == 0:
        raise FunctionError(_BY_ZERO)
    quotient = abs(first) // abs(second)
    quotient = quotient if (first < 0) == (second < 0) else -quotient
    return quotient, first - quotient * second


def maximum(context: Context, first: Any_, *values: Any_) -> Int64:
    """The largest."""
    return max(map(to_int, (first, *values)))


def minimum(context: Context, first: Any_, *values: Any_) -> Int64:
    """The smallest."""
    return min(map(to_int, (first, *values)))


FUNCTIONS: dict[str, Callable[..., object]] = {
    "add": add,
    "add1": add1,
    "biggest": maximum,
    "div": div,
    "max": maximum,
    "min": minimum,
    "mod": mod,
    "mul": mul,
    "sub": sub,
}

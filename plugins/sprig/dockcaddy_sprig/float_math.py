"""Float math; sums and products are computed in decimals."""

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from decimal import Context as Decimals

from dockcaddy import Context
from dockcaddy.gotemplate import FunctionError

from dockcaddy_sprig.go import Any_, to_float

# as many digits as two floats have together, however far they are apart
_DECIMALS = Decimals(prec=1400, Emax=10**6, Emin=-(10**6))
_PLACES = Decimal("1e-16")
# the exponent beyond which no float is
_SMALLEST = Decimal("1e-1100")


def _decimal(value: Any_) -> Decimal:
    number = to_float(value)
    if math.isinf(number) or math.isnan(number):
        word = "NaN" if math.isnan(number) else "+Inf" if number > 0 else "-Inf"
        raise FunctionError(f"Cannot create a Decimal from {word}")
    return Decimal(repr(number))


def _computed(operation: Callable[[Decimal, Decimal], Decimal], first: Decimal, values: tuple[Any_, ...]) -> float:
    result = first
    for value in values:
        result = operation(result, _decimal(value))
        if result.adjusted() > 5_000 or len(result.as_tuple().digits) > 1_300:
            raise FunctionError("the number has too many digits")
    # decimals have no -0
    return float(result) or 0.0


def addf(context: Context, *values: Any_) -> float:
    """The sum."""
    return _computed(_DECIMALS.add, Decimal(0), values)


def add1f(context: Context, value: Any_) -> float:
    """One more."""
    return _computed(_DECIMALS.add, Decimal(1), (value,))


def subf(context: Context, first: Any_, *values: Any_) -> float:
    """The first less the others."""
    return _computed(_DECIMALS.subtract, _decimal(first), values)


def mulf(context: Context, first: Any_, *values: Any_) -> float:
    """The product."""
    return _computed(_DECIMALS.multiply, _decimal(first), values)


def divf(context: Context, first: Any_, *values: Any_) -> float:
    """The first divided by the others, to 16 decimal places."""
    return _computed(_quotient, _decimal(first), values)


def _quotient(first: Decimal, second: Decimal) -> Decimal:
    if second == 0:
        raise FunctionError("decimal division by 0")
    quotient = _DECIMALS.divide(first, second)
    return quotient.quantize(_PLACES, ROUND_HALF_UP, _DECIMALS) if quotient.adjusted() > -1_000 else Decimal(0)


def maxf(context: Context, first: Any_, *values: Any_) -> float:
    """The largest."""
    return _extreme(max, math.inf, first, values)


def minf(context: Context, first: Any_, *values: Any_) -> float:
    """The smallest."""
    return _extreme(min, -math.inf, first, values)


def _extreme(choose: Callable[..., float], utmost: float, first: Any_, values: tuple[Any_, ...]) -> float:
    numbers = [to_float(each) for each in (first, *values)]
    if utmost in numbers:
        return utmost
    if any(map(math.isnan, numbers)):
        return math.nan
    # -0 is less than 0
    return choose(numbers, key=lambda number: (number, math.copysign(1, number)))


def _whole(rounded: Callable[[float], int], number: float) -> float:
    return math.copysign(float(rounded(number)), number) if math.isfinite(number) else number


def floor(context: Context, value: Any_) -> float:
    """The largest whole number that is not larger."""
    return _whole(math.floor, to_float(value))


def ceil(context: Context, value: Any_) -> float:
    """The smallest whole number that is not smaller."""
    return _whole(math.ceil, to_float(value))


def round_(context: Context, value: Any_, places: int, *on: float) -> float:
    """Rounded to so many decimal places; a fraction of ON or more, by default .5, is rounded up."""
    power = 0.0 if places < -400 else math.inf if places > 308 else 10.0**places
    digit = power * to_float(value)
    up = math.modf(digit)[0] >= (on[0] if on else 0.5)
    rounded = _whole(math.ceil if up else math.floor, digit)
    return rounded / power if power else math.nan


FUNCTIONS: dict[str, Callable[..., object]] = {
    "add1f": add1f,
    "addf": addf,
    "ceil": ceil,
    "divf": divf,
    "floor": floor,
    "maxf": maxf,
    "minf": minf,
    "mulf": mulf,
    "round": round_,
    "subf": subf,
}

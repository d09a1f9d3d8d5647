"""Lists of integers."""

from collections.abc import Callable
from typing import Annotated

from dockcaddy import Context
from dockcaddy.gotemplate import INT, FunctionError, Value, slice_of

from dockcaddy_sprig.go import MOST_ELEMENTS

_INTEGERS = slice_of(INT)
Integers = Annotated[Value, _INTEGERS]


def _steps(start: int, stop: int, step: int) -> range:
    """The numbers from START up or down to STOP. Raises FunctionError where they are too many."""
    down = stop < start
    numbers = range(start, stop, step) if step and (step < 0) == down else range(0)
    if len(numbers) > MOST_ELEMENTS:
        raise FunctionError(f"the result exceeds the limit of {MOST_ELEMENTS} elements")
    return numbers


def until(context: Context, count: int) -> Integers:
    """The numbers from 0 up to COUNT, without it."""
    return Value(_INTEGERS, list(_steps(0, count, -1 if count < 0 else 1)))


def until_step(context: Context, start: int, stop: int, step: int) -> Integers:
    """The numbers from START to STOP by STEP, without STOP."""
    return Value(_INTEGERS, list(_steps(start, stop, step)))


def seq(context: Context, *numbers: int) -> str:
    """The numbers from 1 to LAST, FIRST to LAST or FIRST by STEP to LAST, with spaces between."""
    if len(numbers) not in (1, 2, 3):
        return ""
    start, end = (1 if len(numbers) == 1 else numbers[0]), numbers[-1]
    up = 1 if end >= start else -1
    step = numbers[1] if len(numbers) == 3 else up
    if up < 0 and step > 0:
        return ""
    return " ".join(map(str, _steps(start, end + up, step)))


FUNCTIONS: dict[str, Callable[..., object]] = {"seq": seq, "until": until, "untilStep": until_step}

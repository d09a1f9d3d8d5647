"""How much work a call is, counted: a clock would tell more of the machine than of the code."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_run(call: Callable[[], object]) -> int:
    """How many lines of Python the call runs."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def grows_evenly(make: Callable[[int], Callable[[], object]], size: int) -> bool:
    """Whether four times as much is at most about four times the work: `make` gives the call for a size."""
    return lines_run(make(4 * size)) <= 5 * lines_run(make(size))

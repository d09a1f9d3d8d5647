"""Memory that is not needed: what a pass has used, and the source of generated methods."""

import ctypes
import linecache
from contextlib import suppress


def give_back_memory() -> None:
    """Return what is free: glibc keeps the most that was ever used. Other C libraries have no such call."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def forget_generated_sources() -> None:
    """Drop the lines that attrs keeps for tracebacks, of each method that it has made: more than a megabyte."""
    linecache.clearcache()

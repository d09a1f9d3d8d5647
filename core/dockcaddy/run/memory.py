"""Memory that is not needed: what a pass has used, heaps of threads, and the source of generated methods."""

import ctypes
import linecache
from contextlib import suppress

# of <malloc.h>
_M_ARENA_MAX = -8


def use_one_heap() -> None:
    """Let all threads allocate from one heap: glibc gives each its own, and all keep what is free in them.

    Call it before other threads start. Only one of them runs Python at a time, so none waits for the heap.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back_memory() -> None:
    """Return what is free: glibc keeps the most that was ever used. Other C libraries have no such call."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def forget_generated_sources() -> None:
    """Drop the lines that attrs keeps for tracebacks, of each method that it has made: more than a megabyte."""
    linecache.clearcache()

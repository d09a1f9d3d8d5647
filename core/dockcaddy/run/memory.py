"""Memory that a pass has used goes back to the system."""

import ctypes
from contextlib import suppress


def give_back_memory() -> None:
    """Return what is free: glibc keeps the most that was ever used. Other C libraries have no such call."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)

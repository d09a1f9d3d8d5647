"""Standard output belongs to the result: whatever else prints, a plugin or a program that it starts, is sent elsewhere."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


class Elsewhere(io.TextIOBase):
    """What stands in the place of standard output once that is reserved for `results`: it prints to standard error."""

    def __init__(self, results: BinaryIO) -> None:
        super().__init__()
        self.results = results

    @property
    def buffer(self) -> BinaryIO:
        """For those who write bytes."""
        return sys.stderr.buffer

    def write(self, text: str) -> int:
        """Print it to standard error."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Have it appear there."""
        sys.stderr.flush()

    def close(self) -> None:
        """Nothing: others print here too."""


def reserve() -> None:
    """From now on nothing but results gets to standard output, until `given_back` ends."""
    if isinstance(sys.stdout, Elsewhere):
        return
    sys.stdout.flush()
    try:
        descriptor = sys.stdout.fileno()
    except OSError:
        # none of the system's, as in tests
        sys.stdout = Elsewhere(sys.stdout.buffer)
        return
    results = os.fdopen(os.dup(descriptor), "wb")
    # a program that a plugin starts inherits this one
    os.dup2(sys.stderr.fileno(), descriptor)
    sys.stdout = Elsewhere(results)


def results() -> BinaryIO:
    """Where results go."""
    return sys.stdout.results if isinstance(sys.stdout, Elsewhere) else sys.stdout.buffer


@contextmanager
def given_back() -> Iterator[None]:
    """At the end standard output is as it was before."""
    before = sys.stdout
    try:
        yield
    finally:
        reserved, sys.stdout = sys.stdout, before
        if isinstance(reserved, Elsewhere):
            with suppress(OSError):
                os.dup2(reserved.results.fileno(), before.fileno())

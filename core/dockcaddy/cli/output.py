"""Reserve standard output for results: what plugins, or programs that they start, print goes to standard error."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


class Elsewhere(io.TextIOBase):
    """Replaces `sys.stdout` while standard output is reserved for `results`. Writes to standard error."""

    def __init__(self, results: BinaryIO) -> None:
        super().__init__()
        self.results = results

    @property
    def buffer(self) -> BinaryIO:
        """Standard error, for code that writes bytes."""
        return sys.stderr.buffer

    def write(self, text: str) -> int:
        """Write the text to standard error."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush standard error."""
        sys.stderr.flush()

    def close(self) -> None:
        """Do nothing: standard error stays open."""


def reserve() -> None:
    """Reserve standard output for results, until `standard_output_restored` ends."""
    if isinstance(sys.stdout, Elsewhere):
        return
    sys.stdout.flush()
    try:
        descriptor = sys.stdout.fileno()
    except OSError:
        # a stream without a file descriptor, as in tests
        sys.stdout = Elsewhere(sys.stdout.buffer)
        return
    results = os.fdopen(os.dup(descriptor), "wb")
    # programs that a plugin starts inherit this descriptor
    os.dup2(sys.stderr.fileno(), descriptor)
    sys.stdout = Elsewhere(results)


def results() -> BinaryIO:
    """The stream for results."""
    return sys.stdout.results if isinstance(sys.stdout, Elsewhere) else sys.stdout.buffer


def results_descriptor() -> int | None:
    """The descriptor of that stream, None where it has none."""
    try:
        return results().fileno()
    except OSError:
        return None


@contextmanager
def standard_output_restored() -> Iterator[None]:
    """Restore standard output at the end."""
    before = sys.stdout
    try:
        yield
    finally:
        reserved, sys.stdout = sys.stdout, before
        if isinstance(reserved, Elsewhere):
            with suppress(OSError):
                os.dup2(reserved.results.fileno(), before.fileno())

"""Lines of Caddy's log that are passed on as Caddy wrote them: its access log, and what is not in its usual form.

Others read these lines: crowdsec, goaccess, promtail.
"""

import os
import re
import select
from collections.abc import Iterable, Iterator
from typing import IO

from attrs import define

# a quote within a JSON string is escaped, so no request can contain this; the second form is Caddy's for consoles
_ACCESS = re.compile(rb'":\s?"http\.log\.access[."]|^[^\t{]*\t[^\t]*\thttp\.log\.access[.\t]')
_USUAL = re.compile(rb'\{"level":"|Error: ')
# so much is written to a pipe at once or not at all (POSIX)
_ATOMIC = select.PIPE_BUF
_READ_SIZE = 1 << 16
# how long a reader of ours may pause before lines are dropped, in milliseconds
PATIENCE = 1000


def is_passed_on(line: bytes) -> bool:
    """Whether this line of Caddy's log is to be passed on unchanged."""
    return _USUAL.match(line) is None or _ACCESS.search(line) is not None


def batches(stream: IO[bytes]) -> Iterator[list[bytes]]:
    """The lines of a stream, without their ends, as many at a time as there are."""
    rest = b""
    while chunk := os.read(stream.fileno(), _READ_SIZE):
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield lines
    if rest:
        yield [rest]


@define
class PassedOn:
    """Writes lines to a descriptor and drops them while nobody reads it, because Caddy would wait too."""

    descriptor: int = 2
    _is_read: bool = True
    _is_torn: bool = False
    _dropped: int = 0

    def write(self, lines: Iterable[bytes]) -> None:
        """Write whole lines."""
        for piece, count in _pieces(lines):
            if not self._written(piece):
                self._dropped += count

    def _written(self, piece: bytes) -> bool:
        """Write a piece, part by part. Returns whether all of it was written."""
        for start in range(0, len(piece), _ATOMIC):
            if not self.is_read():
                self._is_torn = self._is_torn or start > 0
                return False
            try:
                if self._is_torn and not start:
                    self._send(b"\n")
                    self._is_torn = False
                self._send(piece[start : start + _ATOMIC])
            except OSError:
                # whoever read it is gone, or the disk is full
                return False
        return True

    def is_read(self) -> bool:
        """Whether something can be written now. Waits a little for a reader that was there."""
        waiting = select.poll()
        waiting.register(self.descriptor, select.POLLOUT)
        self._is_read = bool(waiting.poll(PATIENCE if self._is_read else 0))
        return self._is_read

    def dropped(self) -> int:
        """How many lines were dropped since the last call."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def _send(self, part: bytes) -> None:
        while part:
            part = part[os.write(self.descriptor, part) :]


def _pieces(lines: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """The lines joined, as many as can be written at once, with their number. A longer line is a piece of its own."""
    piece, count = b"", 0
    for line in lines:
        if piece and len(piece) + len(line) + 1 > _ATOMIC:
            yield piece, count
            piece, count = b"", 0
        piece, count = piece + line + b"\n", count + 1
    if piece:
        yield piece, count

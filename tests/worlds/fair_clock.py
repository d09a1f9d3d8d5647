"""A clock for a busy machine: while somebody else has the processors, it stands still."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from attrs import define


def waited(processes: Iterable[int | str]) -> float:
    """How long, in seconds, all threads of these processes were ready to run and had no processor."""
    total = 0
    for process in processes:
        for path in Path(f"/proc/{process}/task").glob("*/schedstat"):
            # a thread may end meanwhile
            with suppress(OSError, IndexError):
                total += int(path.read_text().split()[1])
    return total / 1e9


@define
class FairClock:
    """Seconds that never go back, without those in which the processes had to wait for a processor."""

    processes: Callable[[], Iterable[int | str]]
    _last: float = float("-inf")

    def __call__(self) -> float:
        """The time now."""
        self._last = max(self._last, time.monotonic() - waited(self.processes()))
        return self._last

"""On a terminal, what takes more than a second says what it waits for; elsewhere nothing is shown."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import define, field

from dockcaddy.run.delayed import delayed

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

# seconds: what is quicker needs no sign of life
PATIENCE = 1.0


@contextmanager
def waiting_for(what: str) -> Iterator[None]:
    """Within, a line on standard error says `what` is waited for, once that takes long. It is gone afterwards."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    sign = Sign(what, _console)
    try:
        with delayed(PATIENCE, sign.show):
            yield
    finally:
        sign.hide()


def _console() -> "Console":
    from rich.console import Console  # noqa: PLC0415

    return Console(stderr=True)


@define(eq=False)
class Sign:
    """The line. It is shown by another thread, and not any more once it was hidden."""

    what: str
    console: Callable[[], "Console"]
    _status: "Status | None" = None
    _is_over: bool = False
    _lock: threading.Lock = field(factory=threading.Lock)

    def show(self) -> None:
        """Show it."""
        from rich.status import Status  # noqa: PLC0415

        with self._lock:
            if not self._is_over and self._status is None:
                self._status = Status(self.what, console=self.console())
                self._status.start()

    def hide(self) -> None:
        """Remove it."""
        with self._lock:
            self._is_over = True
            if self._status is not None:
                self._status.stop()

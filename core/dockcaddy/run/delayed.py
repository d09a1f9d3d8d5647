"""Something that is done only if what it is about takes long."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def delayed(seconds: float, work: Callable[[], object]) -> Iterator[None]:
    """Within, `work` is done by another thread after so many seconds."""
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()

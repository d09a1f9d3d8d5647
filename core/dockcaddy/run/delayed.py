"""Work that another thread does later, or again and again, while something else goes on."""

import threading
from collections.abc import Callable, Iterable, Iterator
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


@contextmanager
def repeated(pauses: Iterable[float], work: Callable[[], object]) -> Iterator[None]:
    """Within, `work` is done by another thread after each of these pauses, in seconds."""
    ended = threading.Event()

    def go_on() -> None:
        for pause in pauses:
            if ended.wait(pause):
                return
            work()

    threading.Thread(target=go_on, name="repeated", daemon=True).start()
    try:
        yield
    finally:
        ended.set()

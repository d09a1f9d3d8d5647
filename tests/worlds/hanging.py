"""Processes that hang."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def hang(process: int) -> None:
    """Stop a process, and wait until the last of its threads has stopped: a signal takes a moment to reach all."""
    os.kill(process, signal.SIGSTOP)
    while any(_state(each) not in "TtZ" for each in Path(f"/proc/{process}/task").glob("*/stat")):
        time.sleep(0.001)


@contextmanager
def hanging(process: int) -> Iterator[None]:
    """Stopped for as long as the context lasts: its sockets take connections, and nobody answers."""
    hang(process)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def _state(stat: Path) -> str:
    """The state of a thread as in https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html."""
    try:
        return stat.read_text().rpartition(")")[2].split()[0]
    except OSError:
        # it has ended meanwhile
        return "Z"

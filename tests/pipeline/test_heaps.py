"""How many heaps glibc makes for the threads of a program. In a process of its own, as it stays so for the whole process."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, sys, threading
from dockcaddy.run.memory import use_one_heap

if "one" in sys.argv:
    use_one_heap()
work = [threading.Thread(target=lambda: [bytes(100_000) for _ in range(100)]) for _ in range(8)]
for each in work:
    each.start()
for each in work:
    each.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
written = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, written)
libc.fflush(written)
"""


def heaps(*arguments: str) -> int:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.count("<heap ")


@pytest.mark.process
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has heaps for threads")
def test_all_threads_use_one_heap() -> None:
    assert heaps() > 1
    assert heaps("one") == 1

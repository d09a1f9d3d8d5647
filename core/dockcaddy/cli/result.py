"""Standard output: it carries a command's result and nothing else, in UTF-8 whatever the locale says."""

import errno
import os
import sys
from collections.abc import Sequence

from dockcaddy.errors import DockcaddyError

GAP = 2


class ReaderGone(Exception):
    """Whoever reads standard output has gone; nothing is left to do."""


def write(text: str) -> None:
    """Print a result, byte for byte. Raises ReaderGone, DockcaddyError where it cannot be written."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise ReaderGone from error
        abandon(0)
        raise DockcaddyError(f"standard output: cannot be written: {error.strerror}") from error


def abandon(status: int) -> int:
    """Let nothing be written any more, not even what the interpreter flushes at its end; gives `status` back."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def write_table(rows: Sequence[Sequence[str]]) -> None:
    """Print columns; on a terminal long cells are wrapped to its width."""
    if sys.stdout.isatty():
        _write_to_terminal(rows)
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        write((" " * GAP).join(cells).rstrip() + "\n")


def _write_to_terminal(rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0))
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)

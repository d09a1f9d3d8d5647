"""Write results to standard output, which carries nothing else. Always UTF-8, whatever the locale."""

import errno
import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dockcaddy.cli.output import results
from dockcaddy.errors import DockcaddyError

if TYPE_CHECKING:
    from rich.console import RenderableType

GAP = 2
WIDTH, HEIGHT = 80, 24
# styles of the first columns
_STYLES = {0: "cyan", 1: "dim"}


class ReaderGone(Exception):
    """The reader of standard output closed it, as `head` does."""


def write(text: str) -> None:
    """Print a result, byte for byte. Raises ReaderGone, and DockcaddyError if standard output cannot be written."""
    try:
        sys.stdout.flush()
        results().write(text.encode())
        results().flush()
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise ReaderGone from error
        abandon(0)
        raise DockcaddyError(f"standard output: cannot be written: {error.strerror}") from error


def abandon(status: int) -> int:
    """Discard all further output, also what the interpreter flushes at its end. Returns `status`."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), results().fileno())
    return status


def write_table(header: Sequence[str], rows: Sequence[Sequence[str]], gap: str = "  ") -> None:
    """Print columns separated by `gap`.

    On a terminal, print a table with the header and colours, with long cells wrapped to its width.
    """
    if results().isatty():
        _write_to_terminal(header, rows)
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        write(gap.join(cells).rstrip() + "\n")


def write_text(text: str) -> None:
    """Print prose. On a terminal, long lines are wrapped to its width."""
    if results().isatty():
        from rich.text import Text  # noqa: PLC0415

        _draw(Text(text), end="")
    else:
        write(text)


def _write_to_terminal(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for place, name in enumerate(header):
        table.add_column(name, style=_STYLES.get(place, ""), overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    _draw(table)


def _draw(shown: "RenderableType", end: str = "\n") -> None:
    """Print in the terminal's width."""
    from rich.console import Console  # noqa: PLC0415

    drawn = io.StringIO()
    Console(file=drawn, force_terminal=True, width=width(), highlight=False).print(shown, end=end)
    write(drawn.getvalue())


def width() -> int:
    """The columns of the terminal: COLUMNS, else the terminal's width, else 80."""
    said = os.environ.get("COLUMNS", "")
    return int(said) if said.isdecimal() and int(said) else os.get_terminal_size(results().fileno()).columns or WIDTH

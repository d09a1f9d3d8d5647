"""Lines: text broken at a width."""

from collections.abc import Callable

from dockcaddy import Context
from dockcaddy.gotemplate import go_bytes, go_string

from dockcaddy_sprig.go import bounded


def wrap(context: Context, width: int, text: str) -> str:
    """The text in lines of WIDTH bytes; a longer word has a line of its own."""
    return _wrapped(text, width, "\n", breaks_words=False)


def wrap_with(context: Context, width: int, separator: str, text: str) -> str:
    """The text in lines of WIDTH bytes with SEPARATOR between; a longer word is cut."""
    return _wrapped(text, width, separator or "\n", breaks_words=True)


def _wrapped(text: str, width: int, separator: str, *, breaks_words: bool) -> str:
    data, width, offset = go_bytes(text), max(width, 1), 0
    bounded(len(data) + len(separator) * (len(data) // width + 1))
    lines: list[bytes] = []
    while len(data) - offset > width:
        if data[offset : offset + 1] == b" ":
            offset += 1
            continue
        space = data.rfind(b" ", offset, offset + width + 1)
        if space >= 0:
            end, following = space, space + 1
        elif breaks_words:
            end = following = offset + width
        else:
            end = data.find(b" ", offset + width)
            if end < 0:
                break
            following = end + 1
        lines.append(data[offset:end])
        offset = following
    return separator.join(map(go_string, [*lines, data[offset:]]))


FUNCTIONS: dict[str, Callable[..., object]] = {"wrap": wrap, "wrapWith": wrap_with}

"""Which paths a pattern is for, as Caddy's path matcher reads it. Pure."""

import re
from collections.abc import Sequence

# Go's path.Match: no star reaches beyond a slash
_PART = re.compile(r"\*+|\?|\[(\^?)((?:\\.|[^\]\\])+)\]|\\?(.)", re.DOTALL)
_SPECIAL = re.compile(r"[*?\[\\]")
_RANGE = re.compile(r"\\?(.)(?:-\\?(.))?", re.DOTALL)

_Part = re.Match[str]


def is_every_path(pattern: str) -> bool:
    """Whether every path may be like it: of a placeholder nobody knows what it becomes."""
    return "{" in pattern or ("*" in pattern and pattern.strip("*") in ("", "/"))


def literal_beginning(pattern: str) -> str:
    """What every path of the pattern begins with."""
    special = _SPECIAL.search(pattern)
    return pattern[: special.start()] if special else pattern


def covers(pattern: str, other: str) -> bool:
    """Whether `pattern` is for all paths of `other`; with wildcards in its midst, whether for the shortest of them."""
    if pattern == other:
        return True
    beginning = literal_beginning(pattern)
    if beginning in (pattern, pattern.removesuffix("*")):
        return beginning != pattern and other.startswith(beginning)
    path = other.removesuffix("*")
    inner = pattern.strip("*")
    if pattern.startswith("*") and not _SPECIAL.search(inner):
        return inner in path if pattern.endswith("*") else path.endswith(inner)
    return _matches(tuple(_PART.finditer(pattern)), path)


def _matches(parts: Sequence[_Part], path: str) -> bool:
    """In time that grows with both lengths only: of several stars just the last one is ever tried longer."""
    part = at = 0
    star, tried = -1, 0
    while at < len(path):
        if part < len(parts) and parts[part][0].startswith("*"):
            star, tried = part, at
            part += 1
        elif part < len(parts) and _is_like(parts[part], path[at]):
            part, at = part + 1, at + 1
        elif star >= 0 and path[tried] != "/":
            tried += 1
            part, at = star + 1, tried
        else:
            return False
    return all(each[0].startswith("*") for each in parts[part:])


def _is_like(part: _Part, character: str) -> bool:
    if part[0] == "?":
        return character != "/"
    if part[2] is None:
        return part[3] == character
    inside = any(low <= character <= (high or low) for low, high in _RANGE.findall(part[2]))
    return inside is not bool(part[1])

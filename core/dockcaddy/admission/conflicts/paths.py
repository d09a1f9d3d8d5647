"""The paths that a pattern matches, by the rules of Caddy's path matcher. Pure."""

import re
from collections.abc import Sequence

# by Go's path.Match, where a star does not match a slash
_PART = re.compile(r"\*+|\?|\[(\^?)((?:\\.|[^\]\\])+)\]|\\?(.)", re.DOTALL)
_SPECIAL = re.compile(r"[*?\[\\]")
_RANGE = re.compile(r"\\?(.)(?:-\\?(.))?", re.DOTALL)

_Part = re.Match[str]


def is_every_path(pattern: str) -> bool:
    """Whether it may match every path. The value of a placeholder is unknown, so it may."""
    return "{" in pattern or ("*" in pattern and pattern.strip("*") in ("", "/"))


def literal_beginning(pattern: str) -> str:
    """The text that every matching path begins with."""
    special = _SPECIAL.search(pattern)
    return pattern[: special.start()] if special else pattern


def covers(pattern: str, other: str) -> bool:
    """Whether `pattern` matches all paths that `other` matches; with inner wildcards, whether it matches the shortest."""
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
    """Match in linear time of both lengths: only the last star passed is ever extended."""
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

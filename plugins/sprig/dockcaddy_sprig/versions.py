"""Semantic versions, as the Go library semver 3.4 reads and compares them."""

import re

from attrs import frozen
from dockcaddy.gotemplate import FunctionError

_VERSION = re.compile(
    r"v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?",
    re.ASCII,
)
_PART = re.compile(r"[0-9A-Za-z-]+")
_MOST = 2**64 - 1
_MOST_CHARACTERS = 1_000


@frozen
class Version:
    """A version, and the text it was read from."""

    major: int
    minor: int = 0
    patch: int = 0
    pre: str = ""
    metadata: str = ""
    original: str = ""

    def __str__(self) -> str:
        """Without the `v`, with all three numbers."""
        pre, metadata = f"-{self.pre}" * bool(self.pre), f"+{self.metadata}" * bool(self.metadata)
        return f"{self.major}.{self.minor}.{self.patch}{pre}{metadata}"

    def compared(self, other: "Version") -> int:
        """-1, 0 or 1, as it is older, equal or newer."""
        mine, theirs = (self.major, self.minor, self.patch), (other.major, other.minor, other.patch)
        if mine != theirs:
            return 1 if mine > theirs else -1
        if not self.pre or not other.pre:
            return bool(other.pre) - bool(self.pre)
        return compared_prereleases(self.pre, other.pre)


def parse(text: str) -> Version:
    """The version. Raises FunctionError with Go's words."""
    found = _VERSION.fullmatch(text) if len(text) <= _MOST_CHARACTERS else None
    if found is None:
        raise FunctionError("invalid semantic version")
    numbers = [_number((found[place] or "0").removeprefix(".")) for place in (1, 2, 3)]
    return Version(numbers[0], numbers[1], numbers[2], prerelease(found[5] or ""), found[8] or "", text)


def prerelease(text: str) -> str:
    """A prerelease, if it is one. Raises FunctionError with Go's words."""
    for part in text.split(".") if text else ():
        if not _PART.fullmatch(part):
            raise FunctionError("invalid prerelease string")
        if part.isdigit() and len(part) > 1 and part[0] == "0":
            raise FunctionError("version segment starts with 0")
    return text


def metadata(text: str) -> str:
    """Metadata, if it is some. Raises FunctionError with Go's words."""
    if text and not all(map(_PART.fullmatch, text.split("."))):
        raise FunctionError("invalid metadata string")
    return text


def _number(text: str) -> int:
    if int(text) > _MOST:
        raise FunctionError(f'error parsing version segment: strconv.ParseUint: parsing "{text}": value out of range')
    return int(text)


def compared_prereleases(one: str, other: str) -> int:
    """-1, 0 or 1, part by part; numbers come before words."""
    mine, theirs = one.split("."), other.split(".")
    for place in range(max(len(mine), len(theirs))):
        parts = [each[place] if place < len(each) else "" for each in (mine, theirs)]
        if parts[0] != parts[1]:
            return 1 if _rank(parts[0]) > _rank(parts[1]) else -1
    return 0


def _rank(part: str) -> tuple[int, int, str]:
    if not part:
        return (0, 0, "")
    number = int(part) if part.isdigit() else -1
    return (1, number, "") if 0 <= number <= _MOST else (2, 0, part)

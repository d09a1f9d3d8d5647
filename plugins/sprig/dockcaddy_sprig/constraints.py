"""Constraints on semantic versions: `>=1.2, <2 || ~3.1`, as the Go library semver 3.4 reads them."""

import re
from collections.abc import Callable, Mapping

from attrs import frozen
from dockcaddy.gotemplate import FunctionError

from dockcaddy_sprig.versions import Version, compared_prereleases, parse

_MOST_CHARACTERS = 1_000
_VERSION = (
    r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?"
    r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?"
)
_ONE = re.compile(rf"\s*(=||!=|>|<|>=|=>|<=|=<|~|~>|\^)\s*({_VERSION})\s*", re.ASCII)
_RANGE = re.compile(rf"\s*({_VERSION})\s+-\s+({_VERSION})\s*", re.ASCII)
# tried one after the other: what follows decides, not what comes first
_NEXT = re.compile(r"(\s+|,\s*|)(=>|=<|>=|<=|!=|~>|=|>|<|~|\^|)\s*", re.ASCII)
_BODY = re.compile(_VERSION, re.ASCII)


@frozen
class Constraint:
    """One operator and version; `minor_open` and `patch_open` where the version leaves them out or has an x."""

    operator: str
    version: Version
    minor_open: bool = False
    patch_open: bool = False
    is_open: bool = False

    def allows(self, version: Version) -> bool:
        """Whether the version meets it; whether prereleases may is decided before."""
        return _CHECKS[self.operator](version, self)


def satisfies(text: str, version: str) -> bool:
    """Whether the version meets the constraints. Raises FunctionError with Go's words where one is wrong."""
    if len(text) > _MOST_CHARACTERS:
        raise FunctionError(f"improper constraint: {text}")
    groups = [_group(each) for each in _without_ranges(text).split("||")]
    read = parse(version)
    return any(_all_allow(group, read) for group in groups)


def _all_allow(group: list[Constraint], version: Version) -> bool:
    if version.pre and not any(each.version.pre for each in group):
        return False
    return all(each.allows(version) for each in group)


def _without_ranges(text: str) -> str:
    for found in _RANGE.finditer(text):
        text = text.replace(found[0], f">= {found[1]}, <= {found[11]} ", 1)
    return text


def _group(text: str) -> list[Constraint]:
    """Constraints that all must be met. They are read by hand, for Go's expression would take ever longer here."""
    at = 0
    made: list[tuple[str, re.Match[str]]] = []
    stripped = text.rstrip(" \t\n\f\r")
    while at < len(stripped) or not made:
        begin = _NEXT.match(text, at)
        body = _BODY.match(text, begin.end()) if begin else None
        if (
            begin is None
            or body is None
            or (bool(made) != bool(begin[1]) and bool(made))
            or (not made and "," in begin[1])
        ):
            raise FunctionError(f"improper constraint: {text}")
        made.append((begin[2], body))
        at = body.end()
        spaces = re.compile(r"\s*(?=,)", re.ASCII).match(text, at)
        at = spaces.end() if spaces else at
    # the whole is read before a version in it is
    return [_constraint(operator, body) for operator, body in made]


def _constraint(operator: str, found: re.Match[str]) -> Constraint:
    major, minor, patch, pre = found[1], found[2] or "", found[3] or "", found[4] or ""
    if _is_open(major):
        return Constraint(operator, _parsed(f"0.0.0{pre}"), is_open=True)
    if _is_open(minor[1:]):
        return Constraint(operator, _parsed(f"{major}.0.0{pre}"), minor_open=True, is_open=True)
    if _is_open(patch[1:]):
        return Constraint(operator, _parsed(f"{major}{minor}.0{pre}"), patch_open=True, is_open=True)
    return Constraint(operator, _parsed(found[0]))


def _is_open(part: str) -> bool:
    return part in ("", "x", "X", "*")


def _parsed(text: str) -> Version:
    try:
        return parse(text)
    except FunctionError:
        raise FunctionError("constraint parser error") from None


def _differs(version: Version, one: Constraint) -> bool:
    other = one.version
    if not one.is_open:
        return version.compared(other) != 0
    if version.major != other.major:
        return True
    if one.minor_open:
        return False
    if version.minor != other.minor:
        return True
    if not one.patch_open:
        return version.patch != other.patch or version.compared(other) != 0
    return bool(version.pre or other.pre) and compared_prereleases(version.pre, other.pre) != 0


def _above(version: Version, one: Constraint) -> bool:
    other = one.version
    if not one.is_open:
        return version.compared(other) == 1
    if version.major != other.major:
        return version.major > other.major
    if one.minor_open:
        return False
    return version.minor > other.minor if one.patch_open else version.compared(other) == 1


def _below(version: Version, one: Constraint) -> bool:
    return version.compared(one.version) < 0


def _at_least(version: Version, one: Constraint) -> bool:
    return version.compared(one.version) >= 0


def _at_most(version: Version, one: Constraint) -> bool:
    other = one.version
    if not one.is_open:
        return version.compared(other) <= 0
    if version.major > other.major:
        return False
    return not (version.major == other.major and version.minor > other.minor and not one.minor_open)


def _tilde(version: Version, one: Constraint) -> bool:
    other = one.version
    if version.compared(other) < 0:
        return False
    if (other.major, other.minor, other.patch) == (0, 0, 0) and not one.minor_open and not one.patch_open:
        return True
    return version.major == other.major and (version.minor == other.minor or one.minor_open)


def _tilde_or_equal(version: Version, one: Constraint) -> bool:
    return _tilde(version, one) if one.is_open else version.compared(one.version) == 0


def _caret(version: Version, one: Constraint) -> bool:
    other = one.version
    if version.compared(other) < 0:
        return False
    if other.major > 0 or one.minor_open:
        return version.major == other.major
    if version.major > 0:
        return False
    if other.minor > 0 or one.patch_open:
        return version.minor == other.minor
    return version.minor == 0 and version.patch == other.patch


_CHECKS: Mapping[str, Callable[[Version, Constraint], bool]] = {
    "": _tilde_or_equal,
    "=": _tilde_or_equal,
    "!=": _differs,
    ">": _above,
    "<": _below,
    ">=": _at_least,
    "=>": _at_least,
    "<=": _at_most,
    "=<": _at_most,
    "~": _tilde,
    "~>": _tilde,
    "^": _caret,
}

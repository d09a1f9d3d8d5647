"""The place of a label: the same name can be a directive, an option, or data, depending on the names above it."""

import re
from collections.abc import Iterator
from functools import lru_cache

from dockcaddy import DIRECTIVE_BLOCKS, UPSTREAM_DIRECTIVES, is_matcher_block

_ORDER_AND_SUFFIX = re.compile(r"(?:\d+_)?(.+?)(?:_\d+)?", re.DOTALL)
# these contain directives; the block of an import may contain some too
_ROUTES = DIRECTIVE_BLOCKS | {"import"}


@lru_cache(maxsize=4096)
def names_of(key: str) -> tuple[str, ...]:
    """The names on a key's path, without order numbers and `_N`: `caddy.route.0_forward_auth` -> caddy, route, ..."""
    return tuple(_name(segment) for segment in key.replace("\\.", "\0").split("."))


def above(key: str) -> Iterator[str]:
    """The keys above a key."""
    return (key[:at] for at, character in enumerate(key) if character == ".")


def split_last(key: str) -> tuple[str, str]:
    """The key above a key, and the name of its last segment."""
    parent, _, segment = key.replace("\\.", "\0").rpartition(".")
    return parent.replace("\0", "\\."), _name(segment)


def is_directive(names: tuple[str, ...]) -> bool:
    """Whether the last name is a directive: of a site, a snippet, or a block of directives."""
    return len(names) > 1 and _holds_directives(names[:-1])


def is_option(names: tuple[str, ...], *parents: str) -> bool:
    """Whether the last name is an option of one of these directives, also in a snippet or an import."""
    if len(names) == 2 or names[-2:-1] == ("import",):
        return len(names) > 1 and _holds_directives(names[:-1])
    return len(names) > 2 and names[-2] in parents and _leads_to_directives(names[1:-2])


def is_condition(names: tuple[str, ...]) -> bool:
    """Whether the last name is a condition of a matcher or of a `not`."""
    return len(names) > 2 and is_matcher_block(names[-2])


def _holds_directives(names: tuple[str, ...]) -> bool:
    return len(names) == 1 or (names[-1] in _ROUTES and _leads_to_directives(names[1:-1]))


def _leads_to_directives(names: tuple[str, ...]) -> bool:
    return all(name in _ROUTES or name in UPSTREAM_DIRECTIVES for name in names)


def _name(segment: str) -> str:
    match = _ORDER_AND_SUFFIX.fullmatch(segment)
    return (match[1] if match else segment).replace("\0", ".")

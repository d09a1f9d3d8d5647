"""What requests must be like for a matcher, and whether those of one are those of another too. Pure.

See https://caddyserver.com/docs/caddyfile/matchers. What a matcher comes to is not always known: then it counts as a
condition that nothing else meets, unless every usual request meets it.
"""

import re
from collections.abc import Iterable

from attrs import evolve, frozen

from dockcaddy.caddyfile import Block
from dockcaddy.conflicts.clash import text_of
from dockcaddy.conflicts.paths import covers, is_every_path
from dockcaddy.hosts import is_host_of

PATH, HOST, NOT_PATH, USUAL = "path", "host", "not path", "usual"

# what browsers send with every request
_USUAL_FIELDS = frozenset(("host", "user-agent", "accept", "accept-encoding"))
_KINDS = frozenset(
    [
        "client_ip",
        "expression",
        "file",
        "header",
        "header_regexp",
        "host",
        "method",
        "not",
        "path",
        "path_regexp",
        "protocol",
        "query",
        "remote_ip",
        "tls",
        "vars",
        "vars_regexp",
    ]
)
# a regular expression of nothing else is for every text, as far as it matters
_OF_EVERY_TEXT = re.compile(r"[\^$/.*+?():]*")
_CALL = re.compile(r"(\w+)\(\s*(?:'([^']*)'|\"([^\"]*)\")\s*\)")
_ASKS_ABOUT_THE_REQUEST = re.compile(r"[{(]|\breq\b")


@frozen
class Condition:
    """One thing that a request must be like: of a path or a host one of `wanted`, of other kinds just that."""

    kind: str
    wanted: frozenset[str]

    @property
    def is_path(self) -> bool:
        """Whether its `wanted` are patterns."""
        return self.kind == PATH

    def below(self, folder: str) -> "Condition":
        """The condition on the whole path, where this one is on what follows a folder."""
        if self.kind not in (PATH, NOT_PATH):
            return self
        return evolve(self, wanted=frozenset(folder + each for each in self.wanted))

    def follows_from(self, other: "Condition") -> bool:
        """Whether every request that is like `other` is like this one."""
        if self.kind == NOT_PATH and other.is_path:
            return not any(_overlap(mine, theirs) for mine in self.wanted for theirs in other.wanted)
        if self.kind != other.kind:
            return False
        if self.is_path:
            return all(any(covers(mine, theirs) for mine in self.wanted) for theirs in other.wanted)
        return self.wanted == other.wanted or (self.kind == HOST and self.wanted > other.wanted)

    @property
    def is_exact(self) -> bool:
        """Whether only what says something of the same kind can be like it."""
        return self.kind not in (USUAL, NOT_PATH) and not (self.is_path and "/" in self.wanted)

    def takes_the_most(self, these: "Conditions") -> bool:
        """Whether most requests that meet `these` are like it: usual ones, or those of a site's first page."""
        return self.kind == USUAL or not (self.is_exact or any(each.is_path for each in these))


Conditions = frozenset[Condition]
EVERYTHING: Conditions = frozenset()


def _overlap(pattern: str, other: str) -> bool:
    return covers(pattern, other) or covers(other, pattern)


def is_covered(these: Conditions, others: Conditions) -> bool:
    """Whether the requests that meet `these` meet the `others` too."""
    return all(any(other.follows_from(each) for each in these) or other.takes_the_most(these) for other in others)


def path_condition(patterns: Iterable[str]) -> Conditions:
    """The condition that a path is like one of the patterns; none where every path is."""
    wanted = frozenset(pattern.lower() for pattern in patterns)
    return EVERYTHING if any(map(is_every_path, wanted)) else frozenset((Condition(PATH, wanted),))


def conditions_of(matcher: Block, hosts: frozenset[str]) -> Conditions:
    """The conditions of a named matcher on a site of these hosts."""
    parts = matcher.children or (Block(matcher.keys[1:]),)
    return EVERYTHING.union(*(_of_part(part, hosts) for part in parts if part.keys))


def _of_part(part: Block, hosts: frozenset[str]) -> Conditions:
    kind, values = part.keys[0], part.keys[1:]
    if kind == PATH and values:
        return path_condition(values)
    if kind == HOST and values:
        wanted = _hosts_like(values, hosts)
        return EVERYTHING if hosts and wanted >= hosts else frozenset((Condition(HOST, wanted),))
    excepted = _negated(part)
    if len(excepted) == 1 and excepted[0].keys[:1] == (PATH,):
        return frozenset(evolve(each, kind=NOT_PATH) for each in path_condition(excepted[0].keys[1:])) or _just(part)
    return frozenset((Condition(USUAL, frozenset((text_of(part),))),)) if _is_usual(part) else _just(part)


def _just(part: Block) -> Conditions:
    return frozenset((Condition(part.keys[0], frozenset((text_of(part),))),))


def _hosts_like(patterns: Iterable[str], hosts: frozenset[str]) -> frozenset[str]:
    wanted = frozenset(pattern.lower() for pattern in patterns)
    return wanted | {host for host in hosts for pattern in wanted if "*" in pattern and is_host_of(host, pattern)}


def _negated(part: Block) -> tuple[Block, ...]:
    if part.keys[0] != "not":
        return ()
    return tuple(each for each in (part.children or (Block(part.keys[1:]),)) if each.keys)


def _is_usual(part: Block) -> bool:
    """Whether a usual request is like it: a visitor's who asks for a page with a browser."""
    kind, values = part.keys[0], part.keys[1:]
    if kind not in _KINDS or kind == "expression":
        return _is_usual_expression(" ".join(values if kind == "expression" else part.keys))
    if kind == "not":
        return any(not _is_usual(each) for each in _negated(part))
    if kind == PATH:
        return any(map(is_every_path, values))
    if kind == "method":
        return "GET" in values
    if kind == "protocol":
        return values[:1] != ("grpc",)
    if kind in ("remote_ip", "client_ip"):
        return any(value.endswith(("/0", "/1")) for value in values)
    if kind == "header":
        return _is_usual_header(values)
    if kind.endswith("_regexp"):
        about = values[-2].lower() if kind == "header_regexp" and len(values) > 1 else "host"
        return about in _USUAL_FIELDS and _OF_EVERY_TEXT.fullmatch("".join(values[-1:])) is not None
    return (kind == "query" and not "".join(values)) or (kind == "vars" and values[:1] > ("{",))


def _is_usual_header(values: tuple[str, ...]) -> bool:
    name, wanted = "".join(values[:1]).lower(), values[1:]
    if name.startswith("!"):
        return name[1:] not in _USUAL_FIELDS
    return name in _USUAL_FIELDS and (not wanted or "*" in wanted)


def _is_usual_expression(text: str) -> bool:
    """One that calls another matcher is like that; one that asks nothing about the request is for all of them."""
    called = _CALL.fullmatch(text.strip())
    if called and called[1] in _KINDS:
        return _is_usual(Block((called[1], called[2] or called[3] or "")))
    return not _ASKS_ABOUT_THE_REQUEST.search(text)

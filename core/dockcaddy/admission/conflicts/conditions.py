"""The conditions of matchers, and whether the requests that meet one set of conditions meet another. Pure.

See https://caddyserver.com/docs/caddyfile/matchers. What a matcher matches is not always known. Then it counts as a
condition of its own that no other condition implies, unless every typical request matches it.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from attrs import evolve, field, frozen

from dockcaddy.admission.conflicts.conflict import text_of
from dockcaddy.admission.conflicts.paths import covers, is_every_path
from dockcaddy.admission.conflicts.requests import Request
from dockcaddy.caddyfile import Block, is_host_of
from dockcaddy.settings import limits

PATH, HOST, NOT_PATH, CHECKED = "path", "host", "not path", "check"
# a word of a matcher that may be a path or a host
_WORD = re.compile(r"[/\w*][/\w.*-]*")
# a variable of Caddy's environment: unknown here, but the same for every request
_VARIABLE = re.compile(r"\{\$[^{}]*\}")

# `any` or `all`: how many of several hosts and paths have to be covered
Quantifier = Callable[[Iterable[bool]], bool]
# work for each four characters of a matcher
_COSTS = {"path_regexp": 4, "header_regexp": 4, "vars_regexp": 4, "not": 4, "expression": 1}
# suffixes that are tried behind the beginning of a path in an expression
_ENDS = ("", "x", "1")


@frozen
class RequestCheck:
    """A part of a matcher that only a sample request can be tested against. The values of `changed` header fields are unknown."""

    part: Block
    hosts: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    is_for_wildcard: bool = False

    def may_match(self, request: Request, folder: str) -> bool:
        """Whether a request may match, once the path prefix `folder` has been stripped."""
        if folder:
            request = evolve(request, path="/" + request.path.removeprefix(folder).lstrip("/"))
        if self.changed:
            request = evolve(request, changed=self.changed)
        return request.matches((self.part,)) is not False


@frozen
class Condition:
    """One condition. Of a path or a host, one of the patterns `wanted` has to match.

    `is_of_site`: it is a condition on the host, and one of its hosts is in the site's addresses.
    """

    kind: str
    wanted: frozenset[str]
    check: RequestCheck | None = field(default=None, eq=False)
    folder: str = ""
    is_of_site: bool = False

    @property
    def is_path(self) -> bool:
        """Whether `wanted` holds path patterns."""
        return self.kind == PATH

    @property
    def has_variables(self) -> bool:
        """Whether it is a condition on the host, and hosts have variables in them."""
        return self.kind == HOST and any("{" in each for each in self.wanted)

    @property
    def cost(self) -> int:
        """The work of testing one sample request, 0 where none has to be tested."""
        if self.check is None:
            return 0
        cost = _COSTS.get(self.check.part.keys[0], 4 if self.check.part.children else 0)
        return 1 + sum(map(len, self.wanted)) * cost // 4

    def below(self, folder: str) -> "Condition":
        """The condition on the whole path, where this one is on the path behind the prefix `folder`."""
        if self.kind == CHECKED:
            return evolve(self, folder=folder + self.folder)
        if self.kind not in (PATH, NOT_PATH):
            return self
        return evolve(self, wanted=frozenset(folder + each for each in self.wanted))

    def follows_from(self, other: "Condition", quantifier: Quantifier = all) -> bool:
        """Whether requests that meet `other` meet this one: for all paths and hosts of `other`, or for any."""
        if self.kind == NOT_PATH and other.is_path:
            return quantifier(not any(_overlap(mine, theirs) for mine in self.wanted) for theirs in other.wanted)
        if self.kind != other.kind:
            return False
        if self.is_path:
            return quantifier(any(_covers_page(mine, theirs) for mine in self.wanted) for theirs in other.wanted)
        if self.kind == HOST:
            return quantifier(theirs in self.wanted for theirs in other.wanted)
        return (self.wanted, self.folder) == (other.wanted, other.folder)

    @property
    def is_exact(self) -> bool:
        """Whether only conditions of the same kind can imply it."""
        is_open = self.kind in (CHECKED, NOT_PATH) or self.is_of_site or self.has_variables
        return not (is_open or (self.is_path and "/" in self.wanted))

    def covers_typical_requests(self, these: "Conditions", samples: "Samples", quantifier: Quantifier = all) -> bool:
        """Whether typical requests that meet `these` meet it: the `samples`, or requests for a site's first page."""
        check = self.check
        if check is not None:
            return quantifier(check.may_match(request, self.folder) for request in samples())
        if self.has_variables:
            others = [each.wanted for each in these if each.kind == HOST]
            return not any(_are_others(self.wanted, each) for each in others) if others else self.is_of_site
        if self.kind in (PATH, HOST) and any(each.check is not None for each in these):
            return quantifier(map(self._matches_request, samples()))
        if self.is_of_site:
            return quantifier is any and not any(each.kind == HOST for each in these)
        return not (self.is_exact or any(each.is_path for each in these))

    def _matches_request(self, request: Request) -> bool:
        if self.is_path:
            return any(covers(each, request.path.lower()) for each in self.wanted)
        return any(is_host_of(request.host, each) for each in self.wanted)


Conditions = frozenset[Condition]
Samples = Callable[[], Iterable[Request]]
EVERYTHING: Conditions = frozenset()


def _covers_page(pattern: str, other: str) -> bool:
    """Whether it covers another pattern, or `/a/` the first page of `/a/*`."""
    return covers(pattern, other) or (pattern.endswith("/") and other == f"{pattern}*")


def _is_one_host(host: str) -> bool:
    """Whether a host with variables is no wildcard, whatever they are: something stands before the first one."""
    return "*" not in host and not host.startswith("{")


def _are_others(hosts: Iterable[str], others: Iterable[str]) -> bool:
    """Whether no host can be one of the others: `a.{$DOMAIN}` and `b.{$DOMAIN}` differ, whatever the variable is."""
    return all(
        mine.partition("{")[2] == theirs.partition("{")[2] != "" and mine.partition("{")[0] != theirs.partition("{")[0]
        for mine in hosts
        for theirs in others
    )


def _overlap(pattern: str, other: str) -> bool:
    return covers(pattern, other) or covers(other, pattern)


def sample_requests(these: Conditions, hosts: frozenset[str] = frozenset()) -> Iterator[Request]:
    """Typical requests that meet `these` on a site of these hosts: for the first page below each path."""
    paths, wanted, parts = ["/"], hosts, []
    for each in these:
        if each.is_path:
            paths = [_first_page(pattern) for pattern in sorted(each.wanted)[: limits.MAX_TRIED_VALUES]]
        elif each.kind == HOST:
            wanted = each.wanted
        elif each.check is not None:
            parts.append(each.check.part)
    for host in sorted(wanted)[: limits.MAX_TRIED_VALUES] or ("",):
        for path in paths:
            yield _adapted(Request(host.replace("*", "any"), path), parts, hosts)


def _adapted(request: Request, parts: Iterable[Block], hosts: frozenset[str]) -> Request:
    """The request, changed to match parts of a matcher as far as their words show what they match."""
    for part in parts:
        if request.matches((part,)) is True:
            continue
        words = _WORD.findall(text_of(part))[: limits.MAX_TRIED_VALUES]
        named = [evolve(request, host=word) for word in words if any(is_host_of(word, host) for host in hosts)]
        paths = [_first_page(word + end) for word in words if word.startswith("/") for end in _ENDS]
        named += [evolve(request, path=path) for path in paths]
        tried = [request.adapted_to(part), *named]
        request = next((each for each in tried if each.matches((part,)) is True), tried[0])
    return request


def _first_page(pattern: str) -> str:
    """The shortest path that a pattern matches."""
    return "/" + pattern.replace("*", "").replace("?", "x").lstrip("/")


def is_covered(these: Conditions, others: Conditions, samples: Samples, quantifier: Quantifier = all) -> bool:
    """Whether requests that meet `these` meet the `others` too; with `any`, those of one path or host are enough.

    `samples` gives typical requests that meet `these`.
    """
    # comparing is cheaper than testing samples
    in_order = sorted(others, key=lambda each: each.cost) if len(others) > 1 else others
    return all(
        any(other.follows_from(each, quantifier) for each in these)
        or other.covers_typical_requests(these, samples, quantifier)
        for other in in_order
    )


def path_condition(patterns: Iterable[str]) -> Conditions:
    """The condition that a path matches one of the patterns; none where every path does."""
    wanted = frozenset(pattern.lower() for pattern in patterns)
    return EVERYTHING if any(map(is_every_path, wanted)) else frozenset((Condition(PATH, wanted),))


def conditions_of(
    matcher: Block, hosts: frozenset[str], changed: frozenset[str] = frozenset(), *, is_for_wildcard: bool = False
) -> Conditions:
    """The conditions of a named matcher on a site of these hosts that changes these header fields of requests.

    `is_for_wildcard`: each of its addresses is a wildcard, also those with variables, which are not among the hosts.
    """
    parts = [part for part in matcher.children or (Block(matcher.keys[1:]),) if part.keys]
    return EVERYTHING.union(
        *(_of_part(part, RequestCheck(part, hosts, changed, is_for_wildcard)) for part in _joined_parts(parts))
    )


def _joined_parts(parts: Iterable[Block]) -> Iterator[Block]:
    """The parts of a matcher. Caddy joins several lines of paths, hosts, methods or addresses."""
    several: dict[object, Block] = {}
    for at, part in enumerate(parts):
        key: object = part.keys[0] if part.keys[0] in (PATH, HOST, "method", "remote_ip", "client_ip") else at
        known = several.get(key)
        several[key] = evolve(known, keys=known.keys + part.keys[1:]) if known is not None else part
    return iter(several.values())


def _of_part(part: Block, check: RequestCheck) -> Conditions:
    kind, values, hosts = part.keys[0], part.keys[1:], check.hosts
    if kind == PATH and values:
        return path_condition(values)
    if kind == HOST and values and not any("{" in _VARIABLE.sub("", each) for each in values):
        wanted = _hosts_like(values, hosts)
        if hosts and wanted >= hosts:
            return EVERYTHING
        is_of_site = any("*" not in host for host in hosts & wanted)
        if any("{" in each for each in wanted):
            is_of_site = not (check.is_for_wildcard and all(map(_is_one_host, wanted)))
        return frozenset((Condition(HOST, wanted, is_of_site=is_of_site),))
    negated = _negated_parts(part)
    if len(negated) == 1 and negated[0].keys[:1] == (PATH,):
        found = frozenset(evolve(each, kind=NOT_PATH) for each in path_condition(negated[0].keys[1:]))
        return found or frozenset((Condition("nothing", frozenset()),))
    return frozenset((Condition(CHECKED, frozenset((text_of(part),)), check),))


def _hosts_like(patterns: Iterable[str], hosts: frozenset[str]) -> frozenset[str]:
    wanted = frozenset(pattern.lower() for pattern in patterns)
    return wanted | {host for host in hosts for pattern in wanted if "*" in pattern and is_host_of(host, pattern)}


def _negated_parts(part: Block) -> tuple[Block, ...]:
    if part.keys[0] != "not":
        return ()
    return tuple(each for each in (part.children or (Block(part.keys[1:]),)) if each.keys)

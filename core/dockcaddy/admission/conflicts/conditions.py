"""What requests must be like for a matcher, and whether those of one are those of another too. Pure.

See https://caddyserver.com/docs/caddyfile/matchers. What a matcher comes to is not always known: then it counts as a
condition that nothing else meets, unless every usual request meets it.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from attrs import evolve, field, frozen

from dockcaddy.admission.conflicts.conflict import text_of
from dockcaddy.admission.conflicts.paths import covers, is_every_path
from dockcaddy.admission.conflicts.requests import Visit
from dockcaddy.caddyfile import Block, is_host_of
from dockcaddy.settings import limits

PATH, HOST, NOT_PATH, ASKED = "path", "host", "not path", "asked"
# of a matcher: what may be a path or a host
_WORD = re.compile(r"[/\w*][/\w.*-]*")

# how many of several have to be so: any or all
Enough = Callable[[Iterable[bool]], bool]
# a quarter of what a character of it is
_COSTS = {"path_regexp": 4, "header_regexp": 4, "vars_regexp": 4, "not": 4, "expression": 1}
# with what a path may go on that an expression begins
_ENDS = ("", "x", "1")


@frozen
class Asked:
    """What a matcher asks that only a visit can answer. Of the fields that are `changed` nobody knows the value."""

    part: Block
    hosts: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()

    def may_be_met_by(self, visit: Visit, folder: str) -> bool:
        """Whether a visit may meet it, with the `folder` taken off the path."""
        if folder:
            visit = evolve(visit, path="/" + visit.path.removeprefix(folder).lstrip("/"))
        if self.changed:
            visit = evolve(visit, changed=self.changed)
        return visit.is_like((self.part,)) is not False


@frozen
class Condition:
    """One thing that a request must be like: of a path or a host one of `wanted`, of other kinds just that.

    A host that `is_of_site` is one of those that the site's address names.
    """

    kind: str
    wanted: frozenset[str]
    asked: Asked | None = field(default=None, eq=False)
    folder: str = ""
    is_of_site: bool = False

    @property
    def is_path(self) -> bool:
        """Whether its `wanted` are patterns."""
        return self.kind == PATH

    @property
    def effort(self) -> int:
        """How much work it is where a visit is to tell, of which a simple one is the least."""
        if self.asked is None:
            return 0
        cost = _COSTS.get(self.asked.part.keys[0], 4 if self.asked.part.children else 0)
        return 1 + sum(map(len, self.wanted)) * cost // 4

    def below(self, folder: str) -> "Condition":
        """The condition on the whole path, where this one is on what follows a folder."""
        if self.kind == ASKED:
            return evolve(self, folder=folder + self.folder)
        if self.kind not in (PATH, NOT_PATH):
            return self
        return evolve(self, wanted=frozenset(folder + each for each in self.wanted))

    def follows_from(self, other: "Condition", enough: Enough = all) -> bool:
        """Whether requests that are like `other` are like this one: of each of its paths and hosts, or of any."""
        if self.kind == NOT_PATH and other.is_path:
            return enough(not any(_overlap(mine, theirs) for mine in self.wanted) for theirs in other.wanted)
        if self.kind != other.kind:
            return False
        if self.is_path:
            return enough(any(_takes(mine, theirs) for mine in self.wanted) for theirs in other.wanted)
        if self.kind == HOST:
            return enough(theirs in self.wanted for theirs in other.wanted)
        return (self.wanted, self.folder) == (other.wanted, other.folder)

    @property
    def is_exact(self) -> bool:
        """Whether only what says something of the same kind can be like it."""
        is_open = self.kind in (ASKED, NOT_PATH) or self.is_of_site
        return not (is_open or (self.is_path and "/" in self.wanted))

    def takes_the_most(self, these: "Conditions", visits: "Visits", enough: Enough = all) -> bool:
        """Whether most requests that meet `these`, as the `visits`, are like it: usual ones, those of the first page."""
        asked = self.asked
        if asked is not None:
            return enough(asked.may_be_met_by(visit, self.folder) for visit in visits())
        if self.kind in (PATH, HOST) and any(each.asked is not None for each in these):
            return enough(map(self._is_met_by, visits()))
        if self.is_of_site:
            return enough is any and not any(each.kind == HOST for each in these)
        return not (self.is_exact or any(each.is_path for each in these))

    def _is_met_by(self, visit: Visit) -> bool:
        if self.is_path:
            return any(covers(each, visit.path.lower()) for each in self.wanted)
        return any(is_host_of(visit.host, each) for each in self.wanted)


Conditions = frozenset[Condition]
Visits = Callable[[], Iterable[Visit]]
EVERYTHING: Conditions = frozenset()


def _takes(pattern: str, other: str) -> bool:
    """Whether it is for all paths of another one, or for the first page of its folder."""
    return covers(pattern, other) or (pattern.endswith("/") and other == f"{pattern}*")


def _overlap(pattern: str, other: str) -> bool:
    return covers(pattern, other) or covers(other, pattern)


def visits_of(these: Conditions, hosts: frozenset[str] = frozenset()) -> Iterator[Visit]:
    """Usual visits of a site of these hosts that meet `these`: of the first page of each path."""
    paths, wanted, parts = ["/"], hosts, []
    for each in these:
        if each.is_path:
            paths = [_first_page(pattern) for pattern in sorted(each.wanted)[: limits.MAX_TRIED_VALUES]]
        elif each.kind == HOST:
            wanted = each.wanted
        elif each.asked is not None:
            parts.append(each.asked.part)
    for host in sorted(wanted)[: limits.MAX_TRIED_VALUES] or ("",):
        for path in paths:
            yield _alike(Visit(host.replace("*", "any"), path), parts, hosts)


def _alike(visit: Visit, parts: Iterable[Block], hosts: frozenset[str]) -> Visit:
    """A visit that is like some parts of a matcher, as far as their words tell what they are for."""
    for part in parts:
        if visit.is_like((part,)) is True:
            continue
        words = _WORD.findall(text_of(part))[: limits.MAX_TRIED_VALUES]
        named = [evolve(visit, host=word) for word in words if any(is_host_of(word, host) for host in hosts)]
        paths = [_first_page(word + end) for word in words if word.startswith("/") for end in _ENDS]
        named += [evolve(visit, path=path) for path in paths]
        tried = [visit.alike(part), *named]
        visit = next((each for each in tried if each.is_like((part,)) is True), tried[0])
    return visit


def _first_page(pattern: str) -> str:
    """The shortest path that is like a pattern."""
    return "/" + pattern.replace("*", "").replace("?", "x").lstrip("/")


def is_covered(these: Conditions, others: Conditions, enough: Enough = all, visits: Visits | None = None) -> bool:
    """Whether the requests that meet `these` meet the `others` too; where `any` is enough, those of one path or host.

    The `visits` are usual ones that meet `these`.
    """
    visits = visits or (lambda: visits_of(these))
    # what visits have to tell costs more than what is compared
    in_order = sorted(others, key=lambda each: each.effort) if len(others) > 1 else others
    return all(
        any(other.follows_from(each, enough) for each in these) or other.takes_the_most(these, visits, enough)
        for other in in_order
    )


def path_condition(patterns: Iterable[str]) -> Conditions:
    """The condition that a path is like one of the patterns; none where every path is."""
    wanted = frozenset(pattern.lower() for pattern in patterns)
    return EVERYTHING if any(map(is_every_path, wanted)) else frozenset((Condition(PATH, wanted),))


def conditions_of(matcher: Block, hosts: frozenset[str], changed: frozenset[str] = frozenset()) -> Conditions:
    """The conditions of a named matcher on a site of these hosts, where these fields of requests are changed."""
    parts = [part for part in matcher.children or (Block(matcher.keys[1:]),) if part.keys]
    return EVERYTHING.union(*(_of_part(part, Asked(part, hosts, changed)) for part in _several_in_one(parts)))


def _several_in_one(parts: Iterable[Block]) -> Iterator[Block]:
    """The parts of a matcher: for Caddy several lines of paths, hosts or methods are one."""
    several: dict[object, Block] = {}
    for at, part in enumerate(parts):
        key: object = part.keys[0] if part.keys[0] in (PATH, HOST, "method", "remote_ip", "client_ip") else at
        known = several.get(key)
        several[key] = evolve(known, keys=known.keys + part.keys[1:]) if known is not None else part
    return iter(several.values())


def _of_part(part: Block, asked: Asked) -> Conditions:
    kind, values, hosts = part.keys[0], part.keys[1:], asked.hosts
    if kind == PATH and values:
        return path_condition(values)
    if kind == HOST and values and not any("{" in each for each in values):
        wanted = _hosts_like(values, hosts)
        if hosts and wanted >= hosts:
            return EVERYTHING
        is_of_site = any("*" not in host for host in hosts & wanted)
        return frozenset((Condition(HOST, wanted, is_of_site=is_of_site),))
    excepted = _negated(part)
    if len(excepted) == 1 and excepted[0].keys[:1] == (PATH,):
        found = frozenset(evolve(each, kind=NOT_PATH) for each in path_condition(excepted[0].keys[1:]))
        return found or frozenset((Condition("nothing", frozenset()),))
    return frozenset((Condition(ASKED, frozenset((text_of(part),)), asked),))


def _hosts_like(patterns: Iterable[str], hosts: frozenset[str]) -> frozenset[str]:
    wanted = frozenset(pattern.lower() for pattern in patterns)
    return wanted | {host for host in hosts for pattern in wanted if "*" in pattern and is_host_of(host, pattern)}


def _negated(part: Block) -> tuple[Block, ...]:
    if part.keys[0] != "not":
        return ()
    return tuple(each for each in (part.children or (Block(part.keys[1:]),)) if each.keys)

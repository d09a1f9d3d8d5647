"""The routes of a site: which directive handles which requests, and in which order Caddy tries them. Pure.

See https://caddyserver.com/docs/caddyfile/directives#sorting-algorithm for the order.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import cached_property

from attrs import evolve, frozen

from dockcaddy import caddyfile
from dockcaddy.admission.conflicts.arguments import IMPORTED
from dockcaddy.admission.conflicts.conditions import (
    EVERYTHING,
    Condition,
    Conditions,
    conditions_of,
    is_covered,
    path_condition,
    sample_requests,
)
from dockcaddy.admission.conflicts.conflict import Member, text_of
from dockcaddy.admission.conflicts.requests import Request
from dockcaddy.caddyfile import PROXIES, REWRITING, SUBROUTES, TERMINAL, Block

# directives behind one of these see other requests, or none of those that it matches
_HANDLERS = TERMINAL | REWRITING | {"intercept", "forward_auth"}
# what directives that serve files find depends on these
_ROOTS = frozenset(("root", "fs"))
_HANDLES = frozenset(("handle", "handle_path"))
# options by which a proxy sends other responses than its upstreams do
_OWN_RESPONSES = frozenset(
    ("handle_response", "replace_status", "rewrite", "method", "dynamic", "root", "split", "index", "try_files")
)


@frozen(slots=False)
class _Step:
    """A directive of a route: its place among its siblings, the requests that it is for, and its tokens."""

    place: tuple[int, ...]
    conditions: Conditions
    keys: tuple[str, ...]

    @cached_property
    def merge_key(self) -> tuple[str, ...]:
        """Steps with an equal key become one block."""
        return caddyfile.merge_key(self.keys)

    def may_precede(self, other: "_Step") -> bool:
        """Whether Caddy may try this step first: longer paths come first, then other matchers, then none."""
        if self.place != other.place:
            return self.place < other.place
        if self.path_length is not None and other.path_length is not None:
            return self.path_length >= other.path_length
        return self.is_matched or not other.is_matched

    @property
    def is_matched(self) -> bool:
        """Whether it has a matcher, even one for every path."""
        return bool(self.conditions) or self._matcher not in ("", "*")

    @cached_property
    def _matcher(self) -> str:
        return caddyfile.matcher(Block(self.keys))

    @property
    def path_length(self) -> int | None:
        """The length of its path; None where it is for several paths, or has no path matcher."""
        paths = [wanted for each in self.conditions if each.is_path for wanted in each.wanted]
        if not self.conditions and self._matcher.startswith("/"):
            # a matcher for every path comes after the other paths
            paths = [self._matcher]
        return len(paths[0].removesuffix("*")) if len(paths) == 1 else None


@frozen(slots=False)
class Route:
    """A directive that handles requests, and the blocks that it stands in: the last of the `steps` is its own.

    An empty `handle` is a route too, because no later `handle` gets the requests that it matches. So is a `root`, because
    it changes what later directives serve. `hosts` are the site's.
    """

    steps: tuple[_Step, ...]
    block: Block
    hosts: frozenset[str] = frozenset()

    def typical_requests(self) -> tuple[Request, ...]:
        """Typical requests that it handles."""
        return self._samples

    @cached_property
    def _samples(self) -> tuple[Request, ...]:
        return tuple(sample_requests(self.conditions, self.hosts))

    @cached_property
    def conditions(self) -> Conditions:
        """The conditions that the requests it handles meet."""
        return EVERYTHING.union(*(step.conditions for step in self.steps))

    @cached_property
    def cost(self) -> int:
        """The work of testing a sample request against its matchers, 0 where none has to be tested."""
        return sum(each.cost for each in self.conditions)

    def shadows(self, older: "Route") -> bool:
        """Whether it comes first and handles everything that `older` handles at one of its paths or hosts."""
        return self.comes_before(older) and is_covered(older.conditions, self.conditions, older.typical_requests, any)

    def comes_before(self, older: "Route") -> bool:
        """Whether Caddy may try it before `older`."""
        for mine, theirs in zip(self.steps, older.steps, strict=False):
            if mine.merge_key != theirs.merge_key:
                competes = self.block.keys[0] != "handle" or theirs.keys[0] in _HANDLES
                return competes and mine.may_precede(theirs)
        return len(self.steps) == len(older.steps)

    @property
    def is_root(self) -> bool:
        """Whether it only sets where other directives find files."""
        return self.block.keys[0] in _ROOTS

    def is_for(self, other: "Route") -> bool:
        """Whether this root applies to all requests of another route."""
        above = zip(self.steps[:-1], other.steps, strict=False)
        is_above = len(self.steps) <= len(other.steps) and all(a.merge_key == b.merge_key for a, b in above)
        return is_above and is_covered(other.conditions, self.conditions, other.typical_requests)

    @property
    def precedence(self) -> tuple[int, int, int]:
        """The root with the highest precedence wins: that of the innermost block, then that of the longest path."""
        matcher = caddyfile.matcher(self.block)
        is_path = matcher.startswith("/")
        return len(self.steps), is_path + (matcher not in ("", "*")), len(matcher.removesuffix("*")) if is_path else 0

    @cached_property
    def identity(self) -> Hashable:
        """Routes with an equal identity become one when their sites are merged; proxies join their upstreams."""
        text = "" if self.block.keys[0] in PROXIES else text_of(self.block)
        return tuple(step.merge_key for step in self.steps), text

    @cached_property
    def own_responses(self) -> frozenset[str]:
        """The options by which a proxy responds itself."""
        options = self.block.children if self.block.keys[0] in PROXIES else ()
        return frozenset(text_of(each) for each in options if each.keys and each.keys[0] in _OWN_RESPONSES)


@frozen
class RouteReader:
    """Reads the routes of a site from its members' blocks, with imports written out. `hosts` are the site's.

    The value of header fields that the site itself sets (`changed`) is unknown. `is_for_wildcard`: all addresses are wildcards.
    """

    hosts: frozenset[str]
    changed: frozenset[str] = frozenset()
    is_for_wildcard: bool = False

    def routes(self, member: Member, names: dict[str, Conditions]) -> Iterator[Route]:
        """All routes of one member. `names` holds the named matchers of older members; the member's own are added."""
        lines = [line for block in member.blocks for line in block.children if line.keys]
        reader = evolve(self, changed=frozenset(_changed_fields(lines)))
        for name, conditions in reader._defined(lines):
            names.setdefault(name, conditions)
        yield from reader._within(lines, (), names)

    def _within(
        self, lines: Iterable[Block], steps: tuple[_Step, ...], names: Mapping[str, Conditions], folder: str = ""
    ) -> Iterator[Route]:
        """The routes among lines within `steps`, where the path prefix `folder` has been stripped."""
        for line in lines:
            name = line.keys[0]
            if name == "handle_errors":
                step = _Step((-1,), frozenset((Condition(name, frozenset(line.keys[1:])),)), line.keys)
            elif name in _HANDLERS or name in SUBROUTES or name in _ROOTS or caddyfile.imports_files(line):
                conditions = frozenset(each.below(folder) for each in _matched(line, names))
                step = _Step(_place(line, steps), conditions, line.keys)
            else:
                continue
            if name not in SUBROUTES:
                yield Route((*steps, step), line, self.hosts)
                continue
            if name in _HANDLES:
                # nothing behind the block gets the requests that it matches
                yield Route((*steps, step), Block(line.keys, (), line.order, line.origins), self.hosts)
            inside = [each for each in line.children if each.keys]
            deeper = caddyfile.matcher(line).lower().rstrip("*").rstrip("/") if name == "handle_path" else ""
            known = {**names, **dict(self._defined(inside))}
            yield from self._within(inside, (*steps, step), known, folder + deeper)

    def _defined(self, lines: Iterable[Block]) -> Iterator[tuple[str, Conditions]]:
        """The named matchers that the lines define."""
        for line in lines:
            if line.keys[0].startswith("@"):
                yield (
                    line.keys[0],
                    conditions_of(line, self.hosts, self.changed, is_for_wildcard=self.is_for_wildcard),
                )


def _changed_fields(lines: Iterable[Block]) -> Iterator[str]:
    """The header fields of requests that lines change."""
    for line in lines:
        if line.keys[:1] == ("request_header",):
            yield from (key.lstrip("+-?>").lower() for key in line.keys[1:3])
        yield from _changed_fields(line.children)


def _place(line: Block, steps: tuple[_Step, ...]) -> tuple[int, ...]:
    """The place of a line among its siblings; a `route` keeps the written order."""
    if not steps or steps[-1].keys[0] != "route":
        return (caddyfile.position(line.keys[0]),)
    return line.order, caddyfile.position("import" if line.suffix == IMPORTED else line.keys[0])


def _matched(line: Block, names: Mapping[str, Conditions]) -> Conditions:
    matcher = caddyfile.matcher(line)
    if matcher.startswith("@"):
        return names.get(matcher, frozenset((Condition(matcher, frozenset()),)))
    if not matcher and line.keys[:2] == ("uri", "strip_prefix"):
        return path_condition(f"{prefix}*" for prefix in line.keys[2:])
    return path_condition((matcher,)) if matcher else EVERYTHING

"""Shadowing: a newer resource's route would handle requests that an older one's handles. Pure."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain

from attrs import define, field

from dockcaddy.admission.conflicts.conditions import Condition, Conditions, is_covered
from dockcaddy.admission.conflicts.conflict import Conflict, Member, conflict_between, label_of
from dockcaddy.admission.conflicts.paths import covers, literal_beginning
from dockcaddy.admission.conflicts.routes import Route, RouteReader
from dockcaddy.admission.replicas import gives_way, serves_all
from dockcaddy.caddyfile import PROXIES
from dockcaddy.settings import limits

# what these respond depends on `root` and `fs`
_FILE_DIRECTIVES = frozenset(("file_server", "php_fastcgi", "try_files"))
# how a directive affects an older route; the older resource's name follows
_EFFECTS = {
    "root": "would change the file root of",
    "fs": "would change the file root of",
    # only Caddy sees what is in the file
    "import": "may take requests from",
}
_USUAL_EFFECT = "would take requests from"

MemberRoute = tuple[Member, Route]


@define
class _OlderRoutes:
    """The routes of older members, indexed by the requests that a newer route may take from them."""

    _own_responses: dict[Hashable, frozenset[str]] = field(factory=dict)
    _by_place: dict[tuple[int, ...], list[MemberRoute]] = field(factory=lambda: defaultdict(list))
    _by_wanted: dict[tuple[str, str], list[MemberRoute]] = field(factory=lambda: defaultdict(list))
    _patterns: dict[str, list[str]] = field(factory=lambda: defaultdict(list))
    _files: list[MemberRoute] = field(factory=list)
    _roots: list[Route] = field(factory=list)
    _by_request: dict[tuple[int, ...], list[MemberRoute]] = field(factory=lambda: defaultdict(list))
    _covered_before: dict[tuple[Conditions, Hashable], bool] = field(factory=dict)
    _read: int = 0
    is_proxied: bool = False

    def add(self, member: Member, route: Route) -> None:
        """Keep a route. Replicas have equal routes; the oldest is kept."""
        known = self._own_responses.get(route.identity)
        self._own_responses[route.identity] = route.own_responses | (known or frozenset())
        if known is not None:
            return
        if route.is_root:
            self._roots.append(route)
            return
        if route.block.keys[0] == "forward_auth":
            # other directives handle what it lets through
            return
        if route.block.keys[0] in _FILE_DIRECTIVES:
            self._files.append((member, route))
        self.is_proxied |= len(route.steps) == 1 and serves_all(route.block)
        if route.cost:
            self._by_request[route.steps[0].place].append((member, route))
        self._by_place[route.steps[0].place].append((member, route))
        for condition in route.conditions:
            for wanted in condition.wanted or ("",):
                if condition.is_path and (condition.kind, wanted) not in self._by_wanted:
                    insort(self._patterns[condition.kind], wanted)
                self._by_wanted[condition.kind, wanted].append((member, route))

    def shadowed_by(self, route: Route, member: Member) -> MemberRoute | None:
        """An older route that a newer one shadows; None where there is none, or the two are merged into one."""
        known = self._own_responses.get(route.identity)
        if known is not None and route.own_responses <= known:
            return None
        if route.is_root:
            return next((each for each in self._files if self._loses_its_root(each[1], route)), None)
        return next(
            (
                (owner, older)
                for owner, older in self._candidates(route)
                if self._is_shadowed(older, route) and not _is_of_a_replica(route, member, owner)
            ),
            None,
        )

    @property
    def is_over_budget(self) -> bool:
        """Whether comparing the routes takes more work than is allowed."""
        return self._read > limits.MAX_TRIED_MATCHERS

    def _is_shadowed(self, older: Route, route: Route) -> bool:
        """Whether the newer route shadows an older one. Beyond the allowed work the answer is yes."""
        if not route.cost + older.cost:
            return route.shadows(older)
        # conditions with equal texts differ where the sites' members change other header fields
        compared = older.conditions, frozenset((each, each.check) for each in route.conditions)
        if compared not in self._covered_before:
            self._read += max(route.cost, 1)
            covered = self.is_over_budget or is_covered(older.conditions, route.conditions, older.typical_requests, any)
            self._covered_before[compared] = covered
        return self._covered_before[compared] and route.comes_before(older)

    def _loses_its_root(self, older: Route, root: Route) -> bool:
        """Whether the newer root would apply to an older route, because no other root has a higher precedence."""
        return root.is_for(older) and not any(
            each.precedence >= root.precedence for each in self._roots if each.is_for(older)
        )

    def _candidates(self, route: Route) -> Iterator[MemberRoute]:
        condition, place = next((each for each in route.conditions if each.is_exact), None), route.steps[0].place
        routes = self._by_place if condition is None else self._by_request
        behind = chain.from_iterable(found for each, found in routes.items() if each >= place)
        return behind if condition is None else chain(self._like(condition), behind)

    def _like(self, condition: Condition) -> Iterator[MemberRoute]:
        wanted: Iterable[str] = condition.wanted or ("",)
        if condition.is_path:
            wanted = {each for pattern in wanted for each in self._covered(condition.kind, pattern)}
        return chain.from_iterable(self._by_wanted.get((condition.kind, each), ()) for each in wanted)

    def _covered(self, kind: str, pattern: str) -> Iterator[str]:
        """The known path patterns that a pattern covers; `/a/` covers `/a/*`, whose first page it is."""
        patterns = self._patterns.get(kind, [])
        if pattern.endswith("/"):
            yield f"{pattern}*"
        beginning = literal_beginning(pattern)
        for known in patterns[bisect_left(patterns, beginning) :]:
            if not known.startswith(beginning):
                return
            if covers(pattern, known):
                yield known


def _is_of_a_replica(route: Route, member: Member, owner: Member) -> bool:
    """Whether it is a proxy that an unhealthy replica, the owner, would have too, by the same label."""
    labels = {origin.label for origin in route.block.origins}
    templates = {(label, template) for label, template in member.fragment.conditional if label in labels}
    return route.block.keys[0] in PROXIES and bool(templates) and templates <= owner.fragment.conditional


def _gives_way(route: Route) -> bool:
    return len(route.steps) == 1 and gives_way(route.block)


def shadowed_routes(members: Sequence[Member], reader: RouteReader) -> Iterator[Conflict]:
    """A conflict for each member of a site whose routes shadow an older one's. `members` begin with the oldest."""
    older_routes = _OlderRoutes()
    names: dict[str, Conditions] = {}
    for member in members:
        routes = tuple(reader.routes(member, names))
        counting = (each for each in routes if not (older_routes.is_proxied and _gives_way(each)))
        found = next(((each, lost) for each in counting if (lost := older_routes.shadowed_by(each, member))), None)
        if found is None:
            for route in routes:
                older_routes.add(member, route)
            continue
        route, (older, theirs) = found
        effect = _EFFECTS.get(route.block.keys[0], _USUAL_EFFECT)
        if older_routes.is_over_budget:
            effect = "cannot be compared with all older routes in time and may take requests from"
        what = f"{route.block.keys[0]} {effect}"
        yield conflict_between(
            member.fragment, what, older.fragment, label=label_of(route.block), their_label=label_of(theirs.block)
        )

"""The members of one site compared with the site that they make together. Pure.

A typical request of an older member has to come to the same handlers as without the newer ones.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from attrs import define, field, frozen

from dockcaddy.admission.conflicts.adapted import AdaptedSite
from dockcaddy.admission.conflicts.conflict import Member
from dockcaddy.admission.conflicts.samples import Leaf, Sample, is_joined, leaves_of, samples_of
from dockcaddy.admission.conflicts.walk import BLOCKING, Chain, Event, Routes, Walk, names_set_by, words_of
from dockcaddy.caddyjson.document import Json, encoded, objects_in
from dockcaddy.settings import limits

# matchers that take the more work the longer they are
_COSTLY = frozenset(("path_regexp", "header_regexp", "vars_regexp", "expression", "not"))
# what keeps requests from others
_KEEPING = frozenset(("answer", "block", "rewrite"))


@frozen(eq=False)
class Taken:
    """A newer member would take a request from an older one: by `event`, where the older one has `lost`."""

    newer: Member
    event: Event
    older: Member
    lost: Event
    number: int
    is_of_errors: bool = False


@frozen(eq=False)
class Unreachable:
    """No request comes to a handler of a member, `leaf`, because `event` of an older one comes first."""

    member: Member
    leaf: Leaf
    older: Member
    event: Event


@define
class _Owners:
    """Which handlers the members of a site have by themselves, and within which matchers. They are numbered by age."""

    _around: dict[Chain, dict[int, None]] = field(factory=lambda: defaultdict(dict))
    _handlers: dict[Chain, list[tuple[int, Json]]] = field(factory=lambda: defaultdict(list))
    _found: dict[tuple[Chain, int], list[int]] = field(factory=dict)

    def add(self, number: int, leaves: Iterable[Leaf]) -> None:
        """Note what a member has."""
        for leaf in leaves:
            for length in range(1, len(leaf.chain) + 1):
                self._around[leaf.chain[:length]][number] = None
            self._handlers[leaf.chain].append((number, leaf.handler))

    def around(self, chain: Chain) -> Iterable[int]:
        """The members that have these matchers."""
        return self._around.get(chain, ())

    def of(self, event: Event) -> list[int]:
        """The members that have a handler, whatever others have joined to it."""
        if event.kind == "block":
            return list(self.around(event.chain))
        key = event.chain, id(event.handler)
        if key not in self._found:
            known = self._handlers.get(event.chain, ())
            self._found[key] = sorted({number for number, part in known if is_joined(event.handler, part)})
        return self._found[key]


def _is_asked_for(event: Event, leaf: Leaf) -> bool:
    """Whether the matchers around a handler depend on values that another one sets."""
    matchers = b"".join(leaf.chain).lower()
    return any(name.lower().encode() in matchers for name in names_set_by(event.handler))


@frozen(eq=False)
class Part:
    """A member of a site, and the site that it would be by itself; None where Caddy refuses that."""

    member: Member
    site: AdaptedSite | None


def beyond_comparison(parts: Sequence[Part]) -> Iterator[Member]:
    """The newer members with which a comparison would take too long."""
    leaves = costs = 0
    for part in parts:
        routes = part.site.routes.routes if part.site is not None else ()
        more, cost = sum(1 for leaf in leaves_of(routes) if leaf.is_answer), _cost(routes)
        if leaves and (leaves + more) * (costs + cost) > limits.MAX_TRIED_MATCHERS:
            yield part.member
        else:
            leaves, costs = leaves + more, costs + cost


def _cost(routes: Iterable[Json]) -> int:
    """The work of trying a request with all routes that are not found by its host or path."""
    cost = 0
    for part in objects_in(list(routes)):
        sets = part.get("match") if "handle" in part else None
        if sets and words_of(sets) is None:
            cost += 1 + len(encoded([{name: each[name] for name in _COSTLY & each.keys()} for each in sets])) // 4
    return cost


def compared(parts: Sequence[Part], whole: AdaptedSite, hosts: frozenset[str]) -> "Iterator[Taken | Unreachable]":
    """What newer parts of a site of these hosts take from older ones, and what of newer ones no request comes to."""
    for is_of_errors in (False, True):
        yield from _Comparison(parts, whole, hosts, is_of_errors).results()


@define(eq=False, slots=False)
class _Comparison:
    """Compares the parts of a site, the oldest first, with the `whole`: the routes of its pages, or of its error pages."""

    parts: Sequence[Part]
    site: AdaptedSite
    hosts: frozenset[str]
    is_of_errors: bool
    owners: _Owners = field(factory=_Owners)

    @cached_property
    def whole(self) -> Routes:
        """The routes of the whole."""
        return self._routes_of(self.site)

    @cached_property
    def text(self) -> str:
        """The routes as text, in which hosts and paths are looked for."""
        return encoded(list(self.whole.routes)).decode()

    def _routes_of(self, site: AdaptedSite | None) -> Routes:
        return Routes(()) if site is None else site.errors if self.is_of_errors else site.routes

    def results(self) -> Iterator[Taken | Unreachable]:
        leaves = [list(leaves_of(self._routes_of(part.site).routes)) for part in self.parts]
        for number, found in enumerate(leaves):
            self.owners.add(number, found)
        taking = set[int]()
        for number, found in enumerate(leaves):
            # whoever takes requests is left out: what others do with it does not matter
            for result in self._results_of(number, found) if number not in taking else ():
                taking.update([result.number] if isinstance(result, Taken) else ())
                yield result

    def _results_of(self, number: int, leaves: Iterable[Leaf]) -> Iterator[Taken | Unreachable]:
        """What is taken from one member, and what of it comes too late."""
        routes, lost = self._routes_of(self.parts[number].site), dict[int, Taken]()
        late: Unreachable | None = None
        for leaf in (each for each in leaves if each.is_answer):
            samples = list(samples_of(routes, self.hosts, leaf, self.text, is_of_errors=self.is_of_errors))
            for sample in samples if number < len(self.parts) - 1 else ():
                for each in self._taken(number, sample):
                    lost.setdefault(id(each.newer), each)
            if number and late is None and samples:
                unreachable = [self._unreachable(number, sample) for sample in samples]
                late = unreachable[0] if None not in unreachable else None
        yield from lost.values()
        if late is not None:
            yield late

    def _taken(self, number: int, sample: Sample) -> Iterator[Taken]:
        """What newer members do with a request of this one."""
        taken, blocks = list[Event](), list[Event]()

        def skips(event: Event) -> bool:
            is_own = event.kind != "block" and any(is_joined(event.handler, each.handler) for each in sample.events)
            if is_own or any(each <= number for each in self.owners.of(event)):
                return False
            if event.kind == "values" and not _is_asked_for(event, sample.leaf):
                return False
            (blocks if event.kind == "block" else taken).append(event)
            return True

        decide = self._counting(number, sample, newer=True, files=False)
        Walk(self.whole, sample.request, decide, skips).run()
        if blocks and not taken:
            events = (
                Walk(self.whole, sample.request, decide, lambda each: each.kind != "block" and skips(each)).run().events
            )
            taken = [] if sample.is_answered_by(events) else blocks
        for event in taken:
            nested = (each for each in blocks if each.handler == BLOCKING)
            around = (each for each in nested if each.chain == event.chain[: len(each.chain)])
            yield from self._taken_by(number, next(around, event), event, sample)

    def _taken_by(self, number: int, named: Event, event: Event, sample: Sample) -> Iterator[Taken]:
        owners = self.owners.of(event) or self.owners.around(event.chain) or (len(self.parts) - 1,)
        older = self.parts[number].member
        mine = next((each for each in sample.events if not self._is_in_newer(number, each)), sample.events[-1])
        for each in owners:
            if each > number:
                yield Taken(self.parts[each].member, named, older, mine, each, self.is_of_errors)

    def _is_in_newer(self, number: int, event: Event) -> bool:
        return any(each > number for each in self.owners.around(event.chain))

    def _unreachable(self, number: int, sample: Sample) -> Unreachable | None:
        """What of older members a request comes to, so that it does not come to this one's handler."""
        events = Walk(self.whole, sample.request, self._counting(number, sample, newer=False, files=True)).run().events
        if any(each.chain == sample.leaf.chain and is_joined(each.handler, sample.leaf.handler) for each in events):
            return None
        for event in events:
            owners = self.owners.of(event)
            if owners and owners[0] < number and number not in owners and event.kind in _KEEPING:
                return Unreachable(self.parts[number].member, sample.leaf, self.parts[owners[0]].member, event)
        return None

    def _counting(self, number: int, sample: Sample, *, newer: bool, files: bool) -> Callable[[Chain, Json], bool]:
        """What counts as a match where only a real request shows it: `newer` members' matchers, and `files` of older ones."""

        def decide(chain: Chain, route: Json) -> bool:
            owners = list(self.owners.around(chain))
            if number in owners:
                return chain == sample.leaf.chain[: len(chain)]
            if not owners or min(owners) > number:
                return newer
            return files and any("file" in each for each in route.get("match") or ())

        return decide

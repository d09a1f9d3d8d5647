"""Sites that several resources share: who takes requests from whom, as Caddy evaluates the site that they make together."""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Protocol

from attrs import define, evolve, field, frozen

from dockcaddy import caddyfile
from dockcaddy.admission.conflicts.adapted import (
    IN_FILES,
    AdaptedSite,
    Content,
    SiteAdapter,
    content_of,
    is_of_file,
    readable,
    unknown_host,
)
from dockcaddy.admission.conflicts.comparison import Part, Taken, Unreachable, beyond_comparison, compared
from dockcaddy.admission.conflicts.conflict import Conflict, Group, Member, label_of
from dockcaddy.admission.conflicts.naming import described, line_of
from dockcaddy.admission.conflicts.neighbours import PathComparison
from dockcaddy.admission.conflicts.overlaps import Neighbours
from dockcaddy.admission.conflicts.walk import Event
from dockcaddy.admission.replicas import gives_way, without_superseded
from dockcaddy.caddyfile import PROXIES, Block, SiteAddress
from dockcaddy.caddyjson.definitions import Definitions
from dockcaddy.fragment import Section
from dockcaddy.model import Problem, Unreached

Members = Sequence[Member]
# options of `tls` that refuse some connections
_CONNECTION_OPTIONS = frozenset(("client_auth", "alpn", "protocols", "ciphers", "curves"))
_EFFECTS = {"root": "would change the file root of", "values": "would change what matchers look at of"}
_SITE = ("site",)


class Assembled(Protocol):
    """A whole Caddyfile as `merge` assembles it."""

    @property
    def conflicts(self) -> Sequence[Conflict]:
        """The conflicts that show in the text."""

    @property
    def shared(self) -> Mapping[Group, Members]:
        """The members of each group that several have, and of definitions."""

    @property
    def neighbours(self) -> Sequence[Neighbours]:
        """The sites of one host and port."""

    @property
    def sections(self) -> Sequence[Section]:
        """The top-level blocks, definitions first."""


@frozen
class Results:
    """What is found in one site: conflicts, and warnings about what no request comes to."""

    conflicts: tuple[Conflict, ...] = ()
    warnings: tuple[Problem, ...] = ()


@frozen
class _Shared:
    """A shared site: the contents of its parts, the oldest first, and that of the whole, and what was found in it."""

    members: Members
    parts: tuple[Content, ...]
    whole: Content
    results: Results = field(factory=Results, eq=False)


@define
class SharedSites:
    """Keeps what is found in each shared site, and looks only at those that changed."""

    adapter: SiteAdapter
    route_order: str = "caddy"
    allow_shadowing: bool = False
    _definitions: Definitions = field(factory=Definitions)
    _groups: Mapping[Group, Members] = field(factory=dict)
    _sites: dict[Group, _Shared] = field(factory=dict)
    _neighbours: dict[Neighbours, tuple[Conflict, ...]] = field(factory=dict)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What no request comes to."""
        return tuple(each for site in self._sites.values() for each in site.results.warnings)

    def conflicts_in(self, assembly: Assembled) -> Sequence[Conflict]:
        """The conflicts that show in the text; where there are none, those in what Caddy makes of it. Raises CaddyUnreachable."""
        groups = assembly.shared
        if assembly.conflicts or self.allow_shadowing:
            return assembly.conflicts
        if groups is self._groups:
            return self._conflicts
        before = self._groups
        changed = [group for group, members in groups.items() if before.get(group) is not members]
        changed += [] if before.keys() <= groups.keys() else [group for group in before if group not in groups]
        anew = any(isinstance(group, tuple) for group in changed)
        if anew:
            self._definitions = readable(assembly.sections)
        if changed:
            self._look_at({group: groups.get(group, ()) for group in (*changed, *(self._sites if anew else ()))})
        self._compare(assembly.neighbours, anew=anew)
        # only now: where Caddy does not answer, all of this is done again
        self._groups = groups
        return self._conflicts

    @property
    def _conflicts(self) -> tuple[Conflict, ...]:
        shared = (each for site in self._sites.values() for each in site.results.conflicts)
        return (*shared, *chain.from_iterable(self._neighbours.values()))

    def _look_at(self, groups: Mapping[Group, Members]) -> None:
        made: dict[Group, _Shared] = {
            group: self._contents(members)
            for group, members in groups.items()
            if isinstance(group, frozenset) and len(members) > 1 and not are_replicas(members)
        }
        new = {group: each for group, each in made.items() if self._sites.get(group) != each}
        wholes = self.adapter.adapted((each.whole for each in new.values()), self._definitions)
        accepted = (each for each in new.values() if wholes[each.whole] is not None)
        parts = self.adapter.adapted((part for each in accepted for part in each.parts), self._definitions)
        found = {group: self._found_in(group, each, {**wholes, **parts}) for group, each in new.items()}
        for group in groups.keys() - made.keys():
            self._sites.pop(group, None)
        self._sites.update(found)

    def _found_in(self, group: Group, shared: _Shared, sites: Mapping[Content, AdaptedSite | None]) -> _Shared:
        if sites[shared.whole] is None:
            return evolve(shared, results=self._clash(shared))
        return evolve(shared, results=_results(shared, sites, _hosts(group), self._definitions))

    def _clash(self, shared: _Shared) -> Results:
        """The conflict of the oldest member whose lines Caddy refuses beside those of older ones, but not alone.

        What it refuses alone, it refuses as part of the configuration too, and says why.
        """

        def oldest(count: int) -> Content:
            return content_of(self._merged(shared.members[:count]).children, self._definitions)

        def is_refused(count: int) -> bool:
            return self._is_refused(oldest(count))

        before = bisect_left(range(1, len(shared.members)), True, key=is_refused)
        if not before or self._is_refused(shared.parts[before]):
            return Results()
        what = "caddy refuses its site together with that of"
        reason = self.adapter.reason(oldest(before + 1), self._definitions)
        return Results((shared.members[before].conflict(what, shared.members[0], remedy=reason),))

    def _is_refused(self, content: Content) -> bool:
        return self.adapter.adapted([content], self._definitions)[content] is None

    def _compare(self, neighbours: Sequence[Neighbours], *, anew: bool) -> None:
        known = {} if anew else self._neighbours
        new = [each for each in neighbours if each not in known]
        around = dict.fromkeys(site for each in new for site in (each.newer, each.older))
        contents = {site: content_of(self._merged(site.members).children, self._definitions) for site in around}
        sites = self.adapter.adapted(contents.values(), self._definitions)
        comparison = PathComparison(
            {site: made for site, each in contents.items() if (made := sites[each]) is not None}
        )
        found = {each: tuple(comparison.conflicts(each)) for each in new}
        self._neighbours = {each: known.get(each, found.get(each, ())) for each in neighbours}

    def _contents(self, members: Members) -> _Shared:
        members = sorted(members, key=lambda each: each.age)
        whole = self._merged(members)
        matchers = {line.keys[0]: line for line in whole.children if line.keys and line.keys[0].startswith("@")}
        parts = [content_of(self._lines_alone(member, matchers, whole), self._definitions) for member in members]
        return _Shared(tuple(members), tuple(parts), content_of(whole.children, self._definitions))

    def _merged(self, members: Iterable[Member]) -> Block:
        in_order = sorted(members, key=lambda each: each.age[1])
        blocks = [evolve(block, keys=_SITE) for each in in_order for block in each.blocks]
        (merged,) = caddyfile.sort(map(without_superseded, caddyfile.merge(blocks)), self.route_order)
        return merged

    def _lines_alone(self, member: Member, lent: Mapping[str, Block], whole: Block) -> Sequence[Block]:
        """The lines of one member's site, with the matchers of others that it uses."""
        alone = self._merged([member]).children
        own = [line for line in alone if not (gives_way(line) and line not in whole.children)]
        used = {key for line in caddyfile.all_blocks(own) for key in line.keys if key.startswith("@")}
        missing = used - {line.keys[0] for line in own if line.keys}
        return (*(lent[name] for name in sorted(missing & lent.keys())), *own)


def are_replicas(members: Members) -> bool:
    """Whether the members of a site say the same, but for the upstreams of their proxies."""
    first, *others = (frozenset(_without_upstreams(each)) for each in members)
    return all(each == first for each in others)


def _without_upstreams(member: Member) -> Iterator[Hashable]:
    return (_line_without_upstreams(line) for block in member.blocks for line in block.children)


def _line_without_upstreams(line: Block) -> Hashable:
    is_proxy = bool(line.keys) and line.keys[0] in PROXIES
    keys = caddyfile.merge_key(line.keys) if is_proxy else line.keys
    return keys, line.order, tuple(map(_line_without_upstreams, line.children))


def _hosts(group: Group) -> frozenset[str]:
    addresses = group if isinstance(group, frozenset) else ()
    hosts = (str(each[1]) if isinstance(each, tuple) else SiteAddress.parse(str(each)).host for each in addresses)
    return frozenset(unknown_host(host).lower() for host in hosts)


def _results(
    shared: _Shared, sites: Mapping[Content, AdaptedSite | None], hosts: frozenset[str], definitions: Definitions
) -> Results:
    whole = sites[shared.whole]
    assert whole is not None
    parts = [Part(member, sites[content]) for member, content in zip(shared.members, shared.parts, strict=True)]
    what = "it cannot be compared in time with all older routes and may take requests from"
    if late := [each.conflict(what, parts[0].member) for each in beyond_comparison(parts)]:
        return Results(tuple(late))
    conflicts = [*_refused_alone(parts), *_reading_files(shared.members, definitions), *_cutting_off(parts, whole)]
    left_out = {each.fragment for each in conflicts}
    operators = {each.fragment.key for each in shared.members if each.fragment.is_operators}
    warnings: dict[str, Problem] = {}
    for found in compared(parts, whole, hosts):
        if isinstance(found, Unreachable) and not _is_expected(found):
            warnings.setdefault(found.member.fragment.key, _warning(found))
        elif isinstance(found, Taken) and found.newer.fragment.key not in left_out and not _is_of_a_replica(found):
            left_out.add(found.newer.fragment.key)
            conflicts.append(_conflict(found))
    # the operator's own text is never left out
    conflicts = [each for each in conflicts if each.fragment not in operators]
    return Results(tuple(conflicts), tuple(each for key, each in warnings.items() if key not in left_out))


def _is_expected(found: Unreachable) -> bool:
    """Whether it is the page of a container that has stopped, or nobody knows what is in a file that comes first."""
    return found.member.fragment.is_page or found.event.handler.get("body") == IN_FILES


def _reading_files(members: Members, definitions: Definitions) -> Iterator[Conflict]:
    """A conflict for each newer member that imports files of its own: only Caddy sees what is in them."""
    known = set[tuple[str, ...]]()
    for member in members:
        lines = [line for line in caddyfile.all_blocks(member.blocks) if line.keys[:1] == ("import",)]
        found = next((each for each in lines if each.keys not in known and _is_from_files(each, definitions)), None)
        if found is not None and member is not members[0]:
            yield member.conflict("import may take requests from", members[0], label_of(found))
        known.update(line.keys for line in lines)


def _is_from_files(line: Block, definitions: Definitions) -> bool:
    inside = caddyfile.all_blocks(definitions.blocks(definitions.used_by((line,))))
    return any(is_of_file(each, definitions) for each in (line, *inside))


def _refused_alone(parts: Sequence[Part]) -> Iterator[Conflict]:
    """A conflict for each newer member that Caddy takes only together with others: nobody can tell what is whose."""
    for part in parts[1:]:
        if part.site is None:
            yield part.member.conflict("caddy refuses it alone, so that it cannot be compared with", parts[0].member)


def _cutting_off(parts: Sequence[Part], whole: AdaptedSite) -> Iterator[Conflict]:
    """A conflict where a newer member restricts who can reach an older one's site: other listeners, stricter TLS."""
    oldest, owner = parts[0].site, parts[0].member
    if oldest is None:
        return
    listeners, tls = whole.listeners - oldest.listeners, whole.tls - oldest.tls
    for part in parts[1:]:
        if part.site is not None and (
            not listeners.isdisjoint(part.site.listeners) or not tls.isdisjoint(part.site.tls)
        ):
            names = frozenset(("bind",)) if listeners & part.site.listeners else _CONNECTION_OPTIONS
            line = _first(part.member, names)
            what = f"{line.keys[0] if line.keys[0] in names else 'tls'} would cut off clients of"
            yield part.member.conflict(what, owner, label_of(line))


def _first(member: Member, names: frozenset[str]) -> Block:
    lines = [line for line in caddyfile.all_blocks(member.fragment.blocks) if line.keys]
    named = (line for line in lines if line.keys[0] in names)
    imported = (line for line in lines if line.keys[0] == "import")
    return next(named, None) or next(imported, member.blocks[0])


def _conflict(taken: Taken) -> Conflict:
    name, label = described(taken.newer, taken.event)
    _, theirs = described(taken.older, taken.lost)
    name = "handle_errors" if taken.is_of_errors else name
    is_root = taken.event.handler["handler"] == "vars" and taken.event.kind != "values"
    effect = _EFFECTS.get("root" if is_root else taken.event.kind)
    remedy = "" if effect else "use another address or path"
    what = f"{name} {effect or 'would take requests from'}"
    return taken.newer.conflict(what, taken.older, label, their_label=theirs, remedy=remedy)


def _is_of_a_replica(taken: Taken) -> bool:
    """Whether it is a proxy that an unhealthy replica, the older one, would have too, by the same label."""
    line = line_of(taken.event, taken.newer.blocks)
    labels = {origin.label for origin in line.origins} if line is not None and line.keys[0] in PROXIES else set()
    templates = {(label, template) for label, template in taken.newer.fragment.conditional if label in labels}
    return bool(templates) and templates <= taken.older.fragment.conditional


def _warning(found: Unreachable) -> Problem:
    leaf = Event("answer", found.leaf.handler, found.leaf.chain)
    name, label = described(found.member, leaf)
    theirs, their_label = described(found.older, found.event)
    where = f" (label {their_label})" if their_label else ""
    does, remedy, owner = "handles", "use handle or handle_path with a path of its own", found.older.fragment.owner
    if found.event.kind == "rewrite":
        does, remedy = "rewrites", f"put {theirs} of {owner} into a handle block"
    message = f"no request comes to {name}, because {theirs} of {owner}{where} {does} all of them first: {remedy}"
    return Unreached(found.member.fragment.owner, label, message, "warning")

"""What two resources cannot both have: the older keeps it, the newer is told whom it conflicts with. Pure."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence, Sized
from itertools import chain, filterfalse
from typing import TypeVar

from attrs import define, field

from dockcaddy import caddyfile
from dockcaddy.admission.conflicts.conflict import Conflict, Group, Member, label_of
from dockcaddy.admission.conflicts.contradictions import contradictions
from dockcaddy.admission.conflicts.definitions import Definitions
from dockcaddy.admission.conflicts.listeners import Listeners, Options
from dockcaddy.admission.conflicts.matchers import Matchers
from dockcaddy.admission.conflicts.overlaps import Below, HostAndPort, Site, overlapping
from dockcaddy.admission.conflicts.routes import Reader, takeovers
from dockcaddy.admission.conflicts.size import Size, crowding, size_of
from dockcaddy.caddyfile import Block
from dockcaddy.model import Problem

__all__ = ["Conflict", "Conflicts", "Member"]

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept", bound=Sized)


@define
class Conflicts:
    """Keeps the conflicts of a configuration, and looks again only at what may have changed.

    With `allow_shadowing` a newer resource may answer what an older one of the same site answers.
    """

    allow_shadowing: bool = False
    _shared: dict[Group, Sequence[Member]] = field(factory=dict)
    _sites: dict[Group, Site] = field(factory=dict)
    _by_host: dict[HostAndPort, set[Site]] = field(factory=lambda: defaultdict(set))
    _large: dict[str, Size] = field(factory=dict)
    _contradictions: dict[Group, tuple[Conflict, ...]] = field(factory=dict)
    _hidden: dict[Group, tuple[Conflict, ...]] = field(factory=dict)
    _within: dict[Group, tuple[Conflict, ...]] = field(factory=dict)
    _between: dict[HostAndPort, tuple[Conflict, ...]] = field(factory=dict)
    _listeners: Listeners = field(factory=Listeners)
    _unread: tuple[set[Group], set[HostAndPort]] = field(factory=lambda: (set(), set()))

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """The conflicts to be settled next, a fragment may have several: what conflicts with others counts for nothing else."""
        kept = (self._hidden, self._contradictions, self._within, self._between)
        found = (*chain.from_iterable(chain(*(each.values() for each in kept))), *self._listeners.conflicts)
        return found or self._explosions or tuple(crowding(self._large.values()))

    @property
    def _explosions(self) -> tuple[Conflict, ...]:
        return tuple(conflict for size in self._large.values() for conflict in size.conflicts)

    def update(self, changed: Mapping[Group, Collection[Member]], gone: Iterable[str] = ()) -> None:
        """Take over groups that have other members now, none where a group is gone, and the keys of gone fragments."""
        groups, hosts = set(changed), set[HostAndPort]()
        for group, members in changed.items():
            hosts |= self._put(group, sorted(members, key=lambda member: member.age))
        if () in changed:
            moved = self._know_options()
            if moved is not None:
                hosts |= moved
                groups |= self._sites.keys()
        if any(map(_is_referred_to, changed)):
            referring = {group: site for group, site in self._sites.items() if site.refers}
            groups |= referring.keys() | {()}
            hosts = hosts.union(*(site.places for site in referring.values()))
        definitions = self._definitions()
        for key in gone:
            self._large.pop(key, None)
        concerned = {member.fragment.key: member for group in groups for member in self._members(group)}
        matchers_of = self._matchers_by(definitions)
        for key, member in concerned.items():
            _keep(self._large, key, size_of(member, definitions, matchers_of))
        for group in filter(_is_referred_to, groups):
            _keep(self._contradictions, group, tuple(contradictions(self._members(group))))
        self._read(groups, hosts, definitions)

    def _read(self, groups: set[Group], hosts: set[HostAndPort], definitions: Definitions) -> None:
        """Look who answers what, with everything imported: not before what would grow beyond measure is left out."""
        self._unread[0].update(groups)
        self._unread[1].update(hosts)
        is_bounded, below = not self._explosions, Below(definitions)
        # what is only referred to may grow beyond measure as long as nobody does refer to it
        for group in filterfalse(_is_referred_to, self._unread[0]):
            _keep(self._hidden, group, tuple(self._sites_of_snippets(group, definitions)))
            self._compare(group, [definitions.written_out(each) for each in self._members(group)] if is_bounded else ())
        for host in self._unread[1]:
            _keep(self._between, host, tuple(self._clashes_at(host, below)) if is_bounded else ())
        if is_bounded:
            self._unread = set(), set()

    def _put(self, group: Group, members: Sequence[Member]) -> set[HostAndPort]:
        """Know the group's members; gives the hosts and ports of its addresses."""
        if not isinstance(group, frozenset):
            _keep(self._shared, group, members)
            return set()
        addresses = [address for address in group if isinstance(address, tuple)]
        own = {(host, self._listeners.options.default_of(port)) for host, port in _places(addresses)}
        before, site = self._sites.pop(group, None), Site(members, addresses, own, self._redirecting(own))
        for host in site.places:
            if before is not None:
                self._by_host[host].discard(before)
            if members:
                self._by_host[host].add(site)
        if members:
            self._sites[group] = site
        return set(site.places)

    def _redirecting(self, own: set[HostAndPort]) -> set[HostAndPort]:
        """From where Caddy sends visitors to https at these."""
        return (
            {(host, "80") for host, port in own if port == "443"} - own if self._listeners.options.redirects else set()
        )

    def _know_options(self) -> set[HostAndPort] | None:
        """Where the global options say that 8080 is for HTTP, addresses with that port are the same as those without.

        Gives the hosts and ports at which sites may be others by now; None where the options are as before.
        """
        options = Options.of(_lines(self._shared.get((), ())))
        if options == self._listeners.options:
            return None
        self._listeners = Listeners(options)
        known, self._sites = self._sites, {}
        self._by_host.clear()
        self._between.clear()
        return set().union(*(self._put(group, site.members) for group, site in known.items()))

    def _members(self, group: Group) -> Sequence[Member]:
        site = self._sites.get(group)
        return site.members if site is not None else self._shared.get(group, ())

    def _matchers_by(self, definitions: Definitions) -> Callable[[Block], Matchers]:
        """Gives the matchers of the site that a block belongs to."""
        known: dict[Group, Matchers] = {}

        def matchers_of(block: Block) -> Matchers:
            group = caddyfile.group_key(block)
            if group not in known:
                blocks = [block for member in self._members(group) for block in member.blocks]
                known[group] = Matchers(blocks, definitions)
            return known[group]

        return matchers_of

    def _definitions(self) -> Definitions:
        """Snippets are named `(so)`, named routes `&(so)`."""
        makers = {group[0]: members for group, members in self._shared.items() if isinstance(group, tuple) and group}
        return Definitions(
            {name[1:-1]: _lines(members) for name, members in makers.items() if name.startswith("(")},
            {name[2:-1]: _lines(members) for name, members in makers.items() if name.startswith("&(")},
            makers,
        )

    def _compare(self, group: Group, members: Sequence[Member]) -> None:
        """Look what the members of a group say otherwise, or answer instead of each other; they are written out."""
        _keep(self._contradictions, group, tuple(contradictions(members)))
        if isinstance(group, frozenset):
            self._listeners.put(group, members)
        lost = {conflict.fragment for conflict in self._contradictions.get(group, ())}
        staying = [member for member in members if member.fragment.key not in lost]
        site = None if self.allow_shadowing else self._sites.get(group)
        _keep(self._within, group, tuple(takeovers(staying, Reader(site.hosts))) if site is not None else ())

    def _sites_of_snippets(self, group: Group, definitions: Definitions) -> Iterator[Conflict]:
        """Where a resource has a snippet make its sites, so that nobody could tell whose they are."""
        for member in self._members(group):
            found = next((block for block in member.blocks if definitions.imported(block) is not None), None)
            if found is not None and not member.fragment.is_operators and not self.allow_shadowing:
                reason = f"the site is made by the snippet ({found.keys[1]}): write its address in a label of its own"
                yield Conflict(member.fragment.key, Problem(member.fragment.owner, label_of(found), reason))

    def _clashes_at(self, host: HostAndPort, below: Below) -> Iterable[Conflict]:
        sites = self._by_host[host]
        if not sites:
            del self._by_host[host]
        return overlapping(host, sorted(sites, key=_age), below) if len(sites) > 1 and not self.allow_shadowing else ()


def _is_referred_to(group: Group) -> bool:
    """Whether it is that of a snippet or of a named route."""
    return isinstance(group, tuple) and group != ()


def _places(addresses: Iterable[tuple[str, str, str, str]]) -> Iterator[HostAndPort]:
    return ((host, port) for _, host, port, _ in addresses)


def _keep(where: dict[Key, Kept], key: Key, found: Kept) -> None:
    if found:
        where[key] = found
    else:
        where.pop(key, None)


def _lines(members: Iterable[Member]) -> tuple[Block, ...]:
    return tuple(line for member in members for block in member.blocks for line in block.children)


def _age(site: Site) -> tuple[int, int]:
    return site.oldest.age

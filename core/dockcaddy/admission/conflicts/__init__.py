"""Conflicts between resources; the older resource wins.

`Conflicts` finds those that show in the text, and is pure. `SharedSites` finds who takes requests from whom in sites that
several resources share, as Caddy reads them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain

from attrs import define, field

from dockcaddy.admission.conflicts.conflict import Conflict, Group, Member, label_of
from dockcaddy.admission.conflicts.contradictions import contradictions
from dockcaddy.admission.conflicts.overlaps import HostAndPort, Neighbours, Site, overlapping
from dockcaddy.admission.conflicts.size import Definers, Size, is_usual, over_capacity, size_of
from dockcaddy.caddyfile import Block, ListenPorts, global_options, option_values
from dockcaddy.incremental import keep
from dockcaddy.model import Problem

__all__ = ["Conflict", "Conflicts", "Member", "Neighbours"]


@define
class Conflicts:
    """Keeps the conflicts that show in the text of a configuration, and compares only what may have changed.

    With `allow_shadowing` newer resources may take requests from older ones of the same site.
    """

    allow_shadowing: bool = False
    _shared: dict[Group, Sequence[Member]] = field(factory=dict)
    _sites: dict[Group, Site] = field(factory=dict)
    _by_host: dict[HostAndPort, list[Site]] = field(factory=lambda: defaultdict(list))
    _sizes: dict[str, Size] = field(factory=dict)
    _contradictions: dict[Group, tuple[Conflict, ...]] = field(factory=dict)
    _overlaps: dict[HostAndPort, tuple[Conflict | Neighbours, ...]] = field(factory=dict)
    _ports: ListenPorts = field(factory=ListenPorts)
    _redirects: bool = True

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """The conflicts to resolve next. A fragment may have several; one that is left out cannot be too large as well."""
        overlaps = (each for each in chain.from_iterable(self._overlaps.values()) if isinstance(each, Conflict))
        found = (*chain.from_iterable(self._contradictions.values()), *overlaps)
        oversized = (size.conflict for size in self._sizes.values() if size.conflict is not None)
        return found or tuple(oversized) or tuple(over_capacity(self._sizes.values()))

    @property
    def neighbours(self) -> tuple[Neighbours, ...]:
        """The sites of one host and port."""
        return tuple(each for each in chain.from_iterable(self._overlaps.values()) if isinstance(each, Neighbours))

    def update(self, changed: Mapping[Group, Collection[Member]], left: Iterable[str] = ()) -> None:
        """Update groups whose members changed (none where a group is gone).

        `left` are the keys of the fragments that are gone, or are others now.
        """
        groups, hosts = dict.fromkeys(changed), set[HostAndPort]()
        for group, members in changed.items():
            hosts |= self._put(group, tuple(sorted(members, key=lambda member: member.age)))
        if () in changed:
            moved = self._update_options()
            if moved is not None:
                hosts |= moved
                groups |= dict.fromkeys(self._sites)
        definers = self._definers()
        if any(isinstance(group, tuple) and group for group in changed):
            groups |= dict.fromkeys([*(group for group, site in self._sites.items() if site.refers), ()])
        for key in left:
            self._sizes.pop(key, None)
        self._measure(groups, definers)
        for group in groups:
            self._compare_members(group, self._members(group), definers)
        for host in sorted(hosts):
            keep(self._overlaps, host, tuple(self._overlaps_at(host)))

    def _measure(self, groups: Iterable[Group], definers: Definers) -> None:
        """Find out how large the fragments of these groups are."""

        @cache
        def matchers_of(group: Group) -> Mapping[str, Block]:
            return definers.matchers(block for member in self._members(group) for block in member.blocks)

        for key, member in {each.fragment.key: each for group in groups for each in self._members(group)}.items():
            self._sizes.pop(key, None)
            is_alone = all(len(self._members(group)) < 2 for group in member.fragment.group_keys)
            if is_usual(member.fragment, is_alone=is_alone):
                continue
            size = size_of(member, definers, matchers_of)
            if size is not None:
                self._sizes[key] = size

    def _put(self, group: Group, members: Sequence[Member]) -> set[HostAndPort]:
        """Replace the members of a group; gives the hosts and ports that may be affected."""
        if not isinstance(group, frozenset):
            keep(self._shared, group, members)
            return set()
        # tuples: of thousands of sites, sets of one address each take megabytes
        addresses = tuple([address for address in group if isinstance(address, tuple)])
        own = {(host, self._default_port(port)) for _, host, port, _ in addresses}
        before = self._sites.pop(group, None)
        site = Site(members, addresses, tuple(own), tuple(self._redirecting(own)))
        for host in site.places:
            if before is not None:
                self._by_host[host].remove(before)
            if members:
                self._by_host[host].append(site)
        if members:
            self._sites[group] = site
        return set(site.places)

    def _redirecting(self, own: set[HostAndPort]) -> set[HostAndPort]:
        """The hosts and ports from which Caddy redirects to HTTPS at these."""
        return {(host, "80") for host, port in own if port == "443"} - own if self._redirects else set()

    def _default_port(self, port: str) -> str:
        """The port that an address has anyway where it names this one: 80 for the port of HTTP, 443 for that of HTTPS."""
        return {str(self._ports.http): "80", str(self._ports.https): "443"}.get(port, port)

    def _update_options(self) -> set[HostAndPort] | None:
        """Read the global options again: with `http_port 8080`, addresses with that port equal those without one.

        Gives the hosts and ports that may be affected; None where the options are as before.
        """
        blocks = [block for member in self._shared.get((), ()) for block in member.blocks]
        automatic = frozenset(option_values(global_options(blocks)).get("auto_https", ()))
        ports, redirects = ListenPorts.of(blocks), automatic.isdisjoint(("off", "disable_redirects"))
        if (ports, redirects) == (self._ports, self._redirects):
            return None
        self._ports, self._redirects = ports, redirects
        known, self._sites = self._sites, {}
        self._by_host.clear()
        self._overlaps.clear()
        return set().union(*(self._put(group, site.members) for group, site in known.items()))

    def _members(self, group: Group) -> Sequence[Member]:
        site = self._sites.get(group)
        return site.members if site is not None else self._shared.get(group, ())

    def _definers(self) -> Definers:
        groups = self._shared.items()
        return Definers({group[0]: members for group, members in groups if isinstance(group, tuple) and group})

    def _compare_members(self, group: Group, members: Sequence[Member], definers: Definers) -> None:
        """Find contradictions among the members of a group, and sites that snippets define."""
        made = self._sites_of_snippets(members, definers) if isinstance(group, frozenset) else ()
        keep(self._contradictions, group, (*made, *contradictions(members)))

    def _sites_of_snippets(self, members: Iterable[Member], definers: Definers) -> Iterator[Conflict]:
        """A conflict for each resource whose sites are defined by a snippet, because their owner would be unknown."""
        for member in members:
            found = next(((block, name) for block in member.blocks if (name := definers.used_by(block))), None)
            if found is not None and not member.fragment.is_operators and not self.allow_shadowing:
                reason = f"the site is defined by the snippet {found[1]}: write its address in a label of its own"
                yield Conflict(member.fragment.key, Problem(member.fragment.owner, label_of(found[0]), reason))

    def _overlaps_at(self, host: HostAndPort) -> Iterable[Conflict | Neighbours]:
        sites = self._by_host[host]
        if not sites:
            del self._by_host[host]
        in_order = sorted(sites, key=lambda site: site.oldest.age)
        return overlapping(host, in_order) if len(sites) > 1 and not self.allow_shadowing else ()

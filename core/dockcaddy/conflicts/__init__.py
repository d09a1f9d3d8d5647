"""What two resources cannot both have: the older keeps it, the newer is told whom it clashes with. Pure."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence, Sized
from itertools import chain
from typing import TypeVar

from attrs import define, field

from dockcaddy.caddyfile import Block
from dockcaddy.conflicts.answers import Reader, takeovers
from dockcaddy.conflicts.claims import contradictions
from dockcaddy.conflicts.clash import Clash, Group, Member
from dockcaddy.conflicts.neighbours import Site, overlaps
from dockcaddy.conflicts.snippets import Snippets, explosions

__all__ = ["Clash", "Conflicts", "Member"]

HostAndPort = tuple[str, str]
Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept", bound=Sized)


@define
class Conflicts:
    """Keeps the clashes of a configuration, and looks again only at what may have changed."""

    _definitions: dict[Group, Sequence[Member]] = field(factory=dict)
    _sites: dict[Group, Site] = field(factory=dict)
    _by_host: dict[HostAndPort, set[Group]] = field(factory=lambda: defaultdict(set))
    _within: dict[Group, tuple[Clash, ...]] = field(factory=dict)
    _between: dict[HostAndPort, tuple[Clash, ...]] = field(factory=dict)

    @property
    def clashes(self) -> tuple[Clash, ...]:
        """Every clash there is; a fragment may have several."""
        return tuple(chain(*self._within.values(), *self._between.values()))

    def update(self, changed: Mapping[Group, Collection[Member]]) -> None:
        """Take over groups that have other members now; none where a group is gone."""
        groups, hosts = set(changed), set[HostAndPort]()
        for group, members in changed.items():
            hosts |= self._put(group, sorted(members, key=lambda member: member.age))
        if not all(isinstance(group, frozenset) for group in changed):
            # what any site says may be changed by a snippet or an option
            groups |= self._sites.keys()
            hosts |= self._by_host.keys()
        snippets = self._snippets()
        for group in groups:
            _keep(self._within, group, tuple(self._clashes_within(group, snippets)))
        for host in hosts:
            _keep(self._between, host, tuple(self._clashes_at(host, snippets)))

    def _put(self, group: Group, members: Sequence[Member]) -> set[HostAndPort]:
        """Know the group's members; gives the hosts and ports of its addresses."""
        if not isinstance(group, frozenset):
            _keep(self._definitions, group, members)
            return set()
        site = Site(members, [address for address in group if isinstance(address, tuple)])
        hosts = {(host, port) for _, host, port, _ in site.addresses}
        for host in hosts:
            self._by_host[host].add(group)
        self._sites[group] = site
        if not members:
            del self._sites[group]
            for host in hosts:
                self._by_host[host].discard(group)
        return hosts

    def _snippets(self) -> Snippets:
        return Snippets(
            {
                group[0][1:-1]: _lines(members)
                for group, members in self._definitions.items()
                if isinstance(group, tuple) and group and group[0].startswith("(")
            }
        )

    def _clashes_within(self, group: Group, snippets: Snippets) -> Iterator[Clash]:
        site = self._sites.get(group)
        members = site.members if site is not None else self._definitions.get(group, ())
        yield from explosions(members, snippets)
        if len(members) > 1:
            yield from contradictions(members)
            if site is not None:
                yield from takeovers(members, Reader(snippets, site.hosts))

    def _clashes_at(self, host: HostAndPort, snippets: Snippets) -> Iterable[Clash]:
        sites = [self._sites[group] for group in self._by_host[host]]
        return overlaps(sorted(sites, key=_age), snippets) if len(sites) > 1 else ()


def _keep(where: dict[Key, Kept], key: Key, found: Kept) -> None:
    if found:
        where[key] = found
    else:
        where.pop(key, None)


def _lines(members: Iterable[Member]) -> tuple[Block, ...]:
    return tuple(line for member in members for block in member.blocks for line in block.children)


def _age(site: Site) -> tuple[int, int]:
    return site.oldest.age

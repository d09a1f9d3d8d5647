"""Conflicts between resources; the older resource wins.

`Conflicts` finds those that show in the text, and is pure. `SharedSites` finds who takes requests from whom in sites that
several resources share, as Caddy reads them.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from attrs import define, field

from dockcaddy import caddyfile
from dockcaddy.admission.conflicts.conflict import Conflict, Group, Member, label_of
from dockcaddy.admission.conflicts.contradictions import contradictions
from dockcaddy.admission.conflicts.definitions import Definitions
from dockcaddy.admission.conflicts.matchers import Matchers
from dockcaddy.admission.conflicts.overlaps import HostAndPort, Neighbours, Site, overlapping
from dockcaddy.admission.conflicts.size import Size, over_capacity, size_of
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
    _made_by_snippets: dict[Group, tuple[Conflict, ...]] = field(factory=dict)
    _overlaps: dict[HostAndPort, tuple[Conflict | Neighbours, ...]] = field(factory=dict)
    _ports: ListenPorts = field(factory=ListenPorts)
    _redirects: bool = True

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """The conflicts to resolve next. A fragment may have several; one that is left out cannot be too large as well."""
        kept = (self._made_by_snippets, self._contradictions)
        overlaps = (each for each in chain.from_iterable(self._overlaps.values()) if isinstance(each, Conflict))
        found = (*chain.from_iterable(chain(*(each.values() for each in kept))), *overlaps)
        return found or self._oversized or tuple(over_capacity(self._sizes.values()))

    @property
    def neighbours(self) -> tuple[Neighbours, ...]:
        """The sites of one host and port."""
        return tuple(each for each in chain.from_iterable(self._overlaps.values()) if isinstance(each, Neighbours))

    @property
    def _oversized(self) -> tuple[Conflict, ...]:
        return tuple(conflict for size in self._sizes.values() for conflict in size.conflicts)

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
        definitions = self._definitions()
        if any(map(_is_definition, changed)):
            groups |= dict.fromkeys([*(group for group, site in self._sites.items() if site.refers), ()])
        for key in left:
            self._sizes.pop(key, None)
        concerned = {member.fragment.key: member for group in groups for member in self._members(group)}
        matchers_of = self._matchers_by(definitions)
        for key, member in concerned.items():
            keep(self._sizes, key, size_of(member, definitions, matchers_of))
        for group in groups:
            self._compare_members(group, self._members(group), definitions)
        for host in sorted(hosts):
            keep(self._overlaps, host, tuple(self._overlaps_at(host)))

    def _put(self, group: Group, members: Sequence[Member]) -> set[HostAndPort]:
        """Replace the members of a group; gives the hosts and ports that may be affected."""
        if not isinstance(group, frozenset):
            keep(self._shared, group, members)
            return set()
        # tuples: of thousands of sites, sets of one address each take megabytes
        addresses = tuple([address for address in group if isinstance(address, tuple)])
        own = {(host, self._default_port(port)) for host, port in _places(addresses)}
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

    def _matchers_by(self, definitions: Definitions) -> Callable[[Block], Matchers]:
        """A function that gives the matchers of the site that a block belongs to."""
        known: dict[Group, Matchers] = {}

        def matchers_of(block: Block) -> Matchers:
            group = caddyfile.group_key(block)
            if group not in known:
                blocks = [block for member in self._members(group) for block in member.blocks]
                known[group] = Matchers(blocks, definitions)
            return known[group]

        return matchers_of

    def _definitions(self) -> Definitions:
        """The snippets, `(name)`, and named routes, `&(name)`."""
        definers = {group[0]: members for group, members in self._shared.items() if isinstance(group, tuple) and group}
        return Definitions(
            {name[1:-1]: _lines(members) for name, members in definers.items() if name.startswith("(")},
            {name[2:-1]: _lines(members) for name, members in definers.items() if name.startswith("&(")},
            definers,
        )

    def _compare_members(self, group: Group, members: Sequence[Member], definitions: Definitions) -> None:
        """Find contradictions among the members of a group, and sites that snippets define."""
        keep(self._contradictions, group, tuple(contradictions(members)))
        if isinstance(group, frozenset):
            keep(self._made_by_snippets, group, tuple(self._sites_of_snippets(group, definitions)))

    def _sites_of_snippets(self, group: Group, definitions: Definitions) -> Iterator[Conflict]:
        """A conflict for each resource whose sites are defined by a snippet, because their owner would be unknown."""
        for member in self._members(group):
            found = next((block for block in member.blocks if definitions.imported(block) is not None), None)
            if found is not None and not member.fragment.is_operators and not self.allow_shadowing:
                reason = (
                    f"the site is defined by the snippet ({found.keys[1]}): write its address in a label of its own"
                )
                yield Conflict(member.fragment.key, Problem(member.fragment.owner, label_of(found), reason))

    def _overlaps_at(self, host: HostAndPort) -> Iterable[Conflict | Neighbours]:
        sites = self._by_host[host]
        if not sites:
            del self._by_host[host]
        return overlapping(host, sorted(sites, key=_age)) if len(sites) > 1 and not self.allow_shadowing else ()


def _is_definition(group: Group) -> bool:
    """Whether it is the group of a snippet or of a named route."""
    return isinstance(group, tuple) and group != ()


def _places(addresses: Iterable[tuple[str, str, str, str]]) -> Iterator[HostAndPort]:
    return ((host, port) for _, host, port, _ in addresses)


def _lines(members: Iterable[Member]) -> tuple[Block, ...]:
    return tuple(line for member in members for block in member.blocks for line in block.children)


def _age(site: Site) -> tuple[int, int]:
    return site.oldest.age

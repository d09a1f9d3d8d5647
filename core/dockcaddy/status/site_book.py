"""The sites of the last pass, with their conditions. Only those that changed are looked at again. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from attrs import define, evolve, field, frozen

from dockcaddy.caddy.upstreams import dial_of
from dockcaddy.caddyfile import Block, ListenPorts, has_tls, is_site
from dockcaddy.fragment import Section
from dockcaddy.incremental import Difference
from dockcaddy.merge.assembly import Assembly
from dockcaddy.narration.live import LiveSite, Upstream, live_site
from dockcaddy.status.dates import Dates
from dockcaddy.status.index import Index
from dockcaddy.status.model import ResourceStatus, SiteStatus
from dockcaddy.status.resource_book import Changed
from dockcaddy.status.resources import Facts
from dockcaddy.status.sites import Surroundings, host_of, served, unserved


@frozen(eq=False)
class _Served:
    """A site of the configuration."""

    section: Section
    live: LiveSite
    addresses: tuple[str, ...]


@define(eq=False)
class SiteBook:
    """All sites by name, those that are not served included. `made` counts how many were looked at.

    `environment` is Caddy's, where it is known.
    """

    prefix: str
    environment: Mapping[str, str] | None = None
    statuses: dict[str, SiteStatus] = field(factory=dict)
    by_owner: Index = field(factory=Index)
    made: int = 0
    _sections: tuple[Section, ...] | None = None
    _served: dict[str, _Served] = field(factory=dict)
    # whether there are several with one name
    _has_twins: bool = False
    _unserved: dict[str, tuple[str, ...]] = field(factory=dict)
    _there: set[str] = field(factory=set)
    _by_address: Index = field(factory=Index)
    _ports: ListenPorts = field(factory=ListenPorts)
    _around: Surroundings | None = None

    def take(
        self,
        assembly: Assembly,
        facts: Mapping[str, Facts],
        resources: Mapping[str, ResourceStatus],
        changed: Changed,
        around: Surroundings,
        dates: Dates,
    ) -> set[str]:
        """Another pass. Returns the names of the sites that were looked at, and of those that are gone.

        `facts` are those of resources of which the configuration has not all.
        """
        is_anew = self._sections is None
        new, gone = self._take_sections(assembly)
        affected = new | {name for owner in changed.owners for name in self.by_owner.at(owner)}
        for address in changed.addresses:
            affected.update(self._by_address.at(address))
        affected = (affected | self._concerned(around)) & self._served.keys()
        self._around = around
        for name in affected:
            one = self._served[name]
            makers = [
                resources[around.places.by_owner[owner].key]
                for owner in one.live.resources
                if owner in around.places.by_owner
            ]
            self._put(served(one.live, one.addresses, makers, around), dates)
        if changed or new or gone or is_anew:
            there = self._take_unserved(facts, resources, dates)
            gone |= {name for name in self._there if name not in self._served and name not in there}
            affected |= there
            self._there = there
        gone -= affected
        for name in gone:
            self._drop(name, dates)
        return affected | gone

    def _take_sections(self, assembly: Assembly) -> tuple[set[str], set[str]]:
        """Read the sections that are new. Returns the names of these sites, and of those that are gone."""
        ports = evolve(assembly.listen_ports, environment=self.environment)
        sections, left = assembly.sections, set(self._served)
        # what a fault has interrupted is made anew
        last, self._sections = self._sections, None
        if last is None:
            left.update(self.statuses)
            self._served, self._unserved, self.by_owner, self._by_address = {}, {}, Index(), Index()
        if last is not None and ports == self._ports and (not self._has_twins or last == sections):
            difference = Difference.of(last, sections)
            gone = {name for each in difference.gone for name in _names(each)}
            if not any(name in left and name not in gone for each in difference.new for name in _names(each)):
                sections, left = difference.new, gone
        found = [_Served(each, live_site(each, ports), _addresses(each.block)) for each in sections if _names(each)]
        new = {each.addresses[0]: each for each in found}
        for name in (*left, *new):
            if name in self._served:
                self._unlink(name, self._served.pop(name).live)
        for name, one in new.items():
            self._link(name, one.live)
        self._served.update(new)
        self._has_twins = len(found) > len(new) or (self._has_twins and len(found) == 0)
        self._sections, self._ports = assembly.sections, ports
        return set(new), left - new.keys()

    def _link(self, name: str, live: LiveSite) -> None:
        for owner in live.resources:
            self.by_owner.add(owner, name)
        for address in _dialled(live.upstreams):
            self._by_address.add(address, name)

    def _unlink(self, name: str, live: LiveSite) -> None:
        for owner in live.resources:
            self.by_owner.remove(owner, name)
        for address in _dialled(live.upstreams):
            self._by_address.remove(address, name)

    def _concerned(self, around: Surroundings) -> set[str]:
        """The sites that changes around them may concern."""
        before = self._around
        if before is None or before.failure != around.failure or before.silent.keys() != around.silent.keys():
            return set(self._served)
        is_same = before.caddys_view is around.caddys_view
        views = () if is_same else before.caddys_view.items() ^ around.caddys_view.items()
        found = {name for address, _ in views for name in self._by_address.at(address)}
        hosts = {host for host, _ in before.uncertified.items() ^ around.uncertified.items()}
        if hosts:
            found |= {
                name for name, each in self._served.items() if any(host_of(url) in hosts for url in each.live.urls)
            }
        return found

    def _take_unserved(
        self, facts: Mapping[str, Facts], resources: Mapping[str, ResourceStatus], dates: Dates
    ) -> set[str]:
        """Sites that labels define and that are not in the configuration, each by the first resource that defines it.

        What others serve of them is known by the name of the resource too.
        """
        there: dict[str, None] = {}
        for owner, names in self._unserved.items():
            for name in names:
                is_makers = name in self._served and owner in self._served[name].live.resources
                if not is_makers:
                    self.by_owner.remove(owner, name)
        self._unserved = {}
        for key, each in facts.items():
            maker, found = resources[key], []
            for addresses, urls in self._intended(each):
                name = addresses[0]
                if name not in self._served and name not in there:
                    there[name] = None
                    self._put(unserved(addresses, urls, maker), dates)
                found.append(name)
                self.by_owner.add(str(maker), name)
            if found:
                self._unserved[str(maker)] = tuple(found)
        return set(there)

    def _intended(self, facts: Facts) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        blocks = facts.fragment.blocks if facts.fragment is not None else ()
        for block in filter(is_site, blocks):
            addresses = _addresses(block)
            if addresses:
                yield addresses, self._ports.urls(addresses, has_tls=has_tls(block))
        if not blocks and facts.fragment is not None and facts.fragment.problems:
            for value in _sites_of_labels(facts.resource.labels, self.prefix):
                addresses = tuple(each.rstrip(",") for each in value.split() if each.rstrip(","))
                if addresses:
                    yield addresses, self._ports.urls(addresses)

    def _put(self, made: SiteStatus, dates: Dates) -> None:
        self.made += 1
        conditions = dates.dated(str(made), made.conditions)
        self.statuses[made.name] = SiteStatus(
            made.name, made.addresses, made.urls, made.resources, conditions, made.upstreams, made.is_served
        )

    def _drop(self, name: str, dates: Dates) -> None:
        if (dropped := self.statuses.pop(name, None)) is not None:
            dates.forget(str(dropped))


def _addresses(block: Block) -> tuple[str, ...]:
    return tuple(each for key in block.keys if (each := key.rstrip(",")))


def _names(section: Section) -> tuple[str, ...]:
    """The name of a section's site; none where it is no site."""
    return _addresses(section.block)[:1] if is_site(section.block) else ()


def _dialled(upstreams: Iterable[Upstream]) -> set[str]:
    """The addresses under which changes of these upstreams are found."""
    found: set[str] = set()
    for each in upstreams:
        dialled = dial_of(each.address)
        found |= {dialled, dialled.rpartition(":")[0].strip("[]")}
    return found


def _sites_of_labels(labels: Mapping[str, str], prefix: str) -> Iterator[str]:
    """The addresses in labels that could not be read, as far as they are no templates."""
    for key, value in labels.items():
        number = key.removeprefix(f"{prefix}_")
        if (key == prefix or number.isdecimal()) and "{{" not in value and not value.startswith("("):
            yield value

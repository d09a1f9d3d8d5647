"""Which sites are live, and what is different from one configuration to the next. Pure."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from attrs import define, evolve, field, frozen

from dockcaddy.caddyfile import (
    DIRECTIVE_NAMES,
    PROXIES,
    SUBROUTES,
    TERMINAL,
    Block,
    ListenPorts,
    all_blocks,
    has_tls,
    is_matcher,
    is_site,
    split_host_port,
)
from dockcaddy.compile.stopped_page import is_page
from dockcaddy.fragment import Section
from dockcaddy.incremental import Chosen, Difference
from dockcaddy.merge.assembly import Assembly
from dockcaddy.model import Inventory, Resource, bracketed

# so many addresses of one site are named
_NAMED = 2
_ERRORS = frozenset(("abort", "error"))
_SERVER_ERROR = re.compile("5[0-9][0-9]")


@frozen
class Upstream:
    """Where requests of a site go: an address, and the container that has it (`""` where that is unknown)."""

    address: str
    container: str = ""

    def __str__(self) -> str:
        return f"{self.container} {self.address}".strip()


@frozen(eq=False)
class LiveSite:
    """A site as Caddy serves it: its URLs, the names of the resources that make it, and where its requests go.

    One that `lacks_upstreams` has a proxy without an upstream; one that `is_page` answers that its containers have stopped;
    one that `is_idle` answers nothing, or only with an error.
    """

    urls: tuple[str, ...]
    resources: tuple[str, ...]
    upstreams: tuple[Upstream, ...]
    lacks_upstreams: bool = False
    is_page: bool = False
    is_idle: bool = False

    @property
    def url(self) -> str:
        """Its addresses in short: `http://a.test, http://b.test and 3 more`."""
        shown = ", ".join(self.urls[:_NAMED])
        return f"{shown} and {len(self.urls) - _NAMED} more" if len(self.urls) > _NAMED else shown

    def __str__(self) -> str:
        """`http://a.test -> web 172.17.0.2:80 and 2 more`; without upstreams, the resources that make it."""
        if self.upstreams:
            more = f" and {len(self.upstreams) - 1} more" if len(self.upstreams) > 1 else ""
            return f"{self.url} -> {self.upstreams[0]}{more}"
        lack = ", without an upstream" if self.lacks_upstreams else ""
        return f"{self.url} ({self.makers}){lack}" if self.resources else f"{self.url}{lack}"

    @property
    def makers(self) -> str:
        """The resources that make it: `web-1, web-2`, `service shop`."""
        return ", ".join(_short(self.resources))


@frozen(eq=False)
class Change:
    """A site before and now, and the new directives that resources bring which join it, proxies left out."""

    before: LiveSite
    site: LiveSite
    brought: Mapping[str, Sequence[str]]


@frozen
class LiveChanges:
    """Which sites are live now and were not before, which have changed, and which are gone."""

    live: tuple[LiveSite, ...] = ()
    changed: tuple[Change, ...] = ()
    gone: tuple[LiveSite, ...] = ()


@define
class _Containers:
    """Which container has an address; the oldest of several."""

    _seen: tuple[Resource, ...] = ()
    _by_address: dict[str, tuple[Resource, ...]] = field(factory=dict)

    def take(self, resources: tuple[Resource, ...]) -> None:
        """These are all that there are now."""
        differing = Difference.of(self._seen, resources)
        for each in differing.gone:
            for address in (*each.targets, *each.published_addresses):
                left = tuple([other for other in self._by_address.pop(address, ()) if other is not each])
                if left:
                    self._by_address[address] = left
        for each in differing.new:
            for address in (*each.targets, *each.published_addresses):
                self._by_address[address] = (*self._by_address.get(address, ()), each)
        self._seen = resources

    def at(self, upstream: str) -> Upstream:
        """The upstream, with the name of the container that has its address."""
        address = upstream.rpartition("//")[2]
        host = split_host_port(address)[0].strip("[]")
        there = self._by_address.get(host) or self._by_address.get(address) or ()
        oldest = min(there, key=lambda each: (each.created, each.key), default=None)
        return Upstream(upstream, oldest.name if oldest is not None else "")


@define
class LiveSites:
    """The sites of the configuration that is served. Only sections that have changed are read. `environment` is Caddy's."""

    environment: Mapping[str, str] | None = None
    _seen: tuple[Section, ...] = ()
    _ports: ListenPorts = field(factory=ListenPorts)
    _unreached: Collection[tuple[str, str]] = ()
    _containers: _Containers = field(factory=_Containers)
    _sites: Chosen[Section] = field(factory=lambda: Chosen(lambda each: is_site(each.block)))

    def __len__(self) -> int:
        return len(self._sites.of(self._seen))

    def take(
        self, assembly: Assembly, inventory: Inventory, unreached: Collection[tuple[str, str]] = ()
    ) -> LiveChanges:
        """Another configuration is served, with `unreached` proxies as for `live_site`. Returns what is different."""
        differing = Difference.of(self._seen, assembly.sections)
        if not differing and assembly.listen_ports == self._ports:
            return LiveChanges()
        # as they were served: at these addresses are others now
        gone, self._unreached = self._read(differing.gone), unreached
        self._containers.take(inventory.resources)
        self._seen, self._ports = assembly.sections, evolve(assembly.listen_ports, environment=self.environment)
        return _changes(gone, self._read(differing.new))

    def _read(self, sections: Iterable[Section]) -> Mapping[Section, LiveSite]:
        return {
            each: live_site(each, self._ports, self._containers.at, self._unreached)
            for each in sections
            if is_site(each.block)
        }


def _changes(gone: Mapping[Section, LiveSite], new: Mapping[Section, LiveSite]) -> LiveChanges:
    old = {_key(each): (each, site) for each, site in gone.items()}
    live, changed = [], []
    for section, site in new.items():
        former = old.pop(_key(section), None)
        if former is None:
            live.append(site)
        elif former[0].text != section.text or (former[1].urls, former[1].upstreams) != (site.urls, site.upstreams):
            changed.append(Change(former[1], site, _brought(section.block, former[0].block, former[1].resources)))
    return LiveChanges(tuple(live), tuple(changed), tuple(site for _, site in old.values()))


def _brought(site: Block, before: Block, resources: Sequence[str]) -> Mapping[str, Sequence[str]]:
    known = {line.keys for line in before.children}
    found: dict[str, dict[str, None]] = {}
    for line in site.children:
        if line.keys and line.keys not in known and line.keys[0] not in PROXIES:
            for resource in {origin.resource for origin in line.origins}.difference(resources):
                found.setdefault(resource, {})[line.keys[0]] = None
    return {resource: tuple(found[resource]) for resource in sorted(found)}


def _key(section: Section) -> tuple[str, ...]:
    return section.block.keys


def live_site(
    section: Section,
    ports: ListenPorts,
    at: Callable[[str], Upstream] = Upstream,
    unreached: Collection[tuple[str, str]] = (),
) -> LiveSite:
    """The site of a section. `at` gives the upstream at an address.

    No request comes to a proxy whose resource and label are among those that are `unreached`.
    """
    block, placeholders = section.block, section.placeholders
    urls = ports.urls(block.keys, has_tls=has_tls(block))
    lines = tuple(all_blocks([block]))
    resources = dict.fromkeys(origin.resource for each in lines for origin in each.origins)
    proxies = [each for each in lines if each.keys and each.keys[0] in PROXIES and not _is_among(unreached, each)]
    upstreams = dict.fromkeys(address for each in proxies for address in _addresses(each, placeholders))
    lacks = not upstreams and bool(proxies)
    places = tuple(map(at, upstreams))
    return LiveSite(urls, tuple(resources), places, lacks, is_page(block), not any(map(_serves, block.children)))


def _serves(line: Block) -> bool:
    """Whether requests get something of a line, other than an error. What nobody knows may be a plugin's."""
    name = line.keys[0] if line.keys else ""
    if name in SUBROUTES:
        return any(map(_serves, line.children))
    if name in TERMINAL:
        return name not in _ERRORS and not (name == "respond" and any(map(_SERVER_ERROR.fullmatch, line.keys)))
    return not is_matcher(name) and (name == "import" or name not in DIRECTIVE_NAMES)


def _addresses(proxy: Block, placeholders: Mapping[str, str]) -> Iterator[str]:
    """Where a proxy sends requests; `placeholders` gives what placeholders stand for."""
    lines = [proxy.keys[1:], *(child.keys[1:] for child in proxy.children if child.keys[:1] == ("to",))]
    # `h2c://` alone is the scheme of dynamic upstreams
    yield from (key for line in lines for key in line if not is_matcher(key) and not key.endswith("://"))
    for source in all_blocks(proxy.children):
        if source.keys[:1] == ("a",) and len(source.keys) > 2:
            if address := placeholders.get(source.keys[1]):
                yield f"{bracketed(address)}:{source.keys[2]}"


def _is_among(labels: Collection[tuple[str, str]], line: Block) -> bool:
    """Whether one of these labels, each with its resource, made the line."""
    return bool(labels) and any((each.resource, each.label) in labels for each in line.origins)


def _short(resources: Iterable[str]) -> Iterator[str]:
    """`web-1` of `container web-1`."""
    return (each.removeprefix("container ") for each in resources)

"""Which sites are live, and what is different from one configuration to the next. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from attrs import define, field, frozen

from dockcaddy.caddyfile import PROXIES, Block, ListenPorts, all_blocks, has_tls, is_matcher, is_site, split_host_port
from dockcaddy.compile.stopped_page import is_page
from dockcaddy.merge.assembly import Assembly, Section
from dockcaddy.model import Inventory, Resource, bracketed

# so many addresses of one site are named
_NAMED = 2


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

    One that `lacks_upstreams` has a proxy without an upstream; one that `is_page` answers that its containers have stopped.
    """

    urls: tuple[str, ...]
    resources: tuple[str, ...]
    upstreams: tuple[Upstream, ...]
    lacks_upstreams: bool = False
    is_page: bool = False

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
class Difference:
    """How the sites of two configurations differ."""

    live: tuple[LiveSite, ...] = ()
    changed: tuple[Change, ...] = ()
    gone: tuple[LiveSite, ...] = ()


@define
class LiveSites:
    """The sites of the configuration that is served. Sections that have not changed are not read again."""

    _sections: Mapping[Section, LiveSite] = field(factory=dict)
    _ports: ListenPorts = field(factory=ListenPorts)

    def __len__(self) -> int:
        return len(self._sections)

    def take(self, assembly: Assembly, inventory: Inventory) -> Difference:
        """Another configuration is served. Returns what is different."""
        ports = assembly.listen_ports
        known, self._ports = self._sections if ports == self._ports else {}, ports
        sites = [each for each in assembly.sections if each in known or is_site(each.block)]
        new = [each for each in sites if each not in known]
        if not new and len(sites) == len(self._sections):
            return Difference()
        containers, before = _Containers(inventory), self._sections
        made = {each: live_site(each, ports, containers.at) for each in new}
        self._sections = {each: made.get(each) or known[each] for each in sites}
        return _difference(before, self._sections)


def _difference(before: Mapping[Section, LiveSite], current: Mapping[Section, LiveSite]) -> Difference:
    old = {_key(each): (each, site) for each, site in before.items() if each not in current}
    live, changed = [], []
    for section, site in current.items():
        if section in before:
            continue
        former = old.pop(_key(section), None)
        if former is None:
            live.append(site)
        elif former[0].text != section.text or (former[1].urls, former[1].upstreams) != (site.urls, site.upstreams):
            changed.append(Change(former[1], site, _brought(section.block, former[0].block, former[1].resources)))
    return Difference(tuple(live), tuple(changed), tuple(site for _, site in old.values()))


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


class _Containers:
    """Which container has an address."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    @property
    def _resources(self) -> Iterator[Resource]:
        return (each for engine in self._inventory.engines for each in engine.resources)

    @cached_property
    def _by_address(self) -> dict[str, str]:
        return {address: each.name for each in self._resources for address in each.targets}

    @cached_property
    def _by_published_address(self) -> dict[str, str]:
        return {address: each.name for each in self._resources for address in each.published_addresses}

    def at(self, upstream: str) -> Upstream:
        """The upstream, with the name of the container that has its address."""
        address = upstream.rpartition("//")[2]
        host = split_host_port(address)[0].strip("[]")
        return Upstream(upstream, self._by_address.get(host) or self._by_published_address.get(address, ""))


def live_site(section: Section, ports: ListenPorts, at: Callable[[str], Upstream] = Upstream) -> LiveSite:
    """The site of a section. `at` gives the upstream at an address."""
    block, placeholders = section.block, section.site.placeholders
    urls = [ports.url(key.rstrip(","), has_tls=has_tls(block)) for key in block.keys if key != ","]
    lines = tuple(all_blocks([block]))
    resources = dict.fromkeys(origin.resource for each in lines for origin in each.origins)
    upstreams = dict.fromkeys(address for each in lines for address in _addresses(each, placeholders))
    lacks = not upstreams and any(each.keys and each.keys[0] in PROXIES for each in lines)
    places = tuple(map(at, upstreams))
    return LiveSite(tuple(dict.fromkeys(urls)), tuple(resources), places, lacks, is_page(block))


def _addresses(proxy: Block, placeholders: Mapping[str, str]) -> Iterator[str]:
    """Where a proxy sends requests; `placeholders` gives what placeholders stand for."""
    if proxy.keys and proxy.keys[0] in PROXIES:
        lines = [proxy.keys[1:], *(child.keys[1:] for child in proxy.children if child.keys[:1] == ("to",))]
        # `h2c://` alone is the scheme of dynamic upstreams
        yield from (key for line in lines for key in line if not is_matcher(key) and not key.endswith("://"))
        for source in all_blocks(proxy.children):
            if source.keys[:1] == ("a",) and len(source.keys) > 2:
                if address := placeholders.get(source.keys[1]):
                    yield f"{bracketed(address)}:{source.keys[2]}"


def _short(resources: Iterable[str]) -> Iterator[str]:
    """`web-1` of `container web-1`."""
    return (each.removeprefix("container ") for each in resources)

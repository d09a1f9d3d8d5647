"""Sites that overlap: an address that two of them have, or a path that an older one handles. Pure.

Caddy tries sites with longer paths first.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from functools import cached_property
from itertools import chain

from attrs import define, field, frozen

from dockcaddy.admission.conflicts.access import connection_requirements
from dockcaddy.admission.conflicts.conditions import Conditions, is_covered, path_condition
from dockcaddy.admission.conflicts.conflict import Conflict, Member, conflict_between, label_of, text_of
from dockcaddy.admission.conflicts.definitions import Definitions
from dockcaddy.admission.conflicts.paths import covers, is_every_path, literal_beginning
from dockcaddy.admission.conflicts.routes import Route, RouteReader
from dockcaddy.caddyfile import Block
from dockcaddy.settings import limits

Address = tuple[str, str, str, str]
HostAndPort = tuple[str, str]


@frozen(eq=False)
class Site:
    """The members of a group, the oldest first, and its addresses: scheme, host, port and path each.

    At its `own` hosts and ports it handles requests, at those in `redirecting` it redirects them to HTTPS.
    """

    members: Sequence[Member]
    addresses: Collection[Address]
    own: Set[HostAndPort] = frozenset()
    redirecting: Set[HostAndPort] = frozenset()

    @property
    def places(self) -> Set[HostAndPort]:
        """The hosts and ports at which it handles or redirects requests."""
        return self.own | self.redirecting

    @cached_property
    def refers(self) -> bool:
        """Whether it imports a snippet or invokes a named route."""
        return any(_refers(block) for member in self.members for block in member.blocks)

    @property
    def oldest(self) -> Member:
        """The member that owns the site."""
        return self.members[0]

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts of its addresses."""
        return frozenset(host for _, host, _, _ in self.addresses)

    @property
    def paths(self) -> frozenset[str]:
        """The paths of its addresses. `""` is every path; so is `/`, because that is what people mean by it."""
        paths = (path.lower() for _, _, _, path in self.addresses)
        return frozenset("" if path in ("", "/") or is_every_path(path) else path for path in paths)

    def conflicts_with(self, what: str, older: "Site") -> Iterator[Conflict]:
        """Its members that are not members of the older site conflict with it, unless one resource owns both."""
        if self.oldest.fragment is older.oldest.fragment:
            return
        theirs = {member.fragment.key for member in older.members}
        for member in self.members:
            if member.fragment.key not in theirs:
                yield conflict_between(member.fragment, what, older.oldest.fragment, label=label_of(member.blocks[0]))


def _refers(block: Block) -> bool:
    return block.keys[:1] in (("import",), ("invoke",)) or any(map(_refers, block.children))


@define(eq=False)
class SiteRoutes:
    """The routes of sites: each site is read once, and compared a limited number of times."""

    definitions: Definitions
    _routes: dict[Site, Mapping[Conditions, Route]] = field(factory=dict)
    _compared: Counter[Site] = field(factory=Counter)
    _requirements: dict[Site, frozenset[str]] = field(factory=dict)

    def connection_requirements(self, site: Site) -> frozenset[str]:
        """The TLS options of a site that restrict the connections to its hosts, whatever the path."""
        if site not in self._requirements:
            members = map(self.definitions.written_out, site.members)
            lines = (line for member in members for line in connection_requirements(member))
            self._requirements[site] = frozenset(map(text_of, lines))
        return self._requirements[site]

    def reason_against(self, path: str, site: Site) -> str:
        """Why another site cannot have this path, as a sentence that the site's owner completes; `""` where it can."""
        if site not in self._routes:
            self._routes[site] = self._read(site)
        routes = self._routes[site]
        self._compared[site] += len(routes)
        if self._compared[site] > limits.MAX_COMPARED_PATHS:
            return "it has too many paths to compare with those of"
        # a route for exactly this path
        wanted = path_condition((path,))
        handled = any(is_covered(each, wanted, route.typical_requests) for each, route in routes.items())
        return f"{path} is already handled by" if handled else ""

    def _read(self, site: Site) -> Mapping[Conditions, Route]:
        reader, members = RouteReader(site.hosts), map(self.definitions.written_out, site.members)
        routes = (route for member in members for route in reader.routes(member, {}))
        return {route.conditions: route for route in routes if not route.is_root}


def overlapping(place: HostAndPort, sites: Sequence[Site], routes: SiteRoutes) -> Iterator[Conflict]:
    """Conflicts among the sites of one host and port. `sites` begin with the oldest."""
    by_path: dict[str, Site] = {}
    first: Site | None = None
    redirected: dict[str, Site] = {}
    for site in sites:
        # a redirect never displaces an older site
        serves = place not in site.redirecting
        reasons = (
            _address_in_use(site, by_path, routes),
            _stricter_tls(site, first, routes),
            _redirected(site, redirected),
        )
        found = next(chain(*reasons), None) if serves else None
        if found is not None:
            yield from site.conflicts_with(*found)
            continue
        first = first or (site if serves else None)
        for path in site.paths:
            (by_path if serves else redirected).setdefault(path, site)


def _stricter_tls(site: Site, first: Site | None, routes: SiteRoutes) -> Iterator[tuple[str, Site]]:
    """The TLS options of a host apply to all of its paths."""
    if first is not None and routes.connection_requirements(site) - routes.connection_requirements(first):
        yield "its TLS requirements would cut off clients of", first


def _redirected(site: Site, redirected: Mapping[str, Site]) -> Iterator[tuple[str, Site]]:
    return (
        ("its HTTP requests are redirected to HTTPS by", redirected[path]) for path in site.paths if path in redirected
    )


def _address_in_use(site: Site, by_path: Mapping[str, Site], routes: SiteRoutes) -> Iterator[tuple[str, Site]]:
    for path in site.paths:
        for same in _same_paths(path, by_path):
            yield "its address is already served by", by_path[same]
        whole = by_path.get("")
        if whole is not None and (reason := routes.reason_against(path, whole)):
            yield reason, whole


def _same_paths(path: str, known: Collection[str]) -> Iterator[str]:
    yield from (same for same in (path, path.removesuffix("*")) if same in known)
    if literal_beginning(path) not in (path, path.removesuffix("*")):
        yield from (each for each in known if each and covers(path, each))

"""Sites that overlap: an address that two of them have. Pure.

Caddy tries sites with longer paths first.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property

from attrs import frozen

from dockcaddy.admission.conflicts.conflict import Conflict, Member
from dockcaddy.admission.conflicts.paths import covers, is_every_path, literal_beginning
from dockcaddy.caddyfile import all_blocks
from dockcaddy.caddyjson.definitions import used_key

Address = tuple[str, str, str, str]
HostAndPort = tuple[str, str]


@frozen(eq=False)
class Site:
    """The members of a group, the oldest first, and its addresses: scheme, host, port and path each.

    At its `own` hosts and ports it handles requests, at those in `redirecting` it redirects them to HTTPS.
    """

    members: Sequence[Member]
    addresses: Collection[Address]
    own: tuple[HostAndPort, ...] = ()
    redirecting: tuple[HostAndPort, ...] = ()

    @property
    def places(self) -> tuple[HostAndPort, ...]:
        """The hosts and ports at which it handles or redirects requests, each once."""
        return self.own + self.redirecting

    @cached_property
    def refers(self) -> bool:
        """Whether it imports a snippet or invokes a named route."""
        return any(map(used_key, all_blocks(block for member in self.members for block in member.blocks)))

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
                yield member.conflict(what, older.oldest)


@frozen(eq=False)
class Neighbours:
    """Two sites of one host and port: what the newer one takes from the older one depends on what Caddy makes of them."""

    newer: Site
    older: Site


def overlapping(place: HostAndPort, sites: Sequence[Site]) -> Iterator[Conflict | Neighbours]:
    """Conflicts among the sites of one host and port, and what is to be compared. `sites` begin with the oldest."""
    by_path: dict[str, Site] = {}
    redirected: dict[str, Site] = {}
    for site in sites:
        # a redirect never displaces an older site
        serves = place not in site.redirecting
        found = next(_in_the_way(site, by_path, redirected), None) if serves else None
        if found is not None:
            yield from site.conflicts_with(*found)
            continue
        if serves:
            yield from (Neighbours(site, older) for older in _first_and_whole(by_path))
        for path in site.paths:
            (by_path if serves else redirected).setdefault(path, site)


def _first_and_whole(by_path: Mapping[str, Site]) -> Iterator[Site]:
    """The oldest site, and the one of every path."""
    found = (next(iter(by_path.values()), None), by_path.get(""))
    return iter(dict.fromkeys(each for each in found if each is not None))


def _in_the_way(site: Site, by_path: Mapping[str, Site], redirected: Mapping[str, Site]) -> Iterator[tuple[str, Site]]:
    """The older sites that have an address of a newer one, each with what happens to its requests."""
    for path in site.paths:
        for same in _same_paths(path, by_path):
            yield "its address is already served by", by_path[same]
    for path in site.paths & redirected.keys():
        yield "its HTTP requests are redirected to HTTPS by", redirected[path]


def _same_paths(path: str, known: Collection[str]) -> Iterator[str]:
    yield from (same for same in (path, path.removesuffix("*")) if same in known)
    if literal_beginning(path) not in (path, path.removesuffix("*")):
        yield from (each for each in known if each and covers(path, each))

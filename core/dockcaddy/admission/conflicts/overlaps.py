"""What sites could take from each other: an address that two of them have, or a path that an older one answers.

Caddy asks sites with longer paths first.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from functools import cached_property
from itertools import chain

from attrs import define, field, frozen

from dockcaddy.admission.conflicts.access import conditions_of_connections
from dockcaddy.admission.conflicts.conditions import Conditions, is_covered, path_condition
from dockcaddy.admission.conflicts.conflict import Conflict, Member, conflict_between, label_of, text_of
from dockcaddy.admission.conflicts.definitions import Definitions
from dockcaddy.admission.conflicts.paths import covers, is_every_path, literal_beginning
from dockcaddy.admission.conflicts.routes import Reader
from dockcaddy.caddyfile import Block
from dockcaddy.settings import limits

Address = tuple[str, str, str, str]
HostAndPort = tuple[str, str]


@frozen(eq=False)
class Site:
    """The members of a group, the oldest first, and its addresses: scheme, host, port and path each.

    At `redirecting` it is not itself, as at its `own` places, but sends visitors from there to https.
    """

    members: Sequence[Member]
    addresses: Collection[Address]
    own: Set[HostAndPort] = frozenset()
    redirecting: Set[HostAndPort] = frozenset()

    @property
    def places(self) -> Set[HostAndPort]:
        """Where it has a say."""
        return self.own | self.redirecting

    @cached_property
    def refers(self) -> bool:
        """Whether a snippet or a named route may change what it says."""
        return any(_refers(block) for member in self.members for block in member.blocks)

    @property
    def oldest(self) -> Member:
        """Whose site it is."""
        return self.members[0]

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that it answers to."""
        return frozenset(host for _, host, _, _ in self.addresses)

    @property
    def paths(self) -> frozenset[str]:
        """The paths of its addresses; `""` is every path, which is what people mean by `/` too."""
        paths = (path.lower() for _, _, _, path in self.addresses)
        return frozenset("" if path in ("", "/") or is_every_path(path) else path for path in paths)

    def conflicts(self, what: str, older: "Site") -> Iterator[Conflict]:
        """All its members that have no part in the older one conflict with it, unless one resource made both."""
        if self.oldest.fragment is older.oldest.fragment:
            return
        theirs = {member.fragment.key for member in older.members}
        for member in self.members:
            if member.fragment.key not in theirs:
                yield conflict_between(member.fragment, what, older.oldest.fragment, label=label_of(member.blocks[0]))


def _refers(block: Block) -> bool:
    return block.keys[:1] in (("import",), ("invoke",)) or any(map(_refers, block.children))


@define(eq=False)
class Below:
    """What sites answer below their paths; each is read once, and compared with so much and no more."""

    definitions: Definitions
    _answered: dict[Site, frozenset[Conditions]] = field(factory=dict)
    _compared: Counter[Site] = field(factory=Counter)
    _asked: dict[Site, frozenset[str]] = field(factory=dict)

    def asks_of_connections(self, site: Site) -> frozenset[str]:
        """What it has Caddy ask of connections to its hosts, whatever the path."""
        if site not in self._asked:
            members = map(self.definitions.written_out, site.members)
            lines = (line for member in members for line in conditions_of_connections(member))
            self._asked[site] = frozenset(map(text_of, lines))
        return self._asked[site]

    def why_not(self, path: str, site: Site) -> str:
        """Why another one cannot have this path, as a sentence that goes on with the site's owner."""
        if site not in self._answered:
            self._answered[site] = self._read(site)
        answered = self._answered[site]
        self._compared[site] += len(answered)
        if self._compared[site] > limits.MAX_COMPARED_PATHS:
            return "there are too many paths to compare them with those of"
        # a directive of its own for nothing but this path
        wanted = path_condition((path,))
        return f"{path} is answered by" if any(is_covered(each, wanted) for each in answered) else ""

    def _read(self, site: Site) -> frozenset[Conditions]:
        reader, members = Reader(site.hosts), map(self.definitions.written_out, site.members)
        answers = (answer for member in members for answer in reader.answers(member, {}))
        return frozenset(answer.conditions for answer in answers if not answer.is_root)


def overlapping(place: HostAndPort, sites: Sequence[Site], below: Below) -> Iterator[Conflict]:
    """Conflicts among the sites of one host and port, from the oldest on."""
    by_path: dict[str, Site] = {}
    first: Site | None = None
    redirected: dict[str, Site] = {}
    for site in sites:
        # a redirect gives way to a site that was there before
        is_there = place not in site.redirecting
        reasons = (_taken(site, by_path, below), _shut_out(site, first, below), _redirected(site, redirected))
        found = next(chain(*reasons), None) if is_there else None
        if found is not None:
            yield from site.conflicts(*found)
            continue
        first = first or (site if is_there else None)
        for path in site.paths:
            (by_path if is_there else redirected).setdefault(path, site)


def _shut_out(site: Site, first: Site | None, below: Below) -> Iterator[tuple[str, Site]]:
    """Of one host Caddy asks the same, whichever path the visitor then asks for."""
    if first is not None and below.asks_of_connections(site) - below.asks_of_connections(first):
        yield "what its tls asks of connections would shut out the visitors of", first


def _redirected(site: Site, redirected: Mapping[str, Site]) -> Iterator[tuple[str, Site]]:
    return (("its visitors are sent to https by", redirected[path]) for path in site.paths if path in redirected)


def _taken(site: Site, by_path: Mapping[str, Site], below: Below) -> Iterator[tuple[str, Site]]:
    for path in site.paths:
        for same in _same_paths(path, by_path):
            yield "its address is that of", by_path[same]
        whole = by_path.get("")
        if whole is not None and (reason := below.why_not(path, whole)):
            yield reason, whole


def _same_paths(path: str, known: Collection[str]) -> Iterator[str]:
    yield from (same for same in (path, path.removesuffix("*")) if same in known)
    if literal_beginning(path) not in (path, path.removesuffix("*")):
        yield from (each for each in known if each and covers(path, each))

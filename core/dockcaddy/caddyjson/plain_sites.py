"""Plain sites: Caddy's JSON for them is one route, and the same for all sites of their kind but for hosts and handlers. Pure.

Directives that only add handlers to the route (https://caddyserver.com/docs/caddyfile/directives#directive-order) make a
site plain; so do `tls` and `bind`, which are part of the kind. A site with another directive, with a path or a wildcard in
its address, or without a host may change what Caddy makes of other sites.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping

from attrs import frozen

from dockcaddy import caddyfile
from dockcaddy.caddyfile import DIRECTIVES, Block, SiteAddress
from dockcaddy.caddyjson.definitions import Section

# they add to what sites share: certificate authorities, named routes
_SHARED = frozenset(("acme_server", "invoke"))
_HANDLERS = frozenset(each.name for each in DIRECTIVES.values() if each.ordered) - _SHARED
_OF_THE_KIND = frozenset(("tls", "bind", "import"))
# a name, no address: Caddy treats addresses in ways of their own
_HOST = re.compile(r"(?=.*[a-z_-][^.]*\Z)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.IGNORECASE)
# Caddy chooses the issuers of certificates by these
_ISSUED_APART = (".localhost", ".local", ".internal", ".home.arpa", ".ts.net")


@frozen(eq=False)
class PlainSite:
    """A plain site: its first address and its text, its hosts as Caddy writes them, the text of its kind, and its text
    without its handlers.

    `length` is that of its longest host: Caddy asks the sites with longer hosts first. `certified` are the hosts that Caddy
    requests certificates for: all of them or none. `snippets` are the keys of those that it uses, such as `(name)`.
    """

    address: str
    text: str
    hosts: tuple[str, ...]
    certified: tuple[str, ...]
    kind: str
    stub: str
    port: str
    snippets: tuple[str, ...]
    length: int

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        """Equal for sites that differ in their hosts and handlers only."""
        return self.kind, self.snippets


def plain_site(section: Section, snippets: Mapping[str, Block]) -> PlainSite | None:
    """The plain site of a section; None if it is not plain. `snippets` are those of the configuration, by name."""
    site = section.block
    addresses = [SiteAddress.parse(key) for key in site.keys]
    first = addresses[0]
    hosts = tuple(dict.fromkeys(sys.intern(each.host.lower()) for each in addresses))
    if any(not _is_plain_address(each) or (each.scheme, each.port) != (first.scheme, first.port) for each in addresses):
        return None
    issuers = {next((end for end in _ISSUED_APART if f".{host}".endswith(end)), "." in host) for host in hosts}
    used = _Used(snippets)
    if len(issuers) > 1 or len(hosts) < len(addresses) or not used.are_plain(site.children):
        return None
    lines = tuple(line for line in site.children if line.keys[0] in _OF_THE_KIND and not used.are_handlers((line,)))
    rest = caddyfile.write_block(Block((f"{first.scheme}:{first.port}", str(issuers.pop())), lines))
    stub = caddyfile.write_block(site.with_children(lines))
    certified = () if first.scheme == "http" else hosts
    used_keys = tuple([f"({name})" for name in used.names])
    length = max(map(len, hosts))
    return PlainSite(site.keys[0], section.text, hosts, certified, rest, stub, first.port, used_keys, length)


def _is_plain_address(address: SiteAddress) -> bool:
    return address.is_literal and not address.path and _HOST.fullmatch(address.host) is not None


class _Used:
    """The snippets that lines import, and whether these lines and theirs are those of a plain site."""

    def __init__(self, snippets: Mapping[str, Block]) -> None:
        self.names: dict[str, None] = {}
        self._snippets = snippets

    def are_plain(self, lines: Iterable[Block]) -> bool:
        """Whether a site with these lines is plain."""
        return all(self._is_plain(line) for line in lines)

    def are_handlers(self, lines: Iterable[Block]) -> bool:
        """Whether these lines of a plain site only add handlers, so that they make no difference to its kind."""
        names = (line.keys[0] if line.keys else "" for line in lines)
        imported = (self._snippets[line.keys[1]].children for line in lines if line.keys[:1] == ("import",))
        return not _OF_THE_KIND.difference(("import",)).intersection(names) and all(map(self.are_handlers, imported))

    def _is_plain(self, line: Block) -> bool:
        name = line.keys[0] if line.keys else ""
        if name == "import":
            return self._imports_plain(line)
        if not (name.startswith("@") or name in _HANDLERS or name in _OF_THE_KIND):
            return False
        return all(self._may_be_within(each) for each in caddyfile.all_blocks(line.children))

    def _may_be_within(self, line: Block) -> bool:
        name = line.keys[0] if line.keys else ""
        return name not in _SHARED and (name != "import" or self._imports_plain(line))

    def _imports_plain(self, line: Block) -> bool:
        name = line.keys[1] if len(line.keys) > 1 else ""
        if name not in self._snippets or line.children:
            return False
        if name in self.names:
            return True
        self.names[name] = None
        return self.are_plain(self._snippets[name].children)


def wildcards_of(sites: Iterable[Block]) -> Iterator[str]:
    """The host patterns with a wildcard in the addresses of these sites."""
    for site in sites:
        for key in site.keys:
            host = SiteAddress.parse(key).host
            if "*" in host:
                yield host.lower()

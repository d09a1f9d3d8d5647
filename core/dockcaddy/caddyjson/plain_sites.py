"""Plain sites: Caddy's JSON for them is one route, and the same for all sites of their kind but for hosts and handlers. Pure.

Directives that only add handlers to the route (https://caddyserver.com/docs/caddyfile/directives#directive-order) make a
site plain; so do `tls` and `bind`, which are part of the kind. A site with another directive, with a path or a wildcard in
its address, or without a host may change what Caddy makes of other sites.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import frozen

from dockcaddy.caddyfile import DIRECTIVES, Block, SiteAddress, all_blocks, write_block
from dockcaddy.caddyjson.certificates import INTERNAL
from dockcaddy.caddyjson.definitions import Definitions
from dockcaddy.fragment import Section

# they add to what sites share: certificate authorities, named routes
_SHARED = frozenset(("acme_server", "invoke"))
_OF_THE_KIND = frozenset(("tls", "bind"))
_IMPORT = "import"
_PLAIN = frozenset(each.name for each in DIRECTIVES.values() if each.ordered) - _SHARED | _OF_THE_KIND | {_IMPORT}
# a name, no address: Caddy treats addresses in ways of their own
_HOST = re.compile(r"(?=.*[a-z_-][^.]*\Z)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.IGNORECASE)
# Caddy chooses the issuers of certificates by these
_ISSUED_APART = (*INTERNAL, ".ts.net")


@frozen(eq=False)
class PlainSite:
    """A plain site: its addresses and its text, its hosts as Caddy writes them, its kind, and its `lines` that are no handlers.

    `length` is that of its longest host: Caddy asks the sites with longer hosts first. `certified` are the hosts that Caddy
    requests certificates for: all of them or none. `snippets` are the keys of those that it uses, such as `(name)`.
    """

    addresses: tuple[str, ...]
    text: str
    hosts: tuple[str, ...]
    certified: tuple[str, ...]
    kind: str
    lines: tuple[Block, ...]
    port: str
    snippets: tuple[str, ...]
    length: int

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        """Equal for sites that differ in their hosts and handlers only."""
        return self.kind, self.snippets

    @property
    def stub(self) -> str:
        """Its text without its handlers."""
        return write_block(Block(self.addresses, self.lines))


def plain_site(section: Section, definitions: Definitions) -> PlainSite | None:
    """The plain site of a section beside these definitions; None if it is not plain."""
    site = section.block
    addresses = [SiteAddress.parse(key) for key in site.keys]
    first = addresses[0]
    hosts = tuple(dict.fromkeys(sys.intern(each.host.lower()) for each in addresses))
    if any(not _is_plain_address(each) or (each.scheme, each.port) != (first.scheme, first.port) for each in addresses):
        return None
    issuers = set(map(_issuer, hosts))
    used = definitions.used_by(site.children) if definitions.snippets else frozenset()
    imported = [line for block in definitions.blocks(used) for line in block.children]
    is_plain = _are_plain((*site.children, *imported), definitions.snippets)
    if len(issuers) > 1 or len(hosts) < len(addresses) or not is_plain:
        return None
    lines = tuple([line for line in site.children if _is_of_the_kind(line, definitions)])
    kind = sys.intern(f"{first.scheme}:{first.port} {issuers.pop()}\n{''.join(map(write_block, lines))}")
    certified = () if first.scheme == "http" else hosts
    length = max(map(len, hosts))
    return PlainSite(site.keys, section.text, hosts, certified, kind, lines, first.port, tuple(sorted(used)), length)


def _is_plain_address(address: SiteAddress) -> bool:
    return address.is_literal and not address.path and _HOST.fullmatch(address.host) is not None


def _issuer(host: str) -> object:
    """Equal for hosts whose certificates come from the same issuers."""
    dotted = f".{host}"
    return next((end for end in _ISSUED_APART if dotted.endswith(end)), "." in host)


def _are_plain(lines: Sequence[Block], snippets: Mapping[str, Block]) -> bool:
    """Whether lines of a site, or of snippets, may be those of a plain site, as far as that does not depend on what they import."""
    for line in lines:
        name = line.keys[0] if line.keys else ""
        if name not in _PLAIN and not name.startswith("@"):
            return False
    for each in all_blocks(lines):
        name = each.keys[0] if each.keys else ""
        if name in _SHARED or (name == _IMPORT and (each.children or "".join(each.keys[1:2]) not in snippets)):
            return False
    return True


def _is_of_the_kind(line: Block, definitions: Definitions) -> bool:
    """Whether a line of a plain site does more than add handlers, or imports one that does."""
    if line.keys[0] != _IMPORT:
        return line.keys[0] in _OF_THE_KIND
    imported = definitions.blocks(definitions.used_by((line,)))
    return any(each.keys[:1] and each.keys[0] in _OF_THE_KIND for block in imported for each in block.children)


def wildcards_of(sites: Iterable[Block]) -> Iterator[str]:
    """The host patterns with a wildcard in the addresses of these sites."""
    for site in sites:
        for key in site.keys:
            host = SiteAddress.parse(key).host
            if "*" in host:
                yield host.lower()

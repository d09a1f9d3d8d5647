"""What Caddy makes of some plain sites but for their routes, which is the same for all sites of their kinds. Pure."""

from collections.abc import Sequence

from attrs import evolve, frozen

from dockcaddy.caddyjson.document import Document, Route, encoded
from dockcaddy.caddyjson.plain_sites import PlainSite
from dockcaddy.caddyjson.skeleton import Kind, Member, NotSpliceable
from dockcaddy.caddyjson.whole import Whole

__all__ = ["Filled", "Frame", "NotSpliceable"]


@frozen(eq=False)
class Frame:
    """The document of sites without handlers, one of each kind, in which others of these kinds take their places.

    With a `server`, the name of the only site stands nowhere but in its route there.
    """

    document: Document
    stubs: tuple[PlainSite, ...]
    server: str = ""

    @classmethod
    def of(cls, stubs: tuple[PlainSite, ...], document: Document) -> "Frame":
        """The frame from the document of the stubs of these sites, each of another kind."""
        servers = [name for name, server in document.servers.items() if server.routes]
        parts = b"".join(map(encoded, (document.rest, *(each.settings for each in document.servers.values()))))
        is_named = any(host.encode() in parts for stub in stubs for host in stub.hosts)
        is_alone = len(stubs) == 1 and len(servers) == 1 and len(document.servers[servers[0]].routes) == 1
        return cls(document, stubs, servers[0] if is_alone and not is_named else "")

    def filled(self, sites: Sequence[tuple[PlainSite, Route]]) -> Document:
        """The document of sites with these routes. Raises NotSpliceable where that is not known."""
        if self.server and len(sites) == 1:
            server = evolve(self.document.servers[self.server], routes=(sites[0][1],))
            return Document(self.document.rest, {**self.document.servers, self.server: server})
        kinds = {each.key: Kind(each.key, stub=Member(0, 0, sites[0][1], None, each)) for each in self.stubs}
        for position, (site, route) in enumerate(sites):
            kinds[site.key].append(Member(position, 0, route, None, site))
        return Whole.of(self.document, list(kinds.values()), {}).document()


@frozen(eq=False)
class Filled:
    """Makes the document of these sites each time. It takes less memory than the document, or a partial."""

    frame: Frame
    sites: Sequence[tuple[PlainSite, Route]]

    def __call__(self) -> Document:
        """The document. Raises NotSpliceable."""
        return self.frame.filled(self.sites)

"""The document of some plain sites alone, from their routes and what Caddy makes of others of their kinds. Pure."""

from collections.abc import Sequence

from attrs import frozen

from dockcaddy.caddyjson.document import Document, Route
from dockcaddy.caddyjson.plain_sites import PlainSite
from dockcaddy.caddyjson.skeleton import Kind
from dockcaddy.caddyjson.whole import Whole


@frozen(eq=False)
class Filled:
    """Makes the document of `sites` with their routes each time: that takes less memory than the document, or a partial.

    `frame` is Caddy's document of the `stubs`, one site of each kind of these.
    """

    frame: Document
    stubs: Sequence[PlainSite]
    sites: Sequence[tuple[PlainSite, Route]]

    def __call__(self) -> Document:
        """The document. Raises NotSpliceable."""
        kinds = {stub.key: Kind(stub.key, stub=((0, 0, ()), stub)) for stub in self.stubs}
        for number, (site, _) in enumerate(self.sites):
            kinds[site.key].put((0, number, ()), site)
        return Whole.of(self.frame, tuple(kinds.values()), dict(self.sites), {}).document()

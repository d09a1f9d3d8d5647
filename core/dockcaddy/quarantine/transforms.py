"""The transforms of a document that depend on the settings and on the fragments of a configuration. Pure."""

from attrs import field, frozen

from dockcaddy.caddyjson import Document, with_branches, with_express, with_isolated_sites
from dockcaddy.caddyjson.retries import Retries
from dockcaddy.caddyjson.streams import LongStreams
from dockcaddy.fragment import Fragment
from dockcaddy.incremental import Chosen
from dockcaddy.merge.configuration import Configuration
from dockcaddy.merge.service_proxies import ServiceUpstreams


@frozen(eq=False)
class Transforms:
    """What becomes of every document: `streams` for all proxies, `retries` for those of services, isolated sites.

    New sites may be in the folder `express`; `""` is none.
    """

    streams: LongStreams = field(factory=LongStreams)
    retries: Retries = field(factory=Retries)
    express: str = ""
    _services: Chosen[Fragment] = field(factory=lambda: Chosen(lambda each: each.owner.startswith("service ")))
    _operators: Chosen[Fragment] = field(factory=lambda: Chosen(lambda each: each.is_operators))

    def applied(self, document: Document, configuration: Configuration, fragments: tuple[Fragment, ...]) -> Document:
        """The document of a configuration that is made of these fragments, transformed."""
        document = self.streams.applied(document)
        # most have none, and to look through all sites takes time
        if self._services.of(fragments):
            services = ServiceUpstreams.of(configuration.assembly)
            document = self.retries.applied(document, services.retried, services.watched)
        return with_isolated_sites(document, {host for each in self._operators.of(fragments) for host in each.hosts})

    def encoded(self, document: Document) -> bytes:
        """The JSON of a transformed document, as Caddy gets it."""
        return with_branches(with_express(document, self.express) if self.express else document).encode()

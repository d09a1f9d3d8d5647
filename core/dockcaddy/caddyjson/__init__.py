"""Caddy's JSON: a document, and the transforms over it that keep one site from affecting the others.

A transform gives another document, or the same one where it changes nothing. It never edits a decoded value: documents
share their routes.
"""

from collections.abc import Collection

from dockcaddy.caddyjson.certificates import with_own_certificates
from dockcaddy.caddyjson.connections import with_own_connections
from dockcaddy.caddyjson.document import Document
from dockcaddy.caddyjson.error_pages import with_own_errors
from dockcaddy.caddyjson.express import with_express
from dockcaddy.caddyjson.fragment_documents import Alone, FragmentDocuments
from dockcaddy.caddyjson.host_branches import with_branches
from dockcaddy.caddyjson.log_servers import with_dial_timeouts
from dockcaddy.caddyjson.redirects import with_own_redirects
from dockcaddy.caddyjson.site_routes import SiteRoutes
from dockcaddy.caddyjson.splicing import Splicer
from dockcaddy.caddyjson.trust import without_installed_trust

__all__ = [
    "Alone",
    "Document",
    "FragmentDocuments",
    "SiteRoutes",
    "Splicer",
    "with_branches",
    "with_express",
    "with_isolated_sites",
]


def with_isolated_sites(document: Document, shared_hosts: Collection[str] = ()) -> Document:
    """The document, in which no site affects the certificates, connections, errors or redirects of another.

    The same document where nothing changes. Settings for the `shared_hosts` (`""` is every host) apply to all sites,
    because the operator wrote them.
    """
    document = without_installed_trust(with_dial_timeouts(document))
    document = with_own_connections(with_own_certificates(document), shared_hosts)
    return with_own_redirects(with_own_errors(document, shared_hosts), shared_hosts)

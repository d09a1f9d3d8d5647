"""Caddy does not install its authorities in this machine's trust store. Pure.

Caddy reads the store once. An authority that it installed itself it installs again with every configuration, which takes
half a second each time and blocks other loads. `caddy trust` installs it once.
"""

import re
from collections.abc import Iterator

from dockcaddy.caddyjson.document import Document, Json, Route, objects_in

# what no public authority serves: names without a dot, local names and addresses
# (https://caddyserver.com/docs/automatic-https#local-https)
_LOCAL = re.compile(
    r"[^.,]+|.*\.(?:localhost|local|internal|home\.arpa)|[\d.]+|[\da-f.]*:[\da-f:.]*", re.IGNORECASE | re.DOTALL
)


def without_installed_trust(document: Document) -> Document:
    """The document, in which no authority is installed; the same document where none of Caddy's own is used."""
    pki = document.app("pki")
    if not (pki or _has_internal_issuer(document) or document.found(_needs_own)):
        return document
    named = {"local": {}, **(pki.get("certificate_authorities") or {})}
    authorities = {name: {**authority, "install_trust": False} for name, authority in named.items()}
    return document.with_app("pki", {**pki, "certificate_authorities": authorities})


def _has_internal_issuer(document: Document) -> bool:
    policies = (document.app("tls").get("automation") or {}).get("policies") or ()
    return any(issuer.get("module") == "internal" for each in policies for issuer in each.get("issuers") or ())


def _needs_own(route: Route) -> bool:
    """Whether a route is such an authority, or names a host that gets its certificate from one."""
    # most have no hosts but those at the top
    if route.flat.count(b'"host":') <= bool(route.hosts) and not route.has((b'"acme_server"',)):
        return any(map(_LOCAL.fullmatch, route.hosts))
    parts = objects_in(route.value)
    return any(each.get("handler") == "acme_server" or any(map(_LOCAL.fullmatch, _hosts(each))) for each in parts)


def _hosts(part: Json) -> Iterator[str]:
    """The hosts of a matcher; none of anything else."""
    hosts = part.get("host")
    return map(str, hosts) if isinstance(hosts, list) else iter(())

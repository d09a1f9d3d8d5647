"""A site gets its own certificate where a wildcard certificate would not do. Pure.

Caddy requests no certificate for a host that a wildcard site covers, even if the wildcard certificate cannot be obtained.
Then `*.example.com` of one resource would cost `app.example.com` of another its TLS.
"""

from collections.abc import Iterator, Set

from dockcaddy.caddyjson.document import Document, Json, Route, Server

# Caddy itself issues the certificates of hosts under these, where no setting says otherwise
INTERNAL = (".localhost", ".local", ".internal", ".home.arpa")
_PUBLIC_ISSUERS = frozenset(("acme", "zerossl"))


def with_own_certificates(document: Document) -> Document:
    """The document, which lists such hosts by name; the same document where there are none."""
    if not document.found(_names_wildcard):
        return document
    hosts = frozenset(_hosts(document))
    if not any(each.startswith("*.") for each in hosts):
        return document
    tls = document.app("tls")
    certificates = tls.get("certificates") or {}
    automated = certificates.get("automate") or ()
    own = {host for host in hosts for wildcard in _covering(host, hosts) if _needs_its_own(host, wildcard, tls)}
    missing = sorted(own.difference(automated))
    if not missing:
        return document
    return document.with_app("tls", {**tls, "certificates": {**certificates, "automate": [*automated, *missing]}})


def _names_wildcard(route: Route) -> bool:
    return any(each.startswith("*.") for each in route.hosts)


def _hosts(document: Document) -> Iterator[str]:
    """The hosts that Caddy requests certificates for."""
    plain = f":{document.http_port}"
    for server in document.servers.values():
        automatic = server.automatic_https
        if automatic.get("disable") or automatic.get("disable_certificates"):
            continue
        if all(address.endswith(plain) for address in server.listen):
            continue
        skipped = {*(automatic.get("skip") or ()), *(automatic.get("skip_certificates") or ()), *_loaded(server)}
        yield from (host for host in server.hosts if host not in skipped)


def _loaded(server: Server) -> Iterator[str]:
    """The hosts whose certificates are read from files."""
    for policy in server.connection_policies:
        if policy.get("certificate_selection"):
            yield from (policy.get("match") or {}).get("sni") or ()


def _covering(host: str, hosts: Set[str]) -> Iterator[str]:
    labels = host.split(".")
    for count in range(1, len(labels)):
        wildcard = ".".join(["*"] * count + labels[count:])
        if wildcard != host and wildcard in hosts:
            yield wildcard


def _needs_its_own(host: str, wildcard: str, tls: Json) -> bool:
    mine, theirs = _policy(host, tls), _policy(wildcard, tls)
    if mine.get("on_demand") or mine.get("get_certificate"):
        return False
    if not _is_obtainable(wildcard, theirs, tls):
        return True
    has_own_issuer = bool(mine.get("issuers")) and mine.get("issuers") != theirs.get("issuers")
    return has_own_issuer and (_is_internal(mine) or _is_internal(theirs))


def _policy(host: str, tls: Json) -> Json:
    policies = (tls.get("automation") or {}).get("policies") or ()
    return next((each for each in policies if host in each.get("subjects", (host,))), {})


def _is_obtainable(wildcard: str, policy: Json, tls: Json) -> bool:
    """Whether Caddy can obtain it before the first request. Public authorities require the DNS challenge."""
    if policy.get("on_demand") or policy.get("get_certificate"):
        return False
    issuers = policy.get("issuers")
    if not issuers:
        return bool(tls.get("dns")) or wildcard.count(".") < 2 or wildcard.endswith(INTERNAL)
    return any(_can_issue_wildcards(issuer) for issuer in issuers)


def _can_issue_wildcards(issuer: Json) -> bool:
    return issuer.get("module") not in _PUBLIC_ISSUERS or "dns" in (issuer.get("challenges") or {})


def _is_internal(policy: Json) -> bool:
    return [issuer.get("module") for issuer in policy.get("issuers") or ()] == ["internal"]

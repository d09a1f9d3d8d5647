"""A site's TLS connections follow its own settings, whatever a wildcard site sets. Pure.

Caddy applies the first connection policy that matches. The policy of `*.example.com`, or of every host, would also apply
to another resource's `app.example.com`: with a protocol that no browser supports, no client could connect.
"""

from collections.abc import Collection, Iterator, Sequence

from attrs import evolve

from dockcaddy.caddyfile import is_host_of
from dockcaddy.caddyjson.document import Document, Json, Server

# settings that refuse connections; a wildcard certificate still applies to all hosts that it covers
_CONDITIONS = frozenset(("alpn", "protocol_min", "protocol_max", "curves", "cipher_suites", "client_authentication"))


def with_own_connections(document: Document, shared_hosts: Collection[str] = ()) -> Document:
    """The document, in which such policies do not apply to other sites; the same document where none does.

    Settings for the `shared_hosts` (`""` is every host) apply to all sites, because the operator wrote them.
    """
    return document.with_servers(lambda server: _isolated(server, shared_hosts))


def _isolated(server: Server, shared_hosts: Collection[str]) -> Server:
    policies = server.connection_policies
    if all(_CONDITIONS.isdisjoint(each) for each in policies):
        return server
    own = list(_own(policies, _hosts(server), shared_hosts))
    if not own:
        return server
    return evolve(server, settings={**server.settings, "tls_connection_policies": [*own, *policies]})


def _hosts(server: Server) -> Sequence[str]:
    # the narrower ones first, as `*.a.test` is in front of `*.test`
    return sorted(set(server.hosts), key=lambda host: (-host.count("."), "*" in host, host))


def _own(policies: Sequence[Json], hosts: Sequence[str], shared_hosts: Collection[str]) -> Iterator[Json]:
    """A policy for each host that another site's policy would apply to."""
    named = {name for policy in policies for name in _names(policy)}
    for host in hosts:
        applying = None if host in named else next((each for each in policies if _is_for(each, host)), None)
        if (
            applying is None
            or _CONDITIONS.isdisjoint(applying)
            or not set(_names(applying) or ("",)).isdisjoint(shared_hosts)
        ):
            continue
        kept = {key: value for key, value in applying.items() if key not in _CONDITIONS}
        yield {**kept, "match": {"sni": [host]}}


def _names(policy: Json) -> Sequence[str]:
    return (policy.get("match") or {}).get("sni") or ()


def _is_for(policy: Json, host: str) -> bool:
    names = _names(policy)
    return not names or any(is_host_of(host, name) for name in names)

"""A site's TLS connections follow its own settings, whatever a wildcard site sets. Pure.

Caddy applies the first connection policy that matches. The policy of `*.example.com`, or of every host, would also apply
to another resource's `app.example.com`: with a protocol that no browser supports, no client could connect.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from dockcaddy.caddyfile import is_host_of
from dockcaddy.caddyjson.apps import with_changed_apps

Policy = Mapping[str, Any]

# settings that refuse connections; a wildcard certificate still applies to all hosts that it covers
_CONDITIONS = frozenset(("alpn", "protocol_min", "protocol_max", "curves", "cipher_suites", "client_authentication"))


def with_own_connections(config: bytes, shared_hosts: Collection[str] = ()) -> bytes:
    """The configuration (JSON), in which such policies do not apply to other sites; the same bytes where none does.

    Settings for the `shared_hosts` (`""` is every host) apply to all sites, because the operator wrote them.
    """
    if not any(f'"{each}":'.encode() in config for each in _CONDITIONS):
        return config
    return with_changed_apps(config, lambda apps: _isolate(apps, shared_hosts))


def _isolate(apps: dict[str, Any], shared_hosts: Collection[str]) -> bool:
    is_changed = False
    for server in ((apps.get("http") or {}).get("servers") or {}).values():
        policies = server.get("tls_connection_policies") or ()
        own = tuple(_own(policies, _hosts(server), shared_hosts))
        if own:
            server["tls_connection_policies"] = [*own, *policies]
            is_changed = True
    return is_changed


def _hosts(server: Mapping[str, Any]) -> Sequence[str]:
    routes = server.get("routes") or ()
    found = {host for route in routes for match in route.get("match") or () for host in match.get("host") or ()}
    # the narrower ones first, as `*.a.test` is in front of `*.test`
    return sorted(found, key=lambda host: (-host.count("."), "*" in host, host))


def _own(policies: Sequence[Policy], hosts: Sequence[str], shared_hosts: Collection[str]) -> Iterator[Policy]:
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


def _names(policy: Policy) -> Sequence[str]:
    return (policy.get("match") or {}).get("sni") or ()


def _is_for(policy: Policy, host: str) -> bool:
    names = _names(policy)
    return not names or any(is_host_of(host, name) for name in names)

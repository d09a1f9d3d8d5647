"""A site's connections are as it says, whatever a wildcard says of its own. Pure.

What Caddy asks of a TLS connection it takes from the first of its policies that fits. That of `*.example.com`, or of every
host, would be for `app.example.com` of somebody else too: with a protocol that no browser speaks nobody would reach it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from dockcaddy.caddyfile import is_host_of
from dockcaddy.caddyjson.apps import with_changed_apps

Policy = Mapping[str, Any]

# what shuts visitors out; a certificate that is good for all hosts below a wildcard stays theirs
_CONDITIONS = frozenset(("alpn", "protocol_min", "protocol_max", "curves", "cipher_suites", "client_authentication"))


def with_own_connections(config: bytes, everybodys: Collection[str] = ()) -> bytes:
    """The configuration (JSON), in which such policies leave other sites alone; the same bytes where none does.

    What is said for the hosts `everybodys` (`""` is every host) is meant for all of them: the operator wrote it.
    """
    if not any(f'"{each}":'.encode() in config for each in _CONDITIONS):
        return config
    return with_changed_apps(config, lambda apps: _leave_others_alone(apps, everybodys))


def _leave_others_alone(apps: dict[str, Any], everybodys: Collection[str]) -> bool:
    is_changed = False
    for server in ((apps.get("http") or {}).get("servers") or {}).values():
        policies = server.get("tls_connection_policies") or ()
        own = tuple(_own(policies, _hosts(server), everybodys))
        if own:
            server["tls_connection_policies"] = [*own, *policies]
            is_changed = True
    return is_changed


def _hosts(server: Mapping[str, Any]) -> Sequence[str]:
    routes = server.get("routes") or ()
    found = {host for route in routes for match in route.get("match") or () for host in match.get("host") or ()}
    # the narrower ones first, as `*.a.test` is in front of `*.test`
    return sorted(found, key=lambda host: (-host.count("."), "*" in host, host))


def _own(policies: Sequence[Policy], hosts: Sequence[str], everybodys: Collection[str]) -> Iterator[Policy]:
    """A policy for each host that another's would be for."""
    named = {name for policy in policies for name in _names(policy)}
    for host in hosts:
        taking = None if host in named else next((each for each in policies if _is_for(each, host)), None)
        if taking is None or _CONDITIONS.isdisjoint(taking) or not set(_names(taking) or ("",)).isdisjoint(everybodys):
            continue
        kept = {key: value for key, value in taking.items() if key not in _CONDITIONS}
        yield {**kept, "match": {"sni": [host]}}


def _names(policy: Policy) -> Sequence[str]:
    return (policy.get("match") or {}).get("sni") or ()


def _is_for(policy: Policy, host: str) -> bool:
    names = _names(policy)
    return not names or any(is_host_of(host, name) for name in names)

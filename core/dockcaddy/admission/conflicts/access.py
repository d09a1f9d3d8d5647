"""Which clients can reach a site: its listeners, and its requirements for TLS connections. Pure."""

from collections.abc import Iterator

from dockcaddy.admission.conflicts.conflict import Member
from dockcaddy.caddyfile import Block

# options of `tls` that refuse some connections
_CONNECTION_OPTIONS = frozenset(("client_auth", "alpn", "protocols", "ciphers", "curves"))


def access_lines(member: Member) -> Iterator[Block]:
    """The lines of a site's member that restrict who can connect."""
    yield from (line for line in _lines(member) if line.keys[:1] == ("bind",))
    yield from connection_requirements(member)


def connection_requirements(member: Member) -> Iterator[Block]:
    """Those that apply to every site of the same host."""
    for line in _lines(member):
        if line.keys[:1] == ("tls",):
            yield from (option for option in line.children if option.keys and option.keys[0] in _CONNECTION_OPTIONS)


def _lines(member: Member) -> Iterator[Block]:
    return (line for block in member.blocks if block.keys for line in block.children)

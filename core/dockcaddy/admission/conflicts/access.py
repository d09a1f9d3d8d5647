"""What decides who gets as far as a site: its listeners, and what Caddy asks of a TLS connection. Pure."""

from collections.abc import Iterator

from dockcaddy.admission.conflicts.conflict import Member
from dockcaddy.caddyfile import Block

# options of `tls` by which some visitors get no connection
_OF_CONNECTIONS = frozenset(("client_auth", "alpn", "protocols", "ciphers", "curves"))


def doors(member: Member) -> Iterator[Block]:
    """The lines of a site's member that may shut visitors out."""
    yield from (line for line in _lines(member) if line.keys[:1] == ("bind",))
    yield from conditions_of_connections(member)


def conditions_of_connections(member: Member) -> Iterator[Block]:
    """Those that hold for every site of the same host."""
    for line in _lines(member):
        if line.keys[:1] == ("tls",):
            yield from (option for option in line.children if option.keys and option.keys[0] in _OF_CONNECTIONS)


def _lines(member: Member) -> Iterator[Block]:
    return (line for block in member.blocks if block.keys for line in block.children)

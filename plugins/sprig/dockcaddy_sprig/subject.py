"""The subject of a certificate, and the pair that is made for it."""

import ipaddress

from attrs import frozen


@frozen
class Pair:
    """A certificate and its key, as PEM text."""

    cert: str
    key: str


@frozen
class Subject:
    """The subject of a certificate."""

    name: str
    addresses: tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]
    names: tuple[str, ...]
    days: int
    is_authority: bool = False

"""Addresses of upstreams and listeners that lead back to this machine, in every spelling."""

import ipaddress
import re
import socket

EVERY, LOOPBACK = "", "localhost"

_ADDRESS = re.compile(r"(?:tcp[46]?/)?(?:\[(?P<ip6>[^\]]*)\]|(?P<host>[^\[\]:/]*)):(?P<port>\d{1,8})", re.IGNORECASE)
_UNSPECIFIED = frozenset(("", "0", "0.0", "0.0.0"))

Place = tuple[str, int]


def place_here(address: str) -> Place | None:
    """The host (EVERY, LOOPBACK, or one of this machine's own) and port of an address; None of another machine's."""
    found = _ADDRESS.fullmatch(address)
    host = host_here(found["ip6"] or found["host"] or "") if found else None
    return None if found is None or host is None else (host, int(found["port"]))


def host_here(host: str) -> str | None:
    """The same of a host alone. Names are not looked up: that could take long."""
    name = host.lower()
    if name in _UNSPECIFIED:
        return EVERY
    if name in ("localhost", socket.gethostname().lower()):
        return name
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return None
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_unspecified:
        return EVERY
    if ip.is_loopback:
        return LOOPBACK
    return str(ip) if _can_be_bound(str(ip), socket.AF_INET6 if ip.version == 6 else socket.AF_INET) else None


def is_loopback_of_another(address: str) -> bool:
    """Whether it is a loopback address other than 127.0.0.1, which a container may have."""
    return address.startswith("127.") and address != "127.0.0.1"


def _can_be_bound(host: str, family: socket.AddressFamily) -> bool:
    """Only a machine's own addresses can be bound; this sends nothing."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True

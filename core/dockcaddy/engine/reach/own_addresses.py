"""The addresses that the kernel has given to our own network namespace: of the host, or of the container we run in."""

import re
from ipaddress import ip_address
from pathlib import Path

# the addresses of IPv4: each leaf of the table that is the kernel's own, as a whole address
_LOCAL = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL")
# no link-local ones, which each interface has
_IPV6 = re.compile(r"^(?!fe[89ab])([0-9a-f]{32}) ", re.MULTILINE)


def own_addresses(root: Path = Path("/")) -> frozenset[str] | None:
    """All of our addresses; None if the kernel does not say, as outside Linux."""
    try:
        found = _LOCAL.findall((root / "proc/net/fib_trie").read_text())
    except OSError:
        return None
    return frozenset(found) | _ipv6(root)


def _ipv6(root: Path) -> frozenset[str]:
    try:
        listed = _IPV6.findall((root / "proc/net/if_inet6").read_text())
    except OSError:
        return frozenset()
    return frozenset(str(ip_address(int(each, 16).to_bytes(16))) for each in listed)

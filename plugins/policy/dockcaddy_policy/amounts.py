"""How much of the internet ranges of addresses include."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

# the addresses of the internet; more than an eighth of them counts as everybody
_ADDRESSES, _ADDRESSES_6 = IPv4Network("0.0.0.0/0"), IPv6Network("2000::/3")
_SHARE = 8


def include_everybody(words: Iterable[str]) -> bool:
    """Whether the IP ranges among the words together include a large part of the internet."""
    ranges = [found for word in words if (found := _range(word))]
    fours = collapse_addresses(each for each in ranges if isinstance(each, IPv4Network))
    sixes = collapse_addresses(each for each in ranges if isinstance(each, IPv6Network))
    held = sum(each.num_addresses for each in fours)
    held_6 = sum(min(each.num_addresses, _ADDRESSES_6.num_addresses) for each in sixes if each.overlaps(_ADDRESSES_6))
    return held * _SHARE > _ADDRESSES.num_addresses or held_6 * _SHARE > _ADDRESSES_6.num_addresses


def _range(word: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(word, strict=False)
    except ValueError:
        return None

"""Durations, sizes, numbers and ranges of addresses, in every spelling that Caddy accepts."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

# https://pkg.go.dev/time#ParseDuration, with both characters for micro, and with days, which Caddy adds
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = re.compile(rf"[-+]?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)({'|'.join(_SECONDS)})")
_PARTS = re.compile(f"(?:{_PART.pattern})+")
# https://pkg.go.dev/github.com/dustin/go-humanize#ParseBytes
_SIZE = re.compile(r"([0-9.,]+)\s*([kmgtpe]?)(i?)b?", re.IGNORECASE)
_THOUSANDS = {letter: power for power, letter in enumerate(("", *"kmgtpe"))}
# the addresses of the internet; more than an eighth of them counts as everybody
_ADDRESSES, _ADDRESSES_6 = IPv4Network("0.0.0.0/0"), IPv6Network("2000::/3")
_SHARE = 8


def duration(text: str) -> float | None:
    """The duration in seconds, or None if Caddy would not accept it either."""
    if not _PARTS.fullmatch(text):
        return None
    seconds = sum(float(amount) * _SECONDS[unit] for amount, unit in _PART.findall(text))
    return -seconds if text.startswith("-") else seconds


def size(text: str) -> float | None:
    """The size in bytes, or None if the text is not a size."""
    found = _SIZE.fullmatch(text)
    amount = number(found[1].replace(",", "")) if found else None
    if found is None or amount is None:
        return None
    return amount * float(1024 if found[2] and found[3] else 1000) ** _THOUSANDS[found[2].lower()]


def number(text: str) -> float | None:
    """The number as Go's strconv.ParseFloat reads it, or None if the text is not a number."""
    try:
        return float.fromhex(text.replace("_", "")) if "x" in text.lower() else float(text)
    except (ValueError, OverflowError):
        return None


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

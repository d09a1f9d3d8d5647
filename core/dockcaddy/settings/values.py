"""Parse the texts of settings: durations, truth values, lists, ports, addresses."""

import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
# the range of Go's time.Duration, which has 64 bits of nanoseconds
_RANGE = 2**63 / 1e9
_TRUE, _FALSE = frozenset(("true", "yes", "1", "on", "t")), frozenset(("false", "no", "0", "off", "f"))


def parse_duration(text: str) -> float:
    """Seconds of a duration in Go's syntax (`100ms`, `1m30s`, `0`; time.ParseDuration). Raises ValueError."""
    digits = text.strip().removeprefix("+")
    if digits == "0":
        return 0.0
    parts = _DURATION_PART.findall(digits)
    if not parts or "".join(number + unit for number, unit in parts) != digits:
        raise ValueError('expected a duration like "30s", "100ms" or "1m30s", or a number of seconds, 0 or more')
    return checked_seconds(sum(float(number) * _UNITS[unit] for number, unit in parts))


def parse_seconds(text: str) -> float:
    """Seconds of a duration in Go's syntax, or of a bare number. Raises ValueError."""
    digits = text.strip().removeprefix("+")
    return checked_seconds(float(digits)) if _SECONDS.fullmatch(digits) else parse_duration(text)


def checked_seconds(seconds: float) -> float:
    """The seconds, if they are in the range of Go's durations. Raises ValueError."""
    if not 0 <= seconds <= _RANGE:
        raise ValueError("expected a duration of 0 or more, and at most 292 years")
    return seconds


def parse_boolean(text: str) -> bool:
    """A truth value. Raises ValueError."""
    word = text.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError("expected true or false")


def parse_list(text: str) -> tuple[str, ...]:
    """The items between commas, trimmed, without empty ones."""
    return tuple(filter(None, parse_aligned(text)))


def parse_aligned(text: str) -> tuple[str, ...]:
    """The items between commas, trimmed. Empty items stay, except at the end."""
    items = [item.strip() for item in text.split(",")]
    while items and not items[-1]:
        items.pop()
    return tuple(items)


def written(value: object) -> str:
    """A value of a settings file, approximately as written there."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {written(each)}' for key, each in value.items())}}}"
    return repr(value) if isinstance(value, str) else str(value)


def parse_port(text: str) -> int:
    """The number of a port. Raises ValueError."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal() and 0 < int(digits) < 65536):
        raise ValueError("expected a port from 1 to 65535")
    return int(digits)


def check_admin_urls(texts: Iterable[str]) -> None:
    """Raises ValueError unless each text is an admin URL of a Caddy that runs by itself."""
    for text in texts:
        if text.strip().lower() == "off":
            raise ValueError('expected an address, "off" is none')
        check_admin(text, ("http", "https"))


def check_admin(text: str, schemes: Collection[str] = ("http",)) -> None:
    """Raises ValueError unless the text is an address of an admin endpoint."""
    address = text.strip()
    if address.lower() in ("", "off"):
        return
    if address.startswith("unix"):
        if not re.match(r"unix(?:://|/)/", address):
            raise ValueError('expected a socket like "unix//run/caddy.sock"')
        return
    url = address.removeprefix("tcp/")
    try:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        well_formed = parts.scheme in schemes and parts.netloc != "" and parts.port != 0 and not re.search(r"\s", url)
    except ValueError:
        well_formed = False
    if not well_formed:
        raise ValueError('expected an address like "localhost:2019", "http://localhost:2019" or "unix//run/caddy.sock"')

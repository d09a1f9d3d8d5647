"""Parse how Caddy reaches an engine's containers, and check the names of engines."""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable
from typing import Literal, get_args

ReachKind = Literal["auto", "containers", "ports", "overlay"]
_FORMS = "auto, containers, overlay, ports or ports=HOST"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def parse_reach(text: str) -> tuple[ReachKind, str]:
    """The kind and host of `ports=HOST`, `containers` and so on. Raises ValueError."""
    word, sign, host = text.strip().partition("=")
    kind = next((each for each in get_args(ReachKind) if each == (word.strip().lower() or "auto")), None)
    if kind is None or (sign and kind != "ports"):
        raise ValueError(f'unknown reach "{text}", write {_FORMS}')
    host = host.strip().removeprefix("[").removesuffix("]")
    if sign and not host:
        raise ValueError("a host is missing, write ports=HOST")
    if re.search(r"[/@\s{}]", host) or (":" in host and not is_address(host)):
        raise ValueError(f'"{host}" is not a host: write its name or address, without a scheme and without a port')
    return kind, host


def check_reach(values: Iterable[str]) -> None:
    """Raises ValueError for one that is none."""
    for each in values:
        parse_reach(each)


def check_names(values: Iterable[str]) -> None:
    """Raises ValueError for names that are no words, or that two engines have."""
    names = [each for each in values if each]
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f'"{name}" is not a name: write letters, digits, ".", "_", "+" and "-"')
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f'two engines are called "{twice[0]}": give each a name of its own')


def is_address(text: str) -> bool:
    """Whether a text is an address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

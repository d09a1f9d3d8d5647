"""Global options, and options of one site, that would be felt by every site."""

import re
from collections.abc import Callable, Iterator
from itertools import chain
from math import inf

from dockcaddy import DIRECTIVES, GLOBAL_OPTIONS, Block, Context

from dockcaddy_policy.amounts import are_everybodys, duration, number, size
from dockcaddy_policy.lines import DATA, Line

UnsafeIf = Callable[[Line], bool]

# what answers, and what asks who is there: of these the order is what others rely on
_ANSWERING = frozenset(
    each.name
    for each in DIRECTIVES.values()
    if each.ordered and (each.terminal or each.authenticates or (each.nests and each.name != "intercept"))
)
_STANDARD = frozenset(each.name for each in DIRECTIVES.values() if each.ordered)
# what may stand among the global options, those of Caddy's plugins included
TOP_OPTIONS = GLOBAL_OPTIONS | {"layer4", "frankenphp", "supervisor", "security", "import"}
# wrappers of listeners that let every visitor in
_WRAPPERS = {"proxy_protocol": ("timeout", "allow"), "tls": ()}


def _always(line: Line) -> bool:
    return True


def _any_of(*words: str) -> UnsafeIf:
    return lambda line: not set(words).isdisjoint(line.arguments)


def _none_of(*words: str) -> UnsafeIf:
    return lambda line: set(words).isdisjoint(line.arguments[:1])


def _lasting(least: float, most: float = inf) -> UnsafeIf:
    """What is shorter or longer than that; 0 is Caddy's own."""

    def is_unsafe(line: Line) -> bool:
        seconds = duration(line.arguments[0]) if line.arguments else None
        return seconds is not None and seconds != 0 and not least <= seconds <= most

    return is_unsafe


def _holding(least: int, most: int) -> UnsafeIf:
    """What is smaller or larger than that, and what might be."""

    def is_unsafe(line: Line) -> bool:
        found = size(" ".join(line.arguments))
        return found is None or (found != 0 and not least <= found <= most)

    return is_unsafe


def _beyond(low: float, high: float) -> UnsafeIf:
    def is_beyond(line: Line) -> bool:
        found = number("".join(line.arguments))
        return found is not None and not low <= found <= high

    return is_beyond


def _named_as(pattern: str) -> UnsafeIf:
    return lambda line: re.fullmatch(pattern, "".join(line.arguments[:1])) is not None


def _trusts_everybody(line: Line) -> bool:
    # the block is that of the line's last option, `trusted_proxies MODULE {`
    inside = line.block.children if len(line.arguments) <= 2 else ()
    return are_everybodys((*line.arguments, *chain.from_iterable(map(_words, inside))))


def _words(block: Block) -> Iterator[str]:
    yield from block.keys
    for child in block.children:
        yield from _words(child)


def _wraps_otherwise(line: Line) -> bool:
    return not line.arguments and any(_is_strange(wrapper) for wrapper in line.block.children)


def _is_strange(wrapper: Block) -> bool:
    known = _WRAPPERS.get(wrapper.keys[0])
    if known is None or any(option.keys[0] not in known for option in wrapper.children):
        return True
    return are_everybodys(_words(wrapper))


def _is_of_every_name(line: Line) -> bool:
    return not {"", "*"}.isdisjoint(line.hosts)


_UNSAFE: dict[str, UnsafeIf] = {
    "default_bind": _always,
    "auto_https": _any_of("off", "disable_certs"),
    "shutdown_delay": _always,
    # shorter ones cut off what others' visitors are being sent
    "grace_period": _lasting(1),
    "order": lambda line: not _ANSWERING.isdisjoint(line.arguments[:1]),
    # of two servers of one name only one is left
    "servers/name": _named_as(r"srv[0-9]+|remaining_auto_https_redirects"),
    # gRPC needs the second
    "servers/protocols": lambda line: not {"h1", "h2"}.issubset(line.arguments),
    "servers/listener_wrappers": _wraps_otherwise,
    "servers/listener_wrappers/proxy_protocol/timeout": _lasting(1),
    "servers/listener_wrappers/proxy_protocol/fallback_policy": _always,
    "servers/listener_wrappers/proxy_protocol/deny": _always,
    "servers/packet_conn_wrappers": _always,
    "servers/max_header_size": _holding(4096, 1 << 26),
    "servers/timeouts/read_header": _lasting(1),
    "servers/timeouts/read_body": _lasting(2),
    "servers/timeouts/read_body_idle": lambda line: len(line.arguments) > 1 or _lasting(2)(line),
    "servers/timeouts/write": _lasting(5),
    "servers/timeouts/write_idle": lambda line: len(line.arguments) > 1 or _lasting(2)(line),
    "servers/timeouts/write_max_chunk": _holding(4096, 1 << 26),
    "servers/timeouts/idle": _lasting(1),
    "servers/trusted_proxies": _trusts_everybody,
    # lets visitors in by a name whose certificate asks less of them
    "servers/strict_sni_host": _any_of("insecure_off"),
    # drops the fields of others that are spelled alike, lets through what was dropped
    "servers/expected_underscore_headers": _always,
    "servers/expected_dot_headers": _always,
    "servers/log_credentials": _always,
    # any name that a visitor makes up is kept for ever
    "metrics/observe_catchall_hosts": _always,
    "log/output": _none_of("stderr", "stdout", "file"),
    # longer ones, too, and certificates run out: Caddy's own are for half a day
    "renew_interval": _lasting(60, 4 * 3600),
    "ocsp_interval": _lasting(60, 86400),
    "storage_clean_interval": _lasting(60),
    "cert_lifetime": _lasting(3600),
    "cert_issuer/lifetime": _lasting(3600),
    "cert_issuer/timeout": _lasting(1),
    "renewal_window_ratio": _beyond(0.05, 0.9),
    "pki/ca/root": _always,
    "pki/ca/intermediate": _always,
    "pki/ca/intermediate_lifetime": _lasting(86400),
    "pki/ca/maintenance_interval": _lasting(60, 86400),
    "pki/ca/renewal_window_ratio": _beyond(0.05, 0.9),
}
# of one site, and yet of all
_UNSAFE_IN_A_SITE: dict[str, UnsafeIf] = {
    "log": _any_of("default"),
    "tls/client_auth": _is_of_every_name,
}

NAMES = tuple(dict.fromkeys(place.rpartition("/")[2] for place in (*_UNSAFE, *_UNSAFE_IN_A_SITE, "core")))


# under these a rule depends on the place of a line, or the line is data
PLACED = frozenset(part for place in (*_UNSAFE, *_UNSAFE_IN_A_SITE) for part in place.split("/")) - {"name"} | DATA | {
    "dns", "acme_dns", "storage", "tls", "log", "format", "issuer", "on_demand_tls", "layer4", "events",
}  # fmt: skip

SHARED = ("order", "http_port", "https_port", "auto_https")


def shared(line: Line, context: Context) -> str:
    """Why this would change the sites of others."""
    if not line.is_global or line.place not in SHARED:
        return ""
    if line.name == "order" and _STANDARD.isdisjoint(line.arguments[:1]):
        return ""
    if line.name == "auto_https" and line.arguments == ("prefer_wildcard",):
        # what Caddy does since 2.10 without that
        return ""
    return "it would be so for every site"


def for_everybody(line: Line, context: Context) -> str:
    """Why this would stop the sites of others."""
    if line.name == "core" and line.arguments[:1] == ("mock",):
        return "Caddy ends at its first line"
    unsafe = (_UNSAFE if line.is_global else _UNSAFE_IN_A_SITE).get(line.place)
    return "it would be so for every site" if unsafe is not None and unsafe(line) else ""

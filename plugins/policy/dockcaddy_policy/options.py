"""Global options, and options of one site, that affect every site."""

import re
from collections.abc import Callable, Iterator
from itertools import chain
from math import inf

from dockcaddy import DIRECTIVES, GLOBAL_OPTIONS, SUBROUTES, Block, Context

from dockcaddy_policy.amounts import duration, include_everybody, number, size
from dockcaddy_policy.lines import DATA, Line

UnsafeIf = Callable[[Line], bool]

# directives that handle or authenticate requests: other sites rely on their order
_HANDLERS = frozenset(
    each.name
    for each in DIRECTIVES.values()
    if each.ordered and (each.terminal or each.authenticates or each.name in SUBROUTES)
)
_STANDARD = frozenset(each.name for each in DIRECTIVES.values() if each.ordered)
# names of global options, including those of Caddy's plugins
TOP_OPTIONS = GLOBAL_OPTIONS | {"layer4", "frankenphp", "supervisor", "security", "import"}
# listener wrappers that accept every visitor, and their safe options
_WRAPPERS = {"proxy_protocol": ("timeout", "allow"), "tls": ()}


def _always(line: Line) -> bool:
    return True


def _any_of(*words: str) -> UnsafeIf:
    return lambda line: not set(words).isdisjoint(line.arguments)


def _none_of(*words: str) -> UnsafeIf:
    return lambda line: set(words).isdisjoint(line.arguments[:1])


def _duration_outside(least: float, most: float = inf) -> UnsafeIf:
    """Unsafe if the duration is outside this range, in seconds. 0 is Caddy's default."""

    def is_unsafe(line: Line) -> bool:
        seconds = duration(line.arguments[0]) if line.arguments else None
        return seconds is not None and seconds != 0 and not least <= seconds <= most

    return is_unsafe


def _size_outside(least: int, most: int) -> UnsafeIf:
    """Unsafe if the size is outside this range, in bytes, or unknown. 0 is Caddy's default."""

    def is_unsafe(line: Line) -> bool:
        found = size(" ".join(line.arguments))
        return found is None or (found != 0 and not least <= found <= most)

    return is_unsafe


def _number_outside(low: float, high: float) -> UnsafeIf:
    """Unsafe if the number is outside this range."""

    def is_unsafe(line: Line) -> bool:
        found = number("".join(line.arguments))
        return found is not None and not low <= found <= high

    return is_unsafe


def _named_as(pattern: str) -> UnsafeIf:
    return lambda line: re.fullmatch(pattern, "".join(line.arguments[:1])) is not None


def _trusts_everybody(line: Line) -> bool:
    # the block belongs to the last option of the line, as in `trusted_proxies MODULE {`
    inside = line.block.children if len(line.arguments) <= 2 else ()
    return include_everybody((*line.arguments, *chain.from_iterable(map(_words, inside))))


def _words(block: Block) -> Iterator[str]:
    yield from block.keys
    for child in block.children:
        yield from _words(child)


def _has_unsafe_wrapper(line: Line) -> bool:
    return not line.arguments and any(_is_unsafe_wrapper(wrapper) for wrapper in line.block.children)


def _is_unsafe_wrapper(wrapper: Block) -> bool:
    known = _WRAPPERS.get(wrapper.keys[0])
    if known is None or any(option.keys[0] not in known for option in wrapper.children):
        return True
    return include_everybody(_words(wrapper))


def _matches_every_host(line: Line) -> bool:
    return not {"", "*"}.isdisjoint(line.hosts)


_UNSAFE: dict[str, UnsafeIf] = {
    "default_bind": _always,
    "auto_https": _any_of("off", "disable_certs"),
    "shutdown_delay": _always,
    # a shorter one interrupts responses of other sites
    "grace_period": _duration_outside(1),
    "order": lambda line: not _HANDLERS.isdisjoint(line.arguments[:1]),
    # of two servers with one name Caddy keeps only one
    "servers/name": _named_as(r"srv[0-9]+|remaining_auto_https_redirects"),
    # gRPC needs h2
    "servers/protocols": lambda line: not {"h1", "h2"}.issubset(line.arguments),
    "servers/listener_wrappers": _has_unsafe_wrapper,
    "servers/listener_wrappers/proxy_protocol/timeout": _duration_outside(1),
    "servers/listener_wrappers/proxy_protocol/fallback_policy": _always,
    "servers/listener_wrappers/proxy_protocol/deny": _always,
    "servers/packet_conn_wrappers": _always,
    "servers/max_header_size": _size_outside(4096, 1 << 26),
    "servers/timeouts/read_header": _duration_outside(1),
    "servers/timeouts/read_body": _duration_outside(2),
    "servers/timeouts/read_body_idle": lambda line: len(line.arguments) > 1 or _duration_outside(2)(line),
    "servers/timeouts/write": _duration_outside(5),
    "servers/timeouts/write_idle": lambda line: len(line.arguments) > 1 or _duration_outside(2)(line),
    "servers/timeouts/write_max_chunk": _size_outside(4096, 1 << 26),
    "servers/timeouts/idle": _duration_outside(1),
    "servers/trusted_proxies": _trusts_everybody,
    # allows access to a site by the host name of another site that needs no client certificate
    "servers/strict_sni_host": _any_of("insecure_off"),
    # changes which header fields reach other sites
    "servers/expected_underscore_headers": _always,
    "servers/expected_dot_headers": _always,
    "servers/log_credentials": _always,
    # keeps a metric for every host name that a visitor makes up
    "metrics/observe_catchall_hosts": _always,
    "log/output": _none_of("stderr", "stdout", "file"),
    # with a longer one certificates expire: those of Caddy's own CA are valid for half a day
    "renew_interval": _duration_outside(60, 4 * 3600),
    "ocsp_interval": _duration_outside(60, 86400),
    "storage_clean_interval": _duration_outside(60),
    "cert_lifetime": _duration_outside(3600),
    "cert_issuer/lifetime": _duration_outside(3600),
    "cert_issuer/timeout": _duration_outside(1),
    "renewal_window_ratio": _number_outside(0.05, 0.9),
    "pki/ca/root": _always,
    "pki/ca/intermediate": _always,
    "pki/ca/intermediate_lifetime": _duration_outside(86400),
    "pki/ca/maintenance_interval": _duration_outside(60, 86400),
    "pki/ca/renewal_window_ratio": _number_outside(0.05, 0.9),
}
# options in a site that affect every site
_UNSAFE_IN_A_SITE: dict[str, UnsafeIf] = {
    "log": _any_of("default"),
    "tls/client_auth": _matches_every_host,
}

NAMES = tuple(dict.fromkeys(place.rpartition("/")[2] for place in (*_UNSAFE, *_UNSAFE_IN_A_SITE, "core")))


# in these a line is data, or its place decides whether it is refused
PLACED = frozenset(part for place in (*_UNSAFE, *_UNSAFE_IN_A_SITE) for part in place.split("/")) - {"name"} | DATA | {
    "dns", "acme_dns", "storage", "tls", "log", "format", "issuer", "on_demand_tls", "layer4", "events",
}  # fmt: skip

SHARED = ("order", "http_port", "https_port", "auto_https")


def shared_option(line: Line, context: Context) -> str:
    """Why this option is refused because it changes other sites; `""` if it does not."""
    if not line.is_global or line.place not in SHARED:
        return ""
    if line.name == "order" and _STANDARD.isdisjoint(line.arguments[:1]):
        return ""
    if line.name == "auto_https" and line.arguments == ("prefer_wildcard",):
        # the default since Caddy 2.10
        return ""
    return "it would affect every site"


def unsafe_option(line: Line, context: Context) -> str:
    """Why this option is refused because it could stop other sites; `""` if it could not."""
    if line.name == "core" and line.arguments[:1] == ("mock",):
        return "Caddy would exit at the first line of the log"
    unsafe = (_UNSAFE if line.is_global else _UNSAFE_IN_A_SITE).get(line.place)
    return "it would affect every site" if unsafe is not None and unsafe(line) else ""

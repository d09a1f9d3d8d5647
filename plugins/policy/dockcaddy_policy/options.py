"""Global options, and options of one site, that would be felt by every site."""

import re
from collections.abc import Callable

from dockcaddy import Block, Context

from dockcaddy_policy.lines import Line

Harmful = Callable[[Line], bool]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}
_NUMBER = re.compile(r"\d*\.?\d+")
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(?:B|bytes?)?", re.IGNORECASE)
# what answers, and what asks who is there: of these the order is what others rely on
_ANSWERS = """
    basic_auth basicauth forward_auth abort error respond redir
    handle handle_path route invoke reverse_proxy php_fastcgi file_server acme_server metrics copy_response
"""
_ANSWERING = frozenset(_ANSWERS.split())
# the others of Caddy's own: https://caddyserver.com/docs/caddyfile/directives#directive-order
_OTHERS = """
    tracing map vars fs root log_append log_skip skip_log log_name header copy_response_headers request_body
    method rewrite uri try_files request_header encode push intercept templates
"""
_STANDARD = _ANSWERING | frozenset(_OTHERS.split())
# wrappers of listeners that let every visitor in
_WRAPPERS = {"proxy_protocol": ("timeout", "allow"), "tls": ()}


def _always(line: Line) -> bool:
    return True


def _any_of(*words: str) -> Harmful:
    return lambda line: not set(words).isdisjoint(line.arguments)


def _none_of(*words: str) -> Harmful:
    return lambda line: set(words).isdisjoint(line.arguments[:1])


def _shorter_than(seconds: float) -> Harmful:
    def is_shorter(line: Line) -> bool:
        parts = _DURATION.findall(line.arguments[0]) if line.arguments else []
        return bool(parts) and 0 < sum(float(number) * _SECONDS[unit] for number, unit in parts) < seconds

    return is_shorter


def _smaller_than(size: int) -> Harmful:
    def is_smaller(line: Line) -> bool:
        found = _SIZE.fullmatch(" ".join(line.arguments))
        return found is not None and float(found[1]) < size

    return is_smaller


def _beyond(low: float, high: float) -> Harmful:
    def is_beyond(line: Line) -> bool:
        found = _NUMBER.fullmatch("".join(line.arguments))
        return found is not None and not low <= float(found[0]) <= high

    return is_beyond


def _wraps_otherwise(line: Line) -> bool:
    return any(_is_strange(wrapper) for wrapper in line.block.children)


def _is_strange(wrapper: Block) -> bool:
    known = _WRAPPERS.get(wrapper.keys[0])
    return known is None or any(option.keys[0] not in known for option in wrapper.children)


def _is_of_every_name(line: Line) -> bool:
    hosts = [re.sub(r"^\w+://|,$", "", address).partition("/")[0].rpartition(":") for address in line.addresses]
    return any((host if colon else port) in ("", "*") for host, colon, port in hosts)


_HARMFUL: dict[str, Harmful] = {
    "default_bind": _always,
    "auto_https": _any_of("off", "disable_certs"),
    "shutdown_delay": _always,
    "order": lambda line: not _ANSWERING.isdisjoint(line.arguments[:1]),
    "servers/protocols": lambda line: "h1" not in line.arguments,
    "servers/listener_wrappers": _wraps_otherwise,
    "servers/max_header_size": _smaller_than(4096),
    "servers/timeouts/read_header": _shorter_than(1),
    "servers/timeouts/read_body": _shorter_than(2),
    "servers/timeouts/read_body_idle": lambda line: len(line.arguments) > 1 or _shorter_than(2)(line),
    "servers/timeouts/write": _shorter_than(5),
    "servers/timeouts/write_idle": lambda line: len(line.arguments) > 1 or _shorter_than(2)(line),
    "servers/timeouts/write_max_chunk": _smaller_than(4096),
    "log/output": _none_of("stderr", "stdout", "file"),
    "renew_interval": _shorter_than(60),
    "ocsp_interval": _shorter_than(60),
    "storage_clean_interval": _shorter_than(60),
    "cert_lifetime": _shorter_than(3600),
    "renewal_window_ratio": _beyond(0.05, 0.9),
    "servers/trusted_proxies": _any_of("0.0.0.0/0", "::/0"),
    "pki/ca/root": _always,
    "pki/ca/intermediate": _always,
}
# of one site, and yet of all
_HARMFUL_IN_A_SITE: dict[str, Harmful] = {
    "log": _any_of("default"),
    "tls/client_auth": _is_of_every_name,
}

NAMES = tuple(dict.fromkeys(place.rpartition("/")[2] for place in (*_HARMFUL, *_HARMFUL_IN_A_SITE, "core")))


SHARED = ("order", "http_port", "https_port")


def shared(line: Line, context: Context) -> str:
    """Why this would change the sites of others."""
    if not line.is_global or _is_operators(context) or line.place not in SHARED:
        return ""
    if line.name == "order" and _STANDARD.isdisjoint(line.arguments[:1]):
        return ""
    return "it would be so for every site"


def _is_operators(context: Context) -> bool:
    """Whether the labels are those of the container that Caddy runs in."""
    caddy = context.engine.caddy
    return caddy is not None and caddy.id == context.resource.id


def for_everybody(line: Line, context: Context) -> str:
    """Why this would stop the sites of others."""
    if line.name == "core" and line.arguments[:1] == ("mock",):
        return "Caddy ends at its first line"
    if _is_operators(context):
        return ""
    harmful = (_HARMFUL if line.is_global else _HARMFUL_IN_A_SITE).get(line.place)
    return "it would be so for every site" if harmful is not None and harmful(line) else ""

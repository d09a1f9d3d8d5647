"""Site addresses and host patterns. Pure.

See https://caddyserver.com/docs/caddyfile/concepts#addresses.
"""

import re
import sys
from collections.abc import Mapping

from attrs import frozen

DEFAULT_PORTS = {"http": "80", "https": "443"}
# a host and its port; colons within a placeholder belong to it
_AUTHORITY = re.compile(r"(\[[^\]]*\]|(?:\{[^{}]*\}|[^:\[\]{}])*):((?:\{[^{}]*\}|[^:{}])*)")
_VARIABLE = re.compile(r"\{\$([^{}:]+)(?::([^{}]*))?\}")
_IN_BRACKETS = re.compile(r"\[[^\]]*\]")


@frozen
class SiteAddress:
    """The parts of a site address as written; a part that is left out is `""`. An IPv6 host keeps its brackets."""

    scheme: str = ""
    host: str = ""
    port: str = ""
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> "SiteAddress":
        """Parse an address by the rules of Caddy's ParseAddress. A trailing comma is dropped."""
        text = text.removesuffix(",").strip()
        scheme, sign, rest = text.partition("://")
        authority, slash, path = (rest if sign else text).partition("/")
        host, port = split_host_port(authority)
        # thousands of sites have the same ones
        return cls(sys.intern(scheme.lower()) if sign else "", sys.intern(host), sys.intern(port), slash + path)

    @property
    def is_literal(self) -> bool:
        """Whether it has no placeholders, and scheme, host and port are valid."""
        return (
            self.scheme in ("", *DEFAULT_PORTS)
            and "{" not in self.host
            and (":" not in self.host or _IN_BRACKETS.fullmatch(self.host) is not None)
            and (not self.port or self.port.isdecimal())
        )


def with_variables(text: str, environment: Mapping[str, str]) -> str:
    """The text with what its `{$NAME}` and `{$NAME:default}` stand for in Caddy's environment."""
    return _VARIABLE.sub(lambda found: environment.get(found[1], found[2] or ""), text)


def split_host_port(text: str) -> tuple[str, str]:
    """Host and port of `HOST:PORT`, the port `""` where there is none. An IPv6 address keeps its brackets."""
    found = _AUTHORITY.fullmatch(text) if ":" in text else None
    return (found[1], found[2]) if found else (text, "")


def is_host_of(host: str, pattern: str) -> bool:
    """Whether the pattern matches the host: a star matches one label (https://caddyserver.com/docs/caddyfile/matchers#host)."""
    labels, wanted = host.split("."), pattern.split(".")
    return len(labels) == len(wanted) and all(w in ("*", label) for label, w in zip(labels, wanted, strict=True))


def plain_host(text: str) -> str:
    """A host as Caddy writes it, whatever its case, brackets and port: IDNA's ASCII where it has other characters.

    A trailing dot stays, because Caddy treats that as another name.
    """
    host = text.strip("[]") if text.startswith("[") else text.partition(":")[0] if text.count(":") < 2 else text
    host = host.lower()
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host

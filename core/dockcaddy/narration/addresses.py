"""A site's addresses as one opens them in a browser. Pure."""

import re
from collections.abc import Iterable, Iterator

from attrs import frozen

from dockcaddy import caddyfile
from dockcaddy.caddyfile import Block

# https://caddyserver.com/docs/caddyfile/concepts#addresses
_ADDRESS = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\[[^\]]*\]|[^/:]*)(?::(?P<port>\d+))?(?P<path>/.*)?", re.IGNORECASE
)
_USUAL = {"http": 80, "https": 443}


@frozen
class ListenPorts:
    """Where sites listen that name no port themselves."""

    http: int = 80
    https: int = 443

    @classmethod
    def of(cls, blocks: Iterable[Block]) -> "ListenPorts":
        """What the global options among top-level blocks say."""
        options = {child.keys[0]: child.keys[1] for block in blocks if not block.keys for child in _valued(block)}
        return cls(_number(options.get("http_port"), cls().http), _number(options.get("https_port"), cls().https))

    def url(self, address: str, *, has_tls: bool = False) -> str:
        """The URL of a site's address; what is no address stays as it is. `has_tls` where the site has a `tls` line."""
        found = _ADDRESS.fullmatch(address)
        if found is None or "{" in f"{found['host']}{found['port']}":
            return address
        port = int(found["port"] or 0)
        scheme = (found["scheme"] or "").lower() or self._scheme(port, bool(found["host"]) or has_tls)
        port = port or (self.http if scheme == "http" else self.https)
        shown = "" if port == _USUAL[scheme] else f":{port}"
        path = (found["path"] or "").rstrip("*")
        return f"{scheme}://{found['host'].lower() or 'localhost'}{shown}{path if path != '/' else ''}"

    def _scheme(self, port: int, is_secure: bool) -> str:
        """Caddy speaks TLS where a host is named, but for the port of HTTP."""
        if port in (self.http, _USUAL["http"]):
            return "http"
        return "https" if is_secure or port in (self.https, _USUAL["https"]) else "http"


def is_site(block: Block) -> bool:
    """Whether a top-level block is a site: neither the global options nor a snippet or named route."""
    return isinstance(caddyfile.group_key(block), frozenset)


def _valued(block: Block) -> Iterator[Block]:
    return (child for child in block.children if len(child.keys) > 1)


def _number(text: str | None, usual: int) -> int:
    return int(text) if text and text.isdecimal() else usual

"""Where sites listen, and their addresses as one opens them in a browser. Pure."""

from collections.abc import Iterable, Iterator

from attrs import frozen

from dockcaddy.caddyfile.addresses import DEFAULT_PORTS, SiteAddress
from dockcaddy.caddyfile.block import Block
from dockcaddy.caddyfile.merge import group_key

_USUAL = {scheme: int(port) for scheme, port in DEFAULT_PORTS.items()}


@frozen
class ListenPorts:
    """Where sites listen that name no port themselves."""

    http: int = 80
    https: int = 443

    @classmethod
    def of(cls, blocks: Iterable[Block]) -> "ListenPorts":
        """What the global options among top-level blocks say."""
        options = {line.keys[0]: line.keys[1] for line in global_options(blocks) if len(line.keys) > 1}
        return cls(_number(options.get("http_port"), cls().http), _number(options.get("https_port"), cls().https))

    def url(self, address: str, *, has_tls: bool = False) -> str:
        """The URL of a site's address; what is no address stays as it is. `has_tls` where the site has a `tls` line."""
        found = self._listening(address, has_tls=has_tls)
        if found is None:
            return address
        scheme, host, port, path = found
        shown = "" if port == _USUAL[scheme] else f":{port}"
        return f"{scheme}://{host or 'localhost'}{shown}{path if path != '/' else ''}"

    def needed_by(self, site: Block) -> frozenset[int]:
        """The ports of a site's addresses."""
        found = (self._listening(key.rstrip(","), has_tls=has_tls(site)) for key in site.keys if key != ",")
        return frozenset(each[2] for each in found if each is not None)

    def is_tls(self, site: Block) -> bool:
        """Whether Caddy speaks TLS at one of a site's addresses."""
        found = (self._listening(key.rstrip(","), has_tls=has_tls(site)) for key in site.keys if key != ",")
        return any(each is not None and each[0] == "https" for each in found)

    def _listening(self, address: str, *, has_tls: bool) -> tuple[str, str, int, str] | None:
        """Scheme, host, port and path; None for what is no address."""
        found = SiteAddress.parse(address)
        if not found.is_literal:
            return None
        port = int(found.port or 0)
        scheme = found.scheme or self._scheme(port, bool(found.host) or has_tls)
        port = port or (self.http if scheme == "http" else self.https)
        return scheme, found.host.lower(), port, found.path.rstrip("*")

    def _scheme(self, port: int, is_secure: bool) -> str:
        """Caddy speaks TLS where a host is named, but for the port of HTTP."""
        if port in (self.http, _USUAL["http"]):
            return "http"
        return "https" if is_secure or port in (self.https, _USUAL["https"]) else "http"


def is_site(block: Block) -> bool:
    """Whether a top-level block is a site: neither the global options, a snippet, a named route nor an `import`."""
    return isinstance(group_key(block), frozenset) and block.keys[0] != "import"


def has_tls(site: Block) -> bool:
    """Whether a site has a `tls` line."""
    return any(line.keys[:1] == ("tls",) for line in site.children)


def global_options(blocks: Iterable[Block]) -> Iterator[Block]:
    """The lines of the global options among top-level blocks."""
    return (line for block in blocks if not block.keys for line in block.children if line.keys)


def _number(text: str | None, usual: int) -> int:
    return int(text) if text and text.isdecimal() else usual

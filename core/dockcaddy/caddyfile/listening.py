"""The ports that sites listen on, and the URLs of their addresses. Pure."""

import sys
from collections.abc import Iterable, Iterator, Mapping

from attrs import field, frozen

from dockcaddy.caddyfile.addresses import DEFAULT_PORTS, SiteAddress, with_variables
from dockcaddy.caddyfile.block import Block

_USUAL = {scheme: int(port) for scheme, port in DEFAULT_PORTS.items()}


@frozen
class ListenPorts:
    """The ports of sites whose addresses name none.

    `environment` is that of Caddy: what variables in addresses stand for. Where it is not known, they stay as written.
    """

    http: int = 80
    https: int = 443
    environment: Mapping[str, str] | None = field(default=None, eq=False, repr=False)

    @classmethod
    def of(cls, blocks: Iterable[Block], usual: "ListenPorts | None" = None) -> "ListenPorts":
        """The ports that the global options among top-level blocks set, else the `usual` ones, by default Caddy's."""
        values, otherwise = option_values(global_options(blocks)), usual or cls()
        return cls(
            _number(values.get("http_port", ()), otherwise.http), _number(values.get("https_port", ()), otherwise.https)
        )

    def url(self, address: str, *, has_tls: bool = False) -> str:
        """The URL of a site's address; text that is no address is returned as it is. `has_tls` where the site has a `tls` line."""
        found = self._listening(address, has_tls=has_tls)
        if found is None:
            return address
        scheme, host, port, path = found
        shown = "" if port == _USUAL[scheme] else f":{port}"
        return sys.intern(f"{scheme}://{host or 'localhost'}{shown}{path if path != '/' else ''}")

    def urls(self, addresses: Iterable[str], *, has_tls: bool = False) -> tuple[str, ...]:
        """The URLs of the addresses of a site's line. A variable may stand for several."""
        words = (word for each in addresses for word in self._filled(each))
        return tuple(dict.fromkeys(self.url(each, has_tls=has_tls) for each in words))

    def _filled(self, address: str) -> Iterable[str]:
        if self.environment is not None and "{$" in address:
            return with_variables(address, self.environment).replace(",", " ").split() or (address,)
        return filter(None, (address.rstrip(","),))

    def needed_by(self, site: Block) -> frozenset[int]:
        """The ports of a site's addresses."""
        found = (self._listening(key.rstrip(","), has_tls=has_tls(site)) for key in site.keys if key != ",")
        return frozenset(each[2] for each in found if each is not None)

    def is_tls(self, site: Block) -> bool:
        """Whether Caddy serves TLS at one of a site's addresses."""
        found = (self._listening(key.rstrip(","), has_tls=has_tls(site)) for key in site.keys if key != ",")
        return any(each is not None and each[0] == "https" for each in found)

    def _listening(self, address: str, *, has_tls: bool) -> tuple[str, str, int, str] | None:
        """Scheme, host, port and path; None where the address is not literal."""
        found = SiteAddress.parse(address)
        if not found.is_literal:
            return None
        port = int(found.port or 0)
        scheme = found.scheme or self._scheme(port, bool(found.host) or has_tls)
        port = port or (self.http if scheme == "http" else self.https)
        return scheme, found.host.lower(), port, found.path.rstrip("*")

    def _scheme(self, port: int, is_secure: bool) -> str:
        """Caddy serves TLS where a host is named, except on the port for HTTP."""
        if port in (self.http, _USUAL["http"]):
            return "http"
        return "https" if is_secure or port in (self.https, _USUAL["https"]) else "http"


def is_site(block: Block) -> bool:
    """Whether a top-level block is a site: neither the global options, a snippet, a named route nor an `import`."""
    return bool(block.keys) and not block.is_definition and block.keys[0] != "import"


def has_tls(site: Block) -> bool:
    """Whether a site has a `tls` line."""
    return any(line.keys[:1] == ("tls",) for line in site.children)


def global_options(blocks: Iterable[Block]) -> Iterator[Block]:
    """The lines of the global options among top-level blocks."""
    return (line for block in blocks if not block.keys for line in block.children if line.keys)


def option_values(lines: Iterable[Block]) -> dict[str, tuple[str, ...]]:
    """The arguments of the options that have any, by name; of several with one name the last one counts."""
    return {line.keys[0]: line.keys[1:] for line in lines if len(line.keys) > 1}


def _number(arguments: tuple[str, ...], usual: int) -> int:
    return int(arguments[0]) if arguments and arguments[0].isdecimal() else usual

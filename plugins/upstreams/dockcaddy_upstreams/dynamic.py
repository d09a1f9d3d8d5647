"""Proxies that read their upstreams from files: containers start and stop without a new configuration.

Each proxy with `{{upstreams}}` has a number of places for addresses, and each place has a file. Caddy reads the file at
each request (https://caddyserver.com/docs/conventions#placeholders). It holds an address, so Caddy asks no DNS server
(https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#multi).
"""

import re
from collections.abc import Iterable
from hashlib import sha256
from itertools import cycle

from attrs import define, evolve, field, frozen
from dockcaddy import Block, SiteContext, split_matcher

from dockcaddy_upstreams.address_files import NAME, placeholder

# An address reserved for documentation (RFC 5737). `upstreams` adds it to its result, which contains nothing else while no
# container runs. It marks proxies that can read their upstreams from files, and preserves the port. It is plain text because
# labels can put the result of `upstreams` into any text.
MARK = "192.0.2.0"
# The possible numbers of places of a proxy: it gets the first one that is large enough. Addresses fill the places in turn, so
# that each gets the same number of places, or one more. With more places, reading the files costs more than a reload.
PLACES = (6, 12)
# the grace period in seconds: how long a site stays while its container is restarted or replaced
LINGER = 15.0

_MARKED = re.compile(rf"(?:[a-z0-9]+://)?{re.escape(MARK)}(?::\d+)?(?: |$)")
_UPSTREAM = re.compile(r"(?:([a-z0-9]+)://)?(\[[0-9a-fA-F:.]+\]|[0-9.]+)(?::(\d+))?")
# Caddy checks the health of static upstreams only
_KNOWN_BEFOREHAND = frozenset(("dynamic", "to", "health_uri", "health_path", "health_port", "health_upstream"))
# scheme -> the default port, and the option of the transport that it needs
_SCHEMES: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("80", ()),
    "http": ("80", ()),
    "https": ("443", ("tls",)),
    "h2c": ("80", ("versions", "h2c", "2")),
}


@frozen
class _Proxy:
    """A proxy whose upstreams are addresses with one port; `transport` is the option that their scheme needs."""

    block: Block
    matcher: tuple[str, ...]
    port: str
    transport: tuple[str, ...]
    addresses: tuple[str, ...]


def with_names(context: SiteContext, site: Block) -> Block:
    """The site with files instead of addresses in each proxy that uses `upstreams`."""
    return _Naming(context).rewritten(site, ()) if _is_marked(site) else site


def _is_marked(block: Block) -> bool:
    return any(MARK in key for key in block.keys) or any(map(_is_marked, block.children))


@define
class _Naming:
    context: SiteContext
    given: set[str] = field(factory=set)

    def rewritten(self, block: Block, path: tuple[tuple[str, ...], ...]) -> Block:
        """The block with files; if that is not possible, the block with its addresses and without marks."""
        proxy = _proxy(block)
        if proxy is not None and (places := self._places(path, proxy)):
            return _reading(proxy, places)
        keys = _unmarked(block.keys)
        children = tuple([self.rewritten(child, (*path, keys)) for child in block.children])
        return evolve(block, keys=keys, children=children)

    def _places(self, path: tuple[tuple[str, ...], ...], proxy: _Proxy) -> tuple[str, ...]:
        """The placeholders of the proxy's places; none if its upstreams have to be in the configuration."""
        name = _name(path, proxy)
        count = next((each for each in PLACES if len(proxy.addresses) <= each), 0)
        if name in self.given or not count:
            return ()
        self.given.add(name)
        # None while the service fails, "" while Caddy cannot read files; the service needs the addresses for its next try
        folder = self.context.state(NAME, self.context.proxy.address_folder)
        placeholders = [placeholder(folder or self.context.proxy.address_folder, name, place) for place in range(count)]
        for each, address in zip(placeholders, cycle(proxy.addresses or ("",)), strict=False):
            self.context.note_placeholder(each, address)
        return tuple(placeholders) if folder else ()


def _unmarked(keys: Iterable[str]) -> tuple[str, ...]:
    plain = ((key, _MARKED.sub("", key).rstrip() if MARK in key else key) for key in keys)
    return tuple([after for before, after in plain if after or not before])


def _proxy(block: Block) -> _Proxy | None:
    """The block as a proxy that can read its upstreams from files; None if it cannot."""
    words = block.keys[1:]
    if block.keys[:1] != ("reverse_proxy",) or not any(MARK in word for word in words):
        return None
    if any(child.keys[:1] and child.keys[0] in _KNOWN_BEFOREHAND for child in block.children):
        return None
    matcher, addresses = split_matcher(words)
    upstreams = [_UPSTREAM.fullmatch(word) for word in addresses]
    kinds = {(found[1] or "", found[3] or "") if found else None for found in upstreams}
    kind = kinds.pop()
    if kinds or kind is None or kind[0] not in _SCHEMES:
        return None
    port, transport = _SCHEMES[kind[0]]
    hosts = tuple([found[2].strip("[]") for found in upstreams if found and found[2] != MARK])
    return _Proxy(block, (matcher,) if matcher else (), kind[1] or port, transport, hosts)


def _name(path: tuple[tuple[str, ...], ...], proxy: _Proxy) -> str:
    """A unique name for this place in the configuration. It contains the site's address to be readable."""
    place = sha256(repr((path, proxy.matcher, proxy.port, proxy.transport)).encode()).hexdigest()[:12]
    address = path[0][0].lower().rpartition("://")[2] if path and path[0] else ""
    readable = re.sub(r"[^a-z0-9]+", "-", address).strip("-")[:40].strip("-")
    return f"{readable}-{place}" if readable else place


def _reading(proxy: _Proxy, places: tuple[str, ...]) -> Block:
    origins = proxy.block.origins

    def line(*keys: str, within: tuple[Block, ...] = ()) -> Block:
        return Block(keys, within, origins=origins)

    sources = tuple(line("a", each, proxy.port) for each in places)
    source = line("dynamic", "multi", within=sources)
    children = proxy.block.children
    if proxy.transport:
        children = _with_transport(children, line(*proxy.transport))
    return evolve(proxy.block, keys=("reverse_proxy", *proxy.matcher), children=(source, *children))


def _with_transport(children: tuple[Block, ...], option: Block) -> tuple[Block, ...]:
    """The children with this option of the HTTP transport, unless they have it."""
    for place, child in enumerate(children):
        if child.keys[:1] == ("transport",):
            has_option = any(each.keys[:1] == option.keys[:1] for each in child.children)
            changed = child if has_option else evolve(child, children=(option, *child.children))
            return (*children[:place], changed, *children[place + 1 :])
    return (Block(("transport", "http"), (option,), origins=option.origins), *children)

"""Blocks of several sources become one tree, by caddy-docker-proxy's rules.

A block meets those before it that have the same first token: `reverse_proxy` and `php_fastcgi` with an equal matcher
join their upstreams, otherwise equal blocks join their children. What meets nothing is appended.
"""

import re
from collections.abc import Hashable, Iterable

from attrs import define, evolve, field

from dockcaddy.caddyfile.block import Block, Origin

_JOINING = frozenset(("reverse_proxy", "php_fastcgi"))
_ADDRESS = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\[[^\]]*\]|[^/:]*)(?::(?P<port>\d+))?(?P<path>/.*)?", re.IGNORECASE
)
_PORTS = {"http": "80", "https": "443"}
_SCHEMES = {port: scheme for scheme, port in _PORTS.items()}


def group_key(block: Block) -> Hashable:
    """Top-level blocks with different group keys never meet: a site's addresses whatever their order and spelling."""
    if not block.keys or block.keys[0].startswith("("):
        return block.keys
    return frozenset(_address(key) for key in block.keys if key != ",")


def _address(key: str) -> Hashable:
    """One site address, so that spellings Caddy serves as one site are equal (https://caddyserver.com/docs/caddyfile/concepts#addresses)."""
    match = _ADDRESS.fullmatch(key.removesuffix(","))
    if match is None:
        return key
    port = match["port"] or ""
    scheme = (match["scheme"] or _SCHEMES.get(port, "https")).lower()
    return scheme, match["host"].lower(), port or _PORTS[scheme], match["path"] or ""


def merge(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Merge top-level blocks in their order; equal sites, also in another spelling, become one.

    What an operator wrote in a Caddyfile meets only what is spelled the same, as with caddy-docker-proxy.
    """
    sites: dict[Hashable, list[_Merged]] = {}
    for block in blocks:
        known = sites.setdefault(group_key(block), [])
        before = next((each for each in known if each.meets(block)), None)
        if before is None:
            known.append(_Merged(block))
        else:
            before.join(block)
    return tuple(merged.frozen() for known in sites.values() for merged in known)


@define(eq=False)
class _Merged:
    """A block that others may still join. Its children are opened only when that happens."""

    block: Block
    keys: list[str] = field(init=False)
    origins: dict[Origin, None] = field(init=False)
    children: "list[_Merged] | None" = None
    by_name: "dict[str, list[_Merged]]" = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.keys = list(self.block.keys)
        self.origins = dict.fromkeys(self.block.origins)

    def meets(self, other: Block) -> bool:
        """Whether a top-level block with an equal group key is the same site."""
        return tuple(self.keys) == other.keys or (_from_labels(self.block) and _from_labels(other))

    def frozen(self) -> Block:
        """The block with all that joined it."""
        children = self.block.children if self.children is None else tuple(child.frozen() for child in self.children)
        return evolve(self.block, keys=tuple(self.keys), children=children, origins=tuple(self.origins))

    def join(self, other: Block) -> None:
        """Take over the origins and children of an equal block."""
        self.origins.update(dict.fromkeys(other.origins))
        if self.children is None:
            self.children = []
            for child in self.block.children:
                self._append(child)
        for child in other.children:
            self._take(child)

    def _append(self, child: Block) -> None:
        merged = _Merged(child)
        assert self.children is not None
        self.children.append(merged)
        self.by_name.setdefault(_first(child), []).append(merged)

    def _take(self, child: Block) -> None:
        name = _first(child)
        for candidate in self.by_name.get(name, ()):
            if name in _JOINING and _matcher(tuple(candidate.keys)) == _matcher(child.keys):
                known = frozenset(candidate.keys)
                candidate.keys += [key for key in _arguments(child.keys) if key not in known]
                candidate.join(child)
                return
            if tuple(candidate.keys) == child.keys:
                candidate.join(child)
                return
        self._append(child)


def _from_labels(block: Block) -> bool:
    return all(origin.label for origin in block.origins)


def _first(block: Block) -> str:
    return block.keys[0] if block.keys else ""


def _is_matcher(key: str) -> bool:
    return key == "*" or key.startswith(("/", "@"))


def _matcher(keys: tuple[str, ...]) -> str:
    return keys[1] if len(keys) > 1 and _is_matcher(keys[1]) else "*"


def _arguments(keys: tuple[str, ...]) -> tuple[str, ...]:
    return keys[2:] if len(keys) > 1 and _is_matcher(keys[1]) else keys[1:]

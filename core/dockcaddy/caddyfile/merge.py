"""Blocks of several sources become one tree, by caddy-docker-proxy's rules.

A block meets those before it that have the same first token: `reverse_proxy` and `php_fastcgi` with an equal matcher
join their upstreams, otherwise equal blocks join their children. What meets nothing is appended. Of several that are
equal in both, as two `route` without a matcher in each of two replicas, the second meets the second.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable

from attrs import define, evolve, field

from dockcaddy.caddyfile.addresses import DEFAULT_PORTS, SiteAddress
from dockcaddy.caddyfile.block import Block, Origin
from dockcaddy.caddyfile.directives import PROXIES
from dockcaddy.caddyfile.matchers import split_matcher

_SCHEMES = {port: scheme for scheme, port in DEFAULT_PORTS.items()}


def group_key(block: Block) -> Hashable:
    """Only top-level blocks with equal group keys are merged: those of a site are its addresses, in any order and spelling."""
    if not block.keys or block.is_definition:
        return block.keys
    return frozenset(_address(key) for key in block.keys if key != ",")


def _address(key: str) -> Hashable:
    """One site address in a form that is equal for all spellings of one site."""
    address = SiteAddress.parse(key)
    if not address.is_literal:
        return key.removesuffix(",")
    port = address.port.lstrip("0")
    scheme = address.scheme or _SCHEMES.get(port, "https")
    return scheme, address.host.lower().strip("[]"), port or DEFAULT_PORTS[scheme], address.path


def merge(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Merge top-level blocks in their order; equal sites, also in another spelling, become one.

    What an operator wrote in a Caddyfile meets only what is spelled the same, as with caddy-docker-proxy.
    """
    blocks = tuple(blocks)
    if len(blocks) < 2:
        return blocks
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
    """A block that others may join. Its children are copied only when that happens."""

    block: Block
    keys: list[str] = field(init=False)
    origins: dict[Origin, None] = field(factory=dict)
    children: "list[_Merged] | None" = None
    of_kind: "dict[Hashable, list[_Merged]]" = field(factory=lambda: defaultdict(list))

    def __attrs_post_init__(self) -> None:
        self.keys = list(self.block.keys)

    def meets(self, other: Block) -> bool:
        """Whether a top-level block with an equal group key is the same site."""
        return self.block.keys == other.keys or (_from_labels(self.block) and _from_labels(other))

    def frozen(self) -> Block:
        """The block with all that joined it."""
        if self.children is None:
            return self.block
        children = tuple([child.frozen() for child in self.children])
        return evolve(self.block, keys=tuple(self.keys), children=children, origins=tuple(self.origins))

    def join(self, other: Block) -> None:
        """Add the origins and children of an equal block, and the upstreams of a proxy."""
        if self.children is None:
            self.children = []
            self.origins = dict.fromkeys(self.block.origins)
            for child in self.block.children:
                self._append(child)
        self.origins.update(dict.fromkeys(other.origins))
        if _first(other) in PROXIES:
            known = frozenset(self.keys)
            self.keys += [key for key in dict.fromkeys(split_matcher(other.keys[1:])[1]) if key not in known]
        kinds = [merge_key(child.keys) for child in other.children]
        before = {kind: len(self.of_kind[kind]) for kind in kinds if kind in self.of_kind}
        met = Counter[Hashable]()
        for kind, child in zip(kinds, other.children, strict=True):
            if kind in self.of_kind:
                self.of_kind[kind][met[kind] if met[kind] < before.get(kind, 0) else 0].join(child)
                met[kind] += 1
            else:
                self._append(child)

    def _append(self, child: Block) -> None:
        merged = _Merged(child)
        assert self.children is not None
        self.children.append(merged)
        self.of_kind[merge_key(child.keys)].append(merged)


def merge_key(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Lines of one block with equal merge keys become one: proxies with equal matchers, others with equal tokens."""
    return (keys[0], split_matcher(keys[1:])[0] or "*") if keys and keys[0] in PROXIES else keys


def _from_labels(block: Block) -> bool:
    return all(origin.label for origin in block.origins)


def _first(block: Block) -> str:
    return block.keys[0] if block.keys else ""

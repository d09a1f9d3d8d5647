"""The fragment: the blocks that one source contributes to the Caddyfile, kept or left out as a whole."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

from attrs import frozen

from dockcaddy import caddyfile
from dockcaddy.caddyfile import Block, Origin, Place, plain_host
from dockcaddy.model import Problem, Resource

# What the operator wrote stays where a container's label contradicts it.
MOST_SENIOR = -1
# the empty set of all fragments: Python makes another one each time, and of thousands they take megabytes
NOTHING: frozenset[Any] = frozenset()
_NO_PLACEHOLDERS: Mapping[str, str] = MappingProxyType({})


@frozen(eq=False)
class Section:
    """A top-level block of a Caddyfile with its text, and its place among others. The same section is the same object.

    `placeholders`, with their present values, and `problems` are those that site transformers noted.
    """

    block: Block
    text: str
    place: Place
    placeholders: Mapping[str, str] = _NO_PLACEHOLDERS
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, block: Block) -> "Section":
        """The section of a block as it is."""
        return cls(block, caddyfile.write_block(block), caddyfile.merged_key(block))


def sections_of(blocks: Iterable[Block], route_order: str = "caddy") -> tuple[Section, ...]:
    """The sections of blocks that are merged with each other, in their order."""
    return tuple(map(Section.of, caddyfile.sort(caddyfile.merge(blocks), route_order)))


def text_of(sections: Sequence[Section]) -> str:
    """The Caddyfile of sections."""
    texts = [each.text for each in sections]
    if sections and not sections[-1].block.children:
        # the last one goes without braces
        texts[-1] = caddyfile.write_block(sections[-1].block, last=True)
    return "".join(texts)


@frozen(eq=False)
class Fragment:
    """The blocks that one source contributes, and the problems found in it. Compared by identity.

    `key` identifies the source (`local/4f1c2d9e...`), `owner` is its name in messages. In a conflict, the fragment with
    the lower `seniority` wins. A `refused` fragment was refused by an admission rule and is never delivered; its blocks,
    if any, are only shown.

    `addresses` are those of the resource at that time, none if it is stopping. `grace_period` is how many seconds the
    fragment is kept after the resource is gone. `conditional` are the labels with conditions, each with its template.
    `intended` are the names of snippets and named routes in its labels; a fragment without blocks fails to define them.
    `bare` are the labels of sites without any directive. With `is_stopped`, its container has stopped; with `is_page`, its
    sites answer with a page that says so. `resource` is the one whose labels document rules check, and `caddy` the
    container that Caddy runs in; there is none for the operator's own, and for what Caddy accepted in an earlier run.
    """

    key: str
    owner: str
    seniority: int
    blocks: tuple[Block, ...] = ()
    problems: tuple[Problem, ...] = ()
    refused: bool = False
    addresses: tuple[str, ...] = ()
    grace_period: float = 0.0
    conditional: frozenset[tuple[str, str]] = frozenset()
    intended: tuple[str, ...] = ()
    bare: frozenset[Origin] = frozenset()
    is_stopped: bool = False
    is_page: bool = False
    resource: Resource | None = None
    caddy: Resource | None = None

    @property
    def failed(self) -> bool:
        """Whether an error left it without blocks."""
        return not self.blocks and any(problem.severity == "error" for problem in self.problems)

    @property
    def is_operators(self) -> bool:
        """Whether it comes from the operator and not from the labels of a resource."""
        return self.seniority < 0

    @cached_property
    def group_keys(self) -> tuple[Hashable, ...]:
        """The group of each of its blocks."""
        return tuple(map(caddyfile.group_key, self.blocks))

    @property
    def groups(self) -> frozenset[Hashable]:
        """The groups by which its blocks are merged. Two fragments affect each other if they share a group."""
        return frozenset(self.group_keys)

    @cached_property
    def definitions(self) -> frozenset[Hashable]:
        """The groups of global options and snippets, which affect other fragments."""
        return frozenset(filter(is_definition, self.groups)) or NOTHING

    def sections(self, route_order: str = "caddy") -> tuple[Section, ...]:
        """The fragment alone as sections. Everybody gets the same ones."""
        return self._sections if route_order == "caddy" else self._alphabetical

    @cached_property
    def _sections(self) -> tuple[Section, ...]:
        return sections_of(self.blocks)

    @cached_property
    def _alphabetical(self) -> tuple[Section, ...]:
        return sections_of(self.blocks, "alphabetical")

    @cached_property
    def content(self) -> str:
        """The fragment alone as Caddyfile text. Caddy treats fragments of equal content equally."""
        return text_of(self.sections())

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The hosts of its sites' addresses."""
        addresses = (address for group in self.groups if isinstance(group, frozenset) for address in group)
        return frozenset(address[1] for address in addresses if isinstance(address, tuple))

    @cached_property
    def plain_hosts(self) -> frozenset[str]:
        """The same hosts as Caddy writes them."""
        return frozenset(map(plain_host, self.hosts))

    @cached_property
    def shape(self) -> Hashable:
        """The names and places of its directives, without arguments. Caddy tends to treat equal shapes equally."""
        return frozenset(name for block in self.blocks for name in _names(block.children, (_ports(block),)))


def _ports(block: Block) -> Hashable:
    group = caddyfile.group_key(block)
    if not isinstance(group, frozenset):
        return block.keys[:1]
    return frozenset(address[2] for address in group if isinstance(address, tuple))


def _names(blocks: Iterable[Block], path: tuple[Hashable, ...]) -> Iterator[tuple[Hashable, ...]]:
    yield path
    for block in blocks:
        name = block.keys[0] if block.keys else ""
        yield from _names(block.children, (*path, block.keys[1:2] if name.startswith("@") else name))


def is_definition(group: Hashable) -> bool:
    """Whether blocks of this group are for others to use: global options and snippets."""
    return isinstance(group, tuple)

"""The label grammar: keys to places in the Caddyfile tree, values to tokens, as caddy-docker-proxy reads them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from attrs import define, field

from dockcaddy.caddyfile import NO_ORDER, Block, CaddyfileError, Origin, lex_value, quote
from dockcaddy.errors import LabelError
from dockcaddy.hookspecs import Label

DEEPEST = 64
LONGEST_KEY = 4096
LONGEST_VALUE = 1024 * 1024

_ESCAPED_DOT = "\0"
_SEGMENT = re.compile(r"(?:(?P<order>\d+)_)?(?P<name>.+?)(?:_(?P<suffix>\d+))?", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# under these a child's name is a header field, and `_1` may be part of it
_NAMES_FIELDS = frozenset(("header", "header_up", "header_down", "request_header", "copy_headers"))


def select(labels: Mapping[str, str], prefix: str) -> tuple[Label, ...]:
    """The labels under the prefix (`PREFIX`, `PREFIX_1`, `PREFIX.x`), by key, with the prefix normalised to `caddy`."""
    ours = re.compile(rf"{re.escape(prefix)}(?=(?:_\d+)?(?:\.|\Z))")
    return tuple(
        Label("caddy" + key[len(prefix) :], labels[key], key)
        for key in sorted(key for key in labels if key.startswith(prefix))
        if ours.match(key)
    )


def build(labels: Iterable[Label], resource: str, *, suffix_names: bool = False) -> tuple[Block, ...]:
    """The blocks that rendered labels describe. `resource` names their origin.

    `_N` at a name's end only keeps two equal directives apart and is cut off; of matchers and of single header fields
    it is part of the name, unless `suffix_names` asks for caddy-docker-proxy's way. Raises LabelError.
    """
    tree = _Tree(resource)
    for label in labels:
        tree.add(label)
    return tuple(node.block(cut_all=suffix_names) for node in tree.tops)


@define(eq=False)
class _Node:
    """A path of the label tree: what the segment says, and the tokens of the label that ends there."""

    name: str
    order: int
    suffix: str
    origins: dict[Origin, None] = field(factory=dict)
    arguments: list[str] = field(factory=list)
    children: "list[_Node]" = field(factory=list)
    top: bool = False

    def block(self, *, cut_all: bool, alone: bool = True, names_fields: bool = False) -> Block:
        """The node as a block; `alone` tells that no sibling has the same name with another suffix."""
        named = defaultdict(int)  # type: defaultdict[str, int]
        for child in self.children:
            named[child.name] += 1
        fields = self.name in _NAMES_FIELDS
        children = tuple(
            child.block(cut_all=cut_all, alone=named[child.name] == 1, names_fields=fields) for child in self.children
        )
        keys = () if self.top else (self._written_name(cut_all, alone, names_fields),)
        return Block((*keys, *self.arguments), children, self.order, tuple(self.origins))

    def _written_name(self, cut_all: bool, alone: bool, names_fields: bool) -> str:
        keeps = self.suffix and not cut_all and (self.name.startswith("@") or (names_fields and alone))
        return f"{self.name}_{self.suffix}" if keeps else self.name


@define(eq=False)
class _Tree:
    resource: str
    tops: list[_Node] = field(factory=list)
    _by_path: dict[str, _Node] = field(factory=dict)

    def add(self, label: Label) -> None:
        """Put one label into its place."""
        if len(label.value) > LONGEST_VALUE:
            raise LabelError(label.origin, f"the value is longer than {LONGEST_VALUE} characters")
        node = self._node(_checked_key(label), label)
        try:
            tokens = lex_value(label.value)
            for token in tokens:
                quote(token)
        except CaddyfileError as error:
            raise LabelError(label.origin, str(error)) from error
        node.arguments += tokens

    def _node(self, path: str, label: Label) -> _Node:
        node = self._by_path.get(path)
        if node is None:
            parent, _, segment = path.rpartition(".")
            node = _node_of(segment)
            self._by_path[path] = node
            if parent:
                self._node(parent, label).children.append(node)
            else:
                node.top = True
                self.tops.append(node)
        node.origins[Origin(self.resource, label.origin)] = None
        return node


def _node_of(segment: str) -> _Node:
    match = _SEGMENT.fullmatch(segment)
    assert match is not None
    order = int(match["order"]) if match["order"] and len(match["order"]) < 10 else NO_ORDER
    return _Node(match["name"].replace(_ESCAPED_DOT, "."), order, match["suffix"] or "")


def _checked_key(label: Label) -> str:
    key = label.key
    if len(key) > LONGEST_KEY:
        raise LabelError(label.origin[:100] + "...", f"the key is longer than {LONGEST_KEY} characters")
    if _CONTROL.search(key):
        raise LabelError(repr(label.origin), "the key holds a control character")
    path = key.replace("\\.", _ESCAPED_DOT)
    segments = path.split(".")
    if len(segments) > DEEPEST:
        raise LabelError(label.origin, f"the key is nested deeper than {DEEPEST} levels")
    if "" in segments:
        raise LabelError(label.origin, 'the key has an empty part, write "\\." for a dot that belongs to a name')
    return path

"""The label grammar: keys to places in the Caddyfile tree, values to tokens, as caddy-docker-proxy reads them."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from attrs import define, field

from dockcaddy.caddyfile import MAX_DEPTH, NO_ORDER, Block, Origin, lex_value
from dockcaddy.engine.records.label_keys import under
from dockcaddy.errors import LabelError
from dockcaddy.hookspecs import Label
from dockcaddy.settings import limits

_ESCAPED_DOT = "\0"
_SEGMENT = re.compile(r"(?:([0-9]+)_)?(.+?)(?:_([0-9]+))?", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# a default without what would open or end something: a quote, a comment, a heredoc, a brace; where there is a space in
# it the whole is written in quotes
_REFERENCE = re.compile(r"\{\$[A-Za-z_][A-Za-z0-9_]*(?::(?:[^\s\x00-\x1f\x7f\"'`#<>{}\\]| )*)?\}")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
# Go reads a number that is too large as the largest there is.
_LARGEST = 2**63 - 1
# a value of more characters is hardly one that other containers have too
_SHORT = 200
# Under these a child's name is data (a header field, a user, a variable), and `_1` may be part of it.
_NAMING = frozenset(
    ("header", "header_up", "header_down", "request_header", "copy_headers", "basic_auth", "basicauth", "vars")
)


def select(labels: Mapping[str, str], prefix: str) -> tuple[Label, ...]:
    """The labels under the prefix (`PREFIX`, `PREFIX_1`, `PREFIX.x`), by key, with the prefix normalised to `caddy`.

    Raises LabelError for more than anybody writes.
    """
    keys = under(tuple(labels), prefix)
    _check_size(keys, labels)
    return tuple([Label("caddy" + key[len(prefix) :], labels[key], key) for key in keys])


def _check_size(keys: Sequence[str], labels: Mapping[str, str]) -> None:
    if len(keys) > limits.MAX_LABELS:
        raise LabelError("", f"there are {len(keys)} labels, more than {limits.MAX_LABELS}")
    for key in keys:
        if len(key) > limits.MAX_LABEL_KEY:
            raise LabelError(key[:100] + "...", f"the key is longer than {limits.MAX_LABEL_KEY} characters")
        if len(labels[key]) > limits.MAX_LABEL_VALUE:
            raise LabelError(key, f"the value is longer than {limits.MAX_LABEL_VALUE} characters")
    if sum(len(key) + len(labels[key]) for key in keys) > limits.MAX_LABEL_TEXT:
        raise LabelError("", f"the labels are longer than {limits.MAX_LABEL_TEXT} characters together")


def build(labels: Iterable[Label], resource: str, *, suffix_names: bool = False) -> tuple[Block, ...]:
    """The blocks that rendered labels describe. `resource` names their origin.

    `_N` at the end of a directive's name only keeps two of them apart and is cut off. At the end of a name that people
    chose (a matcher, a header field, a user) it belongs to the name, except where it can only keep equal ones apart:
    a matcher that values mention without it, a header field added (`+X_0`, `+X_1`) or replaced in several times.
    `suffix_names` cuts it off everywhere, as caddy-docker-proxy does.

    Raises LabelError for a key without a place, a value beyond measure and a site without an address.
    """
    tree = _Tree(resource)
    for label in labels:
        tree.add(label)
    mentioned = None if suffix_names else tree.mentioned_matchers()
    return tuple(node.block((), mentioned) for node in tree.tops)


@define(eq=False)
class _Node:
    """A node of the label tree: its segment, and the tokens of the label that ends there."""

    name: str
    order: int = NO_ORDER
    suffix: str = ""
    own: tuple[Origin, ...] = ()
    beneath: tuple[Origin, ...] = ()
    arguments: tuple[str, ...] = ()
    children: "list[_Node]" = field(factory=list)
    conditional: bool = False

    def block(self, keys: tuple[str, ...], mentioned: Collection[str] | None) -> Block:
        """The node as a block whose tokens begin with `keys`. `mentioned` is None if every suffix is cut off."""
        repeats = self._repeats() if self.name in _NAMING else {}
        children = tuple([child.block((_name_of(child, mentioned, repeats),), mentioned) for child in self.children])
        number = min(int(self.suffix), _LARGEST) if self.suffix else 0
        origins = self.own or self.beneath
        return Block(_keys(keys, self.arguments), children, self.order, origins, number, self.conditional)

    def _repeats(self) -> Mapping[str, bool]:
        """For each name that people chose, whether a suffix only keeps several of that name apart."""
        equal: defaultdict[str, list[_Node]] = defaultdict(list)
        for child in self.children:
            equal[child.name].append(child)
        return {
            name: len(nodes) > 1 and (name.startswith("+") or all(len(each.arguments) > 1 for each in nodes))
            for name, nodes in equal.items()
        }


def _name_of(child: _Node, mentioned: Collection[str] | None, repeats: Mapping[str, bool]) -> str:
    if not child.suffix or mentioned is None:
        return child.name
    full = f"{child.name}_{child.suffix}"
    if child.name.startswith("@"):
        return full if full in mentioned or child.name not in mentioned else child.name
    return child.name if repeats.get(child.name, True) else full


@define(eq=False)
class _Tree:
    resource: str
    tops: list[_Node] = field(factory=list)
    _variables: int = 0
    _by_path: dict[str, _Node] = field(factory=dict)

    def add(self, label: Label) -> None:
        """Add one label to the tree."""
        path = _checked_path(label.key, label.origin)
        if len(label.value) > limits.MAX_LABEL_VALUE:
            raise LabelError(label.origin, f"the value is longer than {limits.MAX_LABEL_VALUE} characters")
        # every token that a value can be split into has a form in a Caddyfile
        tokens = _tokens(label.value) if len(label.value) <= _SHORT else tuple(lex_value(label.value))
        _check_references(label, path, tokens)
        if "{$" in label.value or "{$" in path:
            self._variables += label.value.count("{$") + path.count("{$")
        if self._variables > limits.MAX_LABEL_VARIABLES:
            raise LabelError(label.origin, f"there are more than {limits.MAX_LABEL_VARIABLES} references to variables")
        if "." not in path and tokens and not any(token.strip(",") for token in tokens):
            raise LabelError(label.origin, "the site address is empty")
        origin = (Origin(self.resource, label.origin),)
        node = self._node(path, origin)
        node.own += origin
        node.arguments += tokens
        node.conditional |= label.conditional

    def mentioned_matchers(self) -> Collection[str]:
        """The tokens of all values that may be a matcher's name."""
        return {token for node in self._by_path.values() for token in node.arguments if token.startswith("@")}

    def _node(self, path: str, origin: tuple[Origin, ...]) -> _Node:
        node = self._by_path.get(path)
        if node is None:
            parent, _, segment = path.rpartition(".")
            node = self._by_path[path] = _Node(*_parts_of(segment))
            if parent:
                above = self._node(parent, origin)
                above.children.append(node)
                above.beneath += origin
            else:
                self.tops.append(node)
        return node


def _check_references(label: Label, path: str, tokens: Iterable[str]) -> None:
    """Caddy fills in `{$NAME}` before it reads any structure: an open one would swallow what follows in the file, a
    default value with a quote in it would open one.
    """
    if "{$" not in label.value and "{$" not in path:
        return
    for text in (*path.split("."), *tokens):
        if "{$" in _REFERENCE.sub("", text):
            raise LabelError(label.origin, f'"{text[:60]}" is not a whole reference to a variable, expected {{$NAME}}')


@lru_cache(maxsize=1024)
def _tokens(value: str) -> tuple[str, ...]:
    """The tokens of a short value. Thousands of containers have the same values, and share these."""
    return tuple(lex_value(value))


def _keys(keys: tuple[str, ...], arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The tokens of a line. Thousands of containers have the same short lines, and share these."""
    made = keys + arguments
    # a quoted token with a variable is equal to one without quotes
    is_short = sum(map(len, made)) <= _SHORT and not any("{$" in each for each in made)
    return _shared_keys(made) if is_short else made


@lru_cache(maxsize=1024)
def _shared_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    return keys


@lru_cache(maxsize=1024)
def _parts_of(segment: str) -> tuple[str, int, str]:
    """The name, the order and the suffix in a part of a key, which thousands of containers have too."""
    match = _SEGMENT.fullmatch(segment)
    assert match is not None
    order, name, suffix = match.groups()
    if _ESCAPED_DOT in name:
        name = name.replace(_ESCAPED_DOT, ".")
    return name, min(int(order), _LARGEST) if order else NO_ORDER, suffix or ""


@lru_cache(maxsize=1024)
def _checked_path(key: str, origin: str) -> str:
    """The key with its escaped dots replaced. `origin` is the label that it is from."""
    if len(key) > limits.MAX_LABEL_KEY:
        raise LabelError(origin[:100] + "...", f"the key is longer than {limits.MAX_LABEL_KEY} characters")
    if _CONTROL.search(key):
        raise LabelError(repr(origin), "the key holds a control character")
    path = key.replace("\\.", _ESCAPED_DOT) if "\\" in key else key
    segments = path.split(".")
    if len(segments) > MAX_DEPTH:
        raise LabelError(origin, f"the key is nested deeper than {MAX_DEPTH} levels")
    for segment in segments:
        if not segment:
            raise LabelError(origin, 'the key has an empty part, write "\\." for a dot that belongs to a name')
        if segment[0].isspace() or segment[-1].isspace():
            raise LabelError(origin, "a part of the key begins or ends with white space")
    return path if path.isascii() else _SURROGATES.sub("\ufffd", path)

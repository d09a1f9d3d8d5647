"""The label grammar: keys to places in the Caddyfile tree, values to tokens, as caddy-docker-proxy reads them."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache

from attrs import define, field

from dockcaddy.caddyfile import MAX_DEPTH, NO_ORDER, Block, Origin, lex_value
from dockcaddy.engine.records.label_keys import Keys, once, under
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
# a line of more characters is hardly one that other containers have too
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
    together = 0
    for key in keys:
        length = len(labels[key])
        if len(key) > limits.MAX_LABEL_KEY:
            raise LabelError(key[:100] + "...", f"the key is longer than {limits.MAX_LABEL_KEY} characters")
        if length > limits.MAX_LABEL_VALUE:
            raise LabelError(key, f"the value is longer than {limits.MAX_LABEL_VALUE} characters")
        together += len(key) + length
    if together > limits.MAX_LABEL_TEXT:
        raise LabelError("", f"the labels are longer than {limits.MAX_LABEL_TEXT} characters together")


def build(labels: Iterable[Label], resource: str, *, suffix_names: bool = False) -> tuple[Block, ...]:
    """The blocks that rendered labels describe. `resource` names their origin.

    `_N` at the end of a directive's name only keeps two of them apart and is cut off. At the end of a name that people
    chose (a matcher, a header field, a user) it belongs to the name, except where it can only keep equal ones apart:
    a matcher that values mention without it, a header field added (`+X_0`, `+X_1`) or replaced in several times.
    `suffix_names` cuts it off everywhere, as caddy-docker-proxy does.

    Raises LabelError for a key without a place, a value beyond measure and a site without an address.
    """
    labels = tuple(labels)
    tops = _places(_checked_paths(labels), suffix_names)
    values = _Values(labels, [(Origin(resource, each.origin),) for each in labels])
    return tuple([values.block(top, "") for top in tops])


def _checked_paths(labels: Iterable[Label]) -> Keys:
    """The place of each label in the tree, its key with escaped dots replaced."""
    paths = []
    variables = 0
    for label in labels:
        path, value = _checked_path(label.key, label.origin), label.value
        if len(value) > limits.MAX_LABEL_VALUE:
            raise LabelError(label.origin, f"the value is longer than {limits.MAX_LABEL_VALUE} characters")
        if "{$" in value or "{$" in path:
            _check_references(label, path)
            variables += value.count("{$") + path.count("{$")
            if variables > limits.MAX_LABEL_VARIABLES:
                message = f"there are more than {limits.MAX_LABEL_VARIABLES} references to variables"
                raise LabelError(label.origin, message)
        if "." not in path and (tokens := _line("", value)) and not any(token.strip(",") for token in tokens):
            raise LabelError(label.origin, "the site address is empty")
        paths.append(path)
    return tuple(paths)


@define(eq=False)
class _Place:
    """A place in the tree that paths describe: the numbers of the labels that end there, and of those that end beneath.

    `full` is the name with its suffix, where that may belong to it; with `has_names`, people chose those of the children.
    """

    name: str
    order: int
    number: int = 0
    full: str = ""
    own: tuple[int, ...] = ()
    beneath: tuple[int, ...] = ()
    children: "list[_Place]" = field(factory=list)
    has_names: bool = False


@once
def _places(paths: Keys, suffix_names: bool) -> Sequence[_Place]:
    """The tops of the tree."""
    tops: list[_Place] = []
    by_path: dict[str, _Place] = {}

    def at(path: str, number: int) -> _Place:
        if path not in by_path:
            parent, _, segment = path.rpartition(".")
            name, order, suffix = _parts_of(segment)
            above = at(parent, number) if parent else None
            is_chosen = name[0] == "@" or (above is not None and above.name in _NAMING)
            full = f"{name}_{suffix}" if suffix and is_chosen and not suffix_names else ""
            place = by_path[path] = _Place(name, order, min(int(suffix), _LARGEST) if suffix else 0, full)
            if above is None:
                tops.append(place)
            else:
                above.children.append(place)
                above.beneath += (number,)
                above.has_names |= bool(full)
        return by_path[path]

    for number, path in enumerate(paths):
        at(path, number).own += (number,)
    return tops


@define(eq=False, slots=False)
class _Values:
    """What is at the places: labels, and their origins."""

    labels: Sequence[Label]
    origins: Sequence[tuple[Origin, ...]]

    def block(self, place: _Place, name: str) -> Block:
        """A place as a block of this name; `""` for a top, whose name is the label prefix."""
        repeats = self._repeats(place.children) if place.has_names else {}
        children = tuple([self.block(each, self._name_of(each, repeats)) for each in place.children])
        keys: tuple[str, ...] = ()
        conditional = False
        for number in place.own:
            label = self.labels[number]
            keys += _line("" if keys else name, label.value)
            conditional |= label.conditional
        origins: tuple[Origin, ...] = ()
        for number in place.own or place.beneath:
            origins += self.origins[number]
        return Block(keys or _line(name, ""), children, place.order, origins, place.number, conditional)

    def _name_of(self, place: _Place, repeats: Mapping[str, bool]) -> str:
        if not place.full:
            return place.name
        if place.name[0] == "@":
            is_name = place.full in self._mentioned or place.name not in self._mentioned
        else:
            is_name = not repeats[place.name]
        return place.full if is_name else place.name

    def _repeats(self, children: Iterable[_Place]) -> Mapping[str, bool]:
        """For each name that people chose, whether a suffix only keeps several of that name apart."""
        equal: defaultdict[str, list[_Place]] = defaultdict(list)
        for child in children:
            equal[child.name].append(child)
        return {
            name: len(places) > 1 and (name[0] == "+" or all(len(self._tokens(each.own)) > 1 for each in places))
            for name, places in equal.items()
        }

    @cached_property
    def _mentioned(self) -> Collection[str]:
        """The tokens of all values that may be a matcher's name."""
        return {token for token in self._tokens(range(len(self.labels))) if token.startswith("@")}

    def _tokens(self, numbers: Iterable[int]) -> Sequence[str]:
        return [token for number in numbers for token in _line("", self.labels[number].value)]


def _check_references(label: Label, path: str) -> None:
    """Caddy fills in `{$NAME}` before it reads any structure: an open one would swallow what follows in the file, a
    default value with a quote in it would open one.
    """
    for text in (*path.split("."), *_line("", label.value)):
        if "{$" in _REFERENCE.sub("", text):
            raise LabelError(label.origin, f'"{text[:60]}" is not a whole reference to a variable, expected {{$NAME}}')


def _line(name: str, value: str) -> tuple[str, ...]:
    """The tokens of a line. Every token that a value can be split into has a form in a Caddyfile."""
    return _short_line(name, value) if len(name) + len(value) <= _SHORT else _split(name, value)


@lru_cache(maxsize=1024)
def _short_line(name: str, value: str) -> tuple[str, ...]:
    """The tokens of a short line. Thousands of containers have the same lines, and share these."""
    return _split(name, value)


def _split(name: str, value: str) -> tuple[str, ...]:
    return (name, *lex_value(value)) if name else tuple(lex_value(value))


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

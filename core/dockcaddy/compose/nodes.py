"""YAML as nodes that know their lines, with merged anchors."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from attrs import frozen

from dockcaddy.errors import ComposeFileError, SettingsError
from dockcaddy.files import unreadable

MERGE = "<<"
_QUOTES = "put the whole value in quotes"
# a value that YAML takes for a mapping: a template, or text with a colon
_UNQUOTED = re.compile(r""":\s+(?:\{|[^\s'"{|>].*:\s)""")


# what the YAML parser says -> what to do
_REMEDIES = {
    "'\\t' that cannot start": "indent with spaces",
    "<block end>": "indent the line like those beside it",
    "end of stream": "a quote that opens there is not closed",
}


@frozen(order=True)
class Position:
    """A place in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@frozen(eq=False)
class Entry:
    """A key of a mapping, with its value."""

    name: str
    key: Any
    value: Any


def read_node(file: str) -> Any:
    """The file's root, None of an empty one. Raises SettingsError with the line of a mistake."""
    try:
        text = Path(file).read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ComposeFileError(file, unreadable(error)) from error
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _not_yaml(file, text, error) from error
    except RecursionError as error:
        raise ComposeFileError(file, "nested too deeply") from error


def _not_yaml(file: str, text: str, error: yaml.YAMLError) -> ComposeFileError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    if "end of stream" in problem:
        # the end of the file says nothing
        mark = getattr(error, "context_mark", None) or mark
    line = text.splitlines()[mark.line : mark.line + 1] if mark is not None else []
    known = next((remedy for said, remedy in _REMEDIES.items() if said in problem), "")
    remedy = _QUOTES if _UNQUOTED.search("".join(line)) else known
    number = mark.line + 1 if mark is not None else 0
    return ComposeFileError(file, f"not YAML: {problem}{': ' if remedy else ''}{remedy}", number)


def check_root(node: Any, file: str) -> None:
    """Check that a file is a mapping, or empty. Raises SettingsError."""
    if node is not None and not is_mapping(node) and not node.tag.endswith(":null"):
        raise ComposeFileError(file, "not a Compose file: the file has to be a mapping", node.start_mark.line + 1)


def position(node: Any, file: str) -> Position:
    """Where a node begins."""
    return Position(file, node.start_mark.line + 1, node.start_mark.column + 1)


def is_mapping(node: Any) -> bool:
    """Whether it is `key: value`, or several of these."""
    return isinstance(node, yaml.MappingNode)


def entries(node: Any) -> dict[str, Entry]:
    """The keys of a mapping, in its order, those that it merges from anchors included; its own come before these."""
    if not is_mapping(node):
        return {}
    merged: dict[str, Entry] = {}
    own: dict[str, Entry] = {}
    for key, value in node.value:
        if getattr(key, "value", None) == MERGE and not getattr(key, "style", None):
            sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for source in sources:
                # the first of several has the say
                merged = {**entries(source), **merged}
        elif isinstance(key, yaml.ScalarNode):
            own[key.value] = Entry(key.value, key, value)
    return {**merged, **own}


def at(node: Any, *path: str) -> Any:
    """The node under these keys, None where there is none."""
    for name in path:
        found = entries(node).get(name)
        if found is None:
            return None
        node = found.value
    return node


def check_labels(node: Any, file: str) -> None:
    """Raises ComposeFileError with the line of a label that YAML does not take for a text."""
    for item in node.value if isinstance(node, yaml.SequenceNode) else ():
        if is_mapping(item):
            reason = "labels: a list has texts: write - KEY=VALUE, or leave out the dashes"
            raise ComposeFileError(file, reason, position(item, file).line)
    for label in labelled(node):
        if is_mapping(label.value):
            line = position(label.key, file).line
            raise ComposeFileError(file, f"label {label.name}: YAML takes the value for a mapping: {_QUOTES}", line)


def labelled(node: Any) -> Iterator[Entry]:
    """The labels of a mapping, or of a list of `KEY=VALUE`."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            if isinstance(item, yaml.ScalarNode):
                yield Entry(item.value.partition("=")[0], item, item)
    yield from entries(node).values()


def plain(node: Any) -> Any:
    """The node as data: texts as they are written, None, lists and dictionaries.

    Raises SettingsError where it is nested too deeply, which one that contains itself is.
    """
    try:
        return _plain(node, frozenset())
    except RecursionError:
        raise SettingsError("nested too deeply") from None


def _plain(node: Any, outer: frozenset[int]) -> Any:
    if id(node) in outer:
        raise SettingsError("an anchor that contains itself")
    inner = outer | {id(node)}
    if is_mapping(node):
        return {entry.name: _plain(entry.value, inner) for entry in entries(node).values()}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each, inner) for each in node.value]
    if node is None or node.tag.endswith(":null"):
        return None
    return str(node.value)

"""Remove the values of environment variables, and secrets elsewhere, from a snapshot document. Pure.

Equal values get equal placeholders, so that a configuration rendered from the document keeps its shape.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field

from dockcaddy.settings import limits

_SECRET = "(?:TOKEN|SECRET|KEY|PASS|PWD|CREDENTIAL|PRIVATE|COOKIE|SESSION|DSN|BASIC_?AUTH)"
_SECRET_NAME = re.compile(_SECRET, re.IGNORECASE)
# `--db-password hunter2`, `token=...`, `"secret": "..."`
_GIVEN = re.compile(rf"([\w.-]*{_SECRET}[\w.-]*[\"']?(?:\s*[=:]\s*|\s+)[\"']?)([^\s\"']+)", re.IGNORECASE)
_USER = re.compile(r"(?<=://)([^/\s@:]*):([^/\s@]+)(?=@)")
_BCRYPT = re.compile(r"(\$2[abxy]?\$\d\d\$)[./A-Za-z0-9]{53}")
_HASH = re.compile(r"\$(?:apr1|argon2\w*|[1568y])\$[^\s\"':,]+")
# values that are no secrets, whatever the name of the variable
_ORDINARY = re.compile(r"\d*|true|false|yes|no|on|off|/.*", re.IGNORECASE | re.DOTALL)
# keys of commands; in labels only secrets are replaced, so that sites keep their names
_COMMANDS = frozenset(("Cmd", "Command", "Entrypoint", "Args", "Path", "Test"))


def redacted(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the document that can be shared."""
    redaction = _Redaction()
    for name, value in _variables(document):
        redaction.learn(name, value)
    made: dict[str, Any] = redaction.of(document)
    return made


def environment_count(document: Mapping[str, Any]) -> int:
    """How many environment variables the document contains."""
    return sum(1 for _ in _variables(document))


def _variables(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "Env" and isinstance(value, list):
                yield from (each.partition("=")[::2] for each in value if isinstance(each, str) and "=" in each)
            else:
                yield from _variables(value)
    elif isinstance(node, list):
        for each in node:
            yield from _variables(each)


@define
class _Redaction:
    """The placeholders by value. `secrets` are replaced everywhere, `values` in commands only."""

    words: dict[str, str] = field(factory=dict)
    secrets: set[str] = field(factory=set)
    values: set[str] = field(factory=set)

    def learn(self, name: str, value: str) -> None:
        """Learn the value of an environment variable."""
        if len(value) < limits.MIN_SECRET or _ORDINARY.fullmatch(value):
            return
        self.values.add(value)
        if _SECRET_NAME.search(name) or _USER.search(value):
            self.secrets.add(value)
            self.secrets |= {found[2] for found in _USER.finditer(value) if len(found[2]) >= limits.MIN_SECRET}

    def of(self, node: Any, key: str = "") -> Any:
        """The node at this key, redacted."""
        if isinstance(node, Mapping):
            if key == "Labels":
                return {name: self._label(name, value) for name, value in node.items()}
            return {name: self.of(value, name) for name, value in node.items()}
        if isinstance(node, list):
            if key == "Env":
                return [self._variable(each) if isinstance(each, str) else each for each in node]
            return self._items(node, key)
        if not isinstance(node, str):
            return node
        return self._config(node) if key == "Data" else self._text(node, in_command=key in _COMMANDS)

    def _word(self, value: str) -> str:
        return self.words.setdefault(value, f"redacted-{len(self.words) + 1}")

    def _variable(self, text: str) -> str:
        name, sign, value = text.partition("=")
        return f"{name}{sign}{self._word(value) if value else ''}"

    def _items(self, items: list[Any], key: str) -> list[Any]:
        """The items of a list. In a command, the item after `--password` is a secret."""
        made: list[Any] = []
        for before, each in zip(["", *items], items, strict=False):
            follows = key in _COMMANDS and isinstance(before, str) and before.startswith("-") and "=" not in before
            if follows and isinstance(each, str) and _SECRET_NAME.search(before) and not each.startswith("-"):
                made.append(self._word(each))
            else:
                made.append(self.of(each, key))
        return made

    def _label(self, name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if _SECRET_NAME.search(name.rpartition(".")[2]) and "{{" not in value and value:
            return self._word(value)
        return self._text(value)

    def _config(self, data: str) -> str:
        """A Swarm config's text."""
        try:
            text = base64.b64decode(data, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return data
        return base64.b64encode(self._text(text).encode()).decode()

    def _text(self, text: str, *, in_command: bool = False) -> str:
        # longest first: a value may contain another one
        for value in sorted(self.values if in_command else self.secrets, key=len, reverse=True):
            if value in text:
                text = text.replace(value, self._word(value))
        if in_command:
            text = _GIVEN.sub(lambda found: found[1] + self._word(found[2]), text)
        text = _USER.sub(lambda found: f"{found[1]}:{self._word(found[2])}", text)
        text = _BCRYPT.sub(lambda found: found[1] + "." * 53, text)
        return _HASH.sub(lambda found: self._word(found[0]), text)

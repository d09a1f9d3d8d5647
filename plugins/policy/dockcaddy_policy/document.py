"""Finds what the table does not allow in Caddy's JSON."""

import marshal
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, cast

from attrs import field, frozen
from dockcaddy import (
    Block,
    Context,
    DockcaddyError,
    DocumentContext,
    EngineInventory,
    Finding,
    LabelError,
    Proxy,
    Resource,
)

from dockcaddy_policy.allowing import is_allowed, is_exempt, refusal
from dockcaddy_policy.entries import ANY, SECRET, Entry, Inline, Named, Node
from dockcaddy_policy.labels import as_written, label_of
from dockcaddy_policy.secret_names import looks_secret
from dockcaddy_policy.settings import PolicySettings
from dockcaddy_policy.table import TABLE
from dockcaddy_policy.values import Check, Place
from dockcaddy_policy.variables import BRACES, NO_SECRETS

_VARIABLE = re.compile(rf"{BRACES}env\.([^{{}}]*)\}}?")
_FILE = re.compile(rf"{BRACES}file\.(?!(?:base|ext)\}})[^{{}}]*\}}?")
_NO_RESOURCE, _NO_ENGINE = Resource("container", "", ""), EngineInventory("")


@frozen
class Refused(Finding):
    """A finding, with the check that found it in a value: for another resource it may find nothing."""

    names: tuple[str, ...] = field(default=(), eq=False)
    check: Check | None = field(default=None, eq=False)
    value: Any = field(default=None, eq=False)
    hosts: tuple[str, ...] = field(default=(), eq=False)
    module: str = field(default="", eq=False)


@frozen
class _Nobody:
    """The context of no resource at all."""

    proxy: Proxy
    resource: Resource = _NO_RESOURCE
    engine: EngineInventory = _NO_ENGINE


def find(context: DocumentContext, part: Mapping[str, Any], hosts: tuple[str, ...] | None) -> list[Finding]:
    """What the table does not allow in a part of a document. Raises DockcaddyError where that is nested too deep."""
    # all of its text as it is; JSON takes ten times as long
    text = marshal.dumps(dict(part))
    reads = b"env." in text or b"file." in text
    nobody = cast(Context, _Nobody(context.proxy))
    search = _Search(Place(nobody, hosts or ()), context.settings(PolicySettings), reads)
    try:
        search.module("config" if hosts is None else "http.routes", part)
    except RecursionError:
        # each label is within the limit: a snippet may be imported deep in a site
        raise DockcaddyError(
            "blocks are nested deeper, with those of snippets, than it can look through: nest fewer"
        ) from None
    return search.found


def check(context: Context, blocks: tuple[Block, ...], finding: Finding) -> None:
    """Raise LabelError unless the resource may lead to the finding."""
    settings = context.settings(PolicySettings)
    assert isinstance(finding, Refused)
    if is_exempt(context) or _is_of_its_own(context, finding):
        return
    label = label_of(blocks, finding.texts, finding.names)
    if finding.texts == ("{",):
        message = f"a value cannot open a block: give each line of it a label of its own, like {label}.NAME"
        raise LabelError(label, message)
    if not is_allowed(finding.rule, label, context.resource, settings.allow):
        remedy = f'modules = ["{finding.module}"]' if finding.module else ""
        raise LabelError(label, refusal(finding.rule, finding.reason, context.resource, remedy))


def _is_of_its_own(context: Context, finding: Refused) -> bool:
    """Whether it is about what belongs to the resource: an address, a folder that it has mounted."""
    return finding.check is not None and not finding.check.reason(finding.value, Place(context, finding.hosts))


@frozen
class _Search:
    """Looks through parts of Caddy's JSON for one place: the resource or nobody, and the hosts of the route."""

    place: Place
    settings: PolicySettings
    # whether there is text that reads variables or files
    reads: bool
    found: list[Finding] = field(factory=list)

    def module(self, name: str, value: Any) -> None:
        """Look for what is not allowed in the settings of a module."""
        node = _node_of(name)
        if node is not None:
            self._field(value, node, name, "")
        elif any(fnmatchcase(name, each) for each in self.settings.modules):
            self._text(value, SECRET)
        else:
            self._unknown(name)

    def _object(self, value: Mapping[str, Any], node: Node, module: str, path: str = "") -> None:
        """The fields of a module, or of an object in it at a path."""
        fields, others = node.fields, node.fields.get("*")
        for key, each in value.items():
            below = fields.get(key, others)
            if below is None:
                self._unknown(module, f"{path}.{key}".lstrip("."))
            elif self.reads or below.entry is not ANY or below.fields:
                known = key if key in fields else "*"
                if self.reads:
                    self._text(key, ANY)
                self._field(each, below, module, f"{path}.{known}" if path else known)

    def _field(self, value: Any, node: Node, module: str, path: str) -> None:
        if node.entry is not None:
            self._value(value, node.entry, f"{module}.{path}", is_whole=not node.fields)
            if not node.fields:
                return
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, dict):
                self._object(each, node, module, path)
            elif each is not None and (node.entry is None or each is not value):
                self._unknown(module, path)

    def _value(self, value: Any, entry: Entry, name: str, *, is_whole: bool) -> None:
        if isinstance(entry, Inline | Named):
            for each in value if isinstance(value, list) else (value,):
                if isinstance(entry, Inline):
                    self._inline(each, entry)
                else:
                    self._named(each, entry)
            return
        for check in (entry,) if isinstance(entry, Check) else entry if isinstance(entry, tuple) else ():
            self._checked(value, check, name)
        if is_whole and self.reads:
            self._text(value, entry)

    def _checked(self, value: Any, check: Check, name: str) -> None:
        if reason := check.reason(value, self.place):
            texts, names, hosts = tuple(_texts(value)), _names(name), self.place.hosts
            self.found.append(Refused(check.rule, _sentence(reason, names), texts, names, check, value, hosts))

    def _inline(self, value: Any, entry: Inline) -> None:
        if not isinstance(value, dict):
            self._unknown(entry.namespace)
        elif not entry.key:
            self.module(entry.namespace, value)
        else:
            fields = {key: each for key, each in value.items() if key != entry.key}
            self.module(f"{entry.namespace}.{value.get(entry.key)}", fields)

    def _named(self, value: Mapping[str, Any] | None, entry: Named) -> None:
        for key, each in (value or {}).items():
            if each is None and not entry.namespace:
                # Caddy could not write it as JSON: a number that is none
                self.found.append(
                    Refused("global-options", f"{key}: Caddy would forget all of its settings", (), (key,))
                )
            self.module(f"{entry.namespace}.{key}" if entry.namespace else key, each)

    def _unknown(self, module: str, field: str = "") -> None:
        what = f"{field} of {module}" if field else module
        names, unknown = _names(f"{module}.{field}"), "" if field else module
        self.found.append(Refused("modules", f"{what} is not among what labels may use", (), names, module=unknown))

    def _text(self, value: Any, entry: Entry) -> None:
        for text in _texts(value) if self.reads else ():
            if "env." in text and entry is not SECRET and (reason := self._secret(text)):
                self.found.append(Refused("environment", reason, (text,)))
            if "file." in text and (found := self._file(text)):
                if entry is not SECRET:
                    self.found.append(Refused("files", f"{found} could be sent out", (text,)))
                elif NO_SECRETS.search(found):
                    self.found.append(Refused("files", f"{found} is not a file of secrets", (text,)))

    def _secret(self, text: str) -> str:
        found = list(_VARIABLE.finditer(text))
        if found and self.settings.environment == "none":
            return f'[policy] environment = "none" allows no variables in labels: {found[0][0]}'
        if self.settings.environment == "all":
            return ""
        secret = next((each[0] for each in found if looks_secret(each[1], self.settings.secrets)), "")
        return f"{secret} could be sent out" if secret else ""

    def _file(self, text: str) -> str:
        own = f"{{file.{self.place.context.proxy.address_folder}/"
        return next((each[0] for each in _FILE.finditer(text) if not each[0].startswith(own)), "")


@cache
def _node_of(module: str) -> Node | None:
    """The node of a module, None where the table does not have it."""
    fields = TABLE.get(module, TABLE.get(f"{module.rpartition('.')[0]}.*"))
    return None if fields is None else Node.of(fields)


def _sentence(reason: str, names: tuple[str, ...]) -> str:
    return f"{names[0]}: {reason}" if reason.startswith("it ") else as_written(reason)


def _names(path: str) -> tuple[str, ...]:
    """The names in the path of a field, the innermost first."""
    return tuple(each for each in reversed(path.split(".")) if each not in ("", "*"))


def _texts(value: Any) -> Iterator[str]:
    """The text in a value, keys included."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node
            waiting += node.values()

"""Sample requests, and whether a matcher matches them: a browser's request for a page of a site. Pure.

See https://caddyserver.com/docs/caddyfile/matchers. None is what is unknown before a real request.
"""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve, field, frozen

from dockcaddy.admission.conflicts.expressions import all_of, any_of, negated, value_of
from dockcaddy.admission.conflicts.paths import covers
from dockcaddy.admission.conflicts.regexps import is_found
from dockcaddy.caddyfile import Block, is_host_of

_BROWSER = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-encoding": "gzip, deflate, br, zstd, identity",
    "accept-language": "en-US,en;q=0.9",
    "connection": "keep-alive",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "upgrade-insecure-requests": "1",
}
# of several lines of one of these, one has to match
_ADDING_UP = frozenset(("path", "host", "method", "protocol", "remote_ip", "client_ip", "query"))
_KINDS = _ADDING_UP | {
    "path_regexp", "header", "header_regexp", "not", "expression", "vars", "vars_regexp", "file", "tls",
}  # fmt: skip
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# a matcher for this part of all addresses counts as a matcher for every client
_MANY_ADDRESSES = 0.25
_SHORT = {
    "path": "uri.path", "uri": "uri", "query": "uri.query", "file": "uri.path.file", "dir": "uri.path.dir",
    "method": "method", "host": "host", "hostport": "hostport",
}  # fmt: skip
_SHORT_FAMILIES = {
    "path": "uri.path",
    "query": "uri.query",
    "header": "header",
    "cookie": "cookie",
    "labels": "host.labels",
}
Result = bool | None


@frozen
class Request:
    """One request. The values of `changed` header fields are unknown, because the site sets them."""

    host: str
    path: str = "/"
    method: str = "GET"
    query: str = ""
    headers: Mapping[str, str] = field(factory=lambda: _BROWSER)
    changed: frozenset[str] = frozenset()

    def matches(self, parts: Iterable[Block]) -> Result:
        """Whether all parts of a matcher match."""
        return all_of([self._matches_part(part) for part in _joined(parts)])

    def adapted_to(self, part: Block) -> "Request":
        """The request, changed to match a simple matcher."""
        kind, values = part.keys[0], part.keys[1:]
        if kind == "method" and values:
            return evolve(self, method=values[0].upper())
        if kind == "query" and values and "=" in values[0]:
            return evolve(self, query=values[0].replace("*", ""))
        if kind == "header" and len(values) > 1:
            return evolve(self, headers={**self.headers, values[0].lower(): values[1].strip("*")})
        return self

    def _matches_part(self, part: Block) -> Result:
        kind = part.keys[0]
        if kind not in _KINDS:
            is_expression = (not part.children and not kind.isidentifier()) or kind in ("true", "false")
            return self._expression(" ".join(part.keys)) if is_expression else None
        if kind == "expression":
            # the name of a named expression comes last
            return self._expression(" ".join(part.keys[1:]))
        if kind == "not":
            inside = [each for each in (part.children or (Block(part.keys[1:]),)) if each.keys]
            return negated(self.matches(inside))
        lines = [part.keys[1:]] if len(part.keys) > 1 or not part.children else []
        lines += [line.keys for line in part.children]
        if kind in ("header", "vars", "query"):
            return all_of([self._check(kind, line) for line in lines])
        return self._check(kind, [key for line in lines for key in line])

    def _check(self, kind: str, values: Sequence[str]) -> Result:
        return _CHECKS[kind](self, values)

    def _path(self, patterns: Sequence[str]) -> Result:
        return any_of([self._is_below(pattern) for pattern in patterns])

    def _is_below(self, pattern: str) -> Result:
        known = self._filled_in(pattern)
        return None if known is None else covers(known.lower(), self.path.lower())

    def _host(self, patterns: Sequence[str]) -> Result:
        if not self.host:
            return True if "*" in patterns else None
        known = [self._filled_in(pattern) for pattern in patterns]
        return any_of([None if each is None else is_host_of(self.host, each.lower()) for each in known])

    def _method(self, methods: Sequence[str]) -> Result:
        return self.method in {each.upper() for each in methods}

    def _protocol(self, values: Sequence[str]) -> Result:
        return False if "grpc" in values else None

    def _addresses(self, ranges: Sequence[str]) -> Result:
        return sum(map(_part_of_all, ranges)) >= _MANY_ADDRESSES

    def _header(self, values: Sequence[str]) -> Result:
        name, wanted = "".join(values[:1]).lower(), values[1:]
        if name.startswith("!"):
            return negated(self._header((name[1:],)))
        if name in self.changed:
            return None
        value = self._field(name)
        if value is None or not wanted:
            return value is not None
        return any_of([self._is_value(value, self._filled_in(each)) for each in wanted])

    def _is_value(self, value: str, wanted: str | None) -> Result:
        if wanted is None:
            return None
        middle = wanted.strip("*")
        if len(wanted) > 1 and wanted.startswith("*") and wanted.endswith("*"):
            return middle in value
        if wanted.startswith("*"):
            return value.endswith(middle)
        return value.startswith(middle) if wanted.endswith("*") else value == wanted

    def _header_regexp(self, values: Sequence[str]) -> Result:
        name, pattern = (values[-2].lower(), values[-1]) if len(values) > 1 else ("", "")
        if not name or name in self.changed:
            return None
        value = self._field(name)
        return value is not None and is_found(pattern, value)

    def _query(self, values: Sequence[str]) -> Result:
        if not any(values):
            return not self.query
        return any(self._has_query(*each.partition("=")[::2]) for each in values if each)

    def _has_query(self, name: str, wanted: str) -> bool:
        key, _, value = self.query.partition("=")
        return bool(self.query) and key == name and wanted in (value, "*")

    def _vars(self, values: Sequence[str]) -> Result:
        value = self._variable(values)
        return None if value is None or not values[1:] else any_of([self._same(value, each) for each in values[1:]])

    def _same(self, value: str, wanted: str) -> Result:
        known = self._filled_in(wanted)
        return None if known is None else known == value

    def _vars_regexp(self, values: Sequence[str]) -> Result:
        value = self._variable(values[-2:])
        return None if value is None else is_found(values[-1], value)

    def _variable(self, values: Sequence[str]) -> str | None:
        name = "".join(values[:1])
        return self._filled_in(name) if _PLACEHOLDER.fullmatch(name) else None

    def _file(self, values: Sequence[str]) -> Result:
        """Whether a file exists: unknown where its name does not depend on the request, else no."""
        tried = [each for each in values if each not in ("root", "try_files", "try_policy", "split_path")]
        return None if tried and not any("{" in each for each in tried) else False

    def _path_regexp(self, values: Sequence[str]) -> Result:
        return is_found(values[-1], self.path) if values else None

    def _expression(self, text: str) -> Result:
        found = value_of(text, self._placeholder, self._called)
        return found if isinstance(found, bool) else None

    def _called(self, kind: str, given: Sequence[Any]) -> Result:
        """The result of a matcher that an expression calls as a function."""
        if kind not in _CHECKS or any(each is None for each in given):
            return None
        if kind in ("header", "query", "vars") and given and isinstance(given[0], dict):
            return all_of([self._check(kind, line) for line in _lines_of(kind, given[0])])
        return self._check(kind, given) if given and all(isinstance(each, str) for each in given) else None

    def _field(self, name: str) -> str | None:
        return self.host or None if name == "host" else self.headers.get(name)

    def _filled_in(self, text: str) -> str | None:
        """The text with its placeholders' values; None where one is unknown."""
        values = {name: self._placeholder(name) for name in _PLACEHOLDER.findall(text)}
        if None in values.values():
            return None
        return _PLACEHOLDER.sub(lambda found: values[found[1]] or "", text)

    def _placeholder(self, name: str) -> str | None:
        family, _, rest = name.partition(".")
        name = f"{_SHORT_FAMILIES[family]}.{rest}" if rest and family in _SHORT_FAMILIES else _SHORT.get(name, name)
        name = name.removeprefix("http.request.").removeprefix("orig_")
        if name in ("host", "hostport") or name.startswith("host.labels."):
            return self._of_host(name)
        if name.startswith("header."):
            field_name = name[7:].lower()
            return None if field_name in self.changed else self._field(field_name) or ""
        if name.startswith(("cookie.", "uri.query.", "http.auth.", "tls.client.")):
            return "" if not self.query else None
        known = {
            "method": self.method,
            "uri": self.path + ("?" if self.query else "") + self.query,
            "uri.path": self.path,
            "uri.query": self.query,
            "uri.path.file": self.path.rpartition("/")[2],
            "uri.path.dir": self.path.rpartition("/")[0] + "/",
        }
        return self._part_of_path(name) if name.startswith("uri.path.") and name not in known else known.get(name)

    def _of_host(self, name: str) -> str | None:
        if not self.host or name == "hostport":
            return None
        return self.host if name == "host" else _nth(self.host.split(".")[::-1], name.rpartition(".")[2])

    def _part_of_path(self, name: str) -> str | None:
        return _nth(self.path.strip("/").split("/"), name.rpartition(".")[2])


_CHECKS: Mapping[str, Callable[[Request, Sequence[str]], Result]] = {
    "path": Request._path,
    "path_regexp": Request._path_regexp,
    "host": Request._host,
    "method": Request._method,
    "protocol": Request._protocol,
    "remote_ip": Request._addresses,
    "client_ip": Request._addresses,
    "header": Request._header,
    "header_regexp": Request._header_regexp,
    "query": Request._query,
    "vars": Request._vars,
    "vars_regexp": Request._vars_regexp,
    "file": Request._file,
    "tls": lambda *_: None,
}


def _joined(parts: Iterable[Block]) -> Iterator[Block]:
    """The parts of a matcher as Caddy reads them: several lines of one kind are one."""
    several: dict[object, list[Block]] = defaultdict(list)
    for at, part in enumerate(parts):
        kind = part.keys[0]
        joins = kind in _ADDING_UP or (kind == "header" and len(part.keys) > 2)
        several[(kind, part.keys[1].lower() if kind == "header" else "") if joins else at].append(part)
    for same in several.values():
        first = same[0]
        skipped = 2 if first.keys[0] == "header" else 1
        more = tuple(key for each in same[1:] for key in each.keys[skipped:])
        yield evolve(first, keys=first.keys + more) if more else first


def _lines_of(kind: str, given: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, values in given.items():
        wanted = tuple(map(str, values if isinstance(values, list) else (values,)))
        yield tuple(f"{name}={each}" for each in wanted) if kind == "query" else (name, *wanted)


def _part_of_all(text: str) -> float:
    """The part of all addresses that a range covers."""
    try:
        return 0.5 ** ipaddress.ip_network(text.partition("%")[0], strict=False).prefixlen
    except ValueError:
        return 0.0


def _nth(parts: Sequence[str], number: str) -> str | None:
    return (parts[int(number)] if int(number) < len(parts) else "") if number.isdecimal() and len(number) < 4 else None

"""Sample requests, and whether Caddy's matchers match them: a browser's request for a page of a site. Pure.

See https://caddyserver.com/docs/json/apps/http/servers/routes/match/. None is what is unknown before a real request.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import evolve, field, frozen

from dockcaddy.admission.conflicts.expressions import all_of, any_of, negated, value_of
from dockcaddy.admission.conflicts.paths import covers
from dockcaddy.admission.conflicts.regexps import is_found
from dockcaddy.caddyfile import is_host_of

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
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# a matcher for this part of all addresses counts as a matcher for every client
_MANY_ADDRESSES = 0.25
# where the file matcher finds nothing it takes the last one
_FALLBACK = "first_exist_fallback"

Result = bool | None
# the matchers of a route by name; of several sets of them, one has to match
Matchers = Mapping[str, Any]


@frozen
class Request:
    """One request; `status` is that of the error that Caddy answers it with.

    `original` is the path before it was rewritten. The values of `changed` header fields are unknown.
    """

    host: str
    path: str = "/"
    method: str = "GET"
    query: str = ""
    status: int = 0
    headers: Mapping[str, str] = field(factory=lambda: _BROWSER)
    changed: frozenset[str] = frozenset()
    original: str | None = None

    def matches(self, sets: Sequence[Matchers] | None) -> Result:
        """Whether one of several sets of matchers matches; none match everything."""
        return any_of([self.matches_all(each) for each in sets]) if sets else True

    def matches_all(self, matchers: Matchers) -> Result:
        """Whether each of these matchers matches."""
        return all_of([self._check(kind, value) for kind, value in matchers.items()])

    def adapted_to(self, kind: str, value: Any) -> "Request":
        """The request, changed to match a simple matcher."""
        if kind == "method":
            return evolve(self, method=value[0])
        name, wanted = next(iter(value.items()), ("", None)) if kind in ("query", "header") else ("", None)
        if not name or not wanted:
            return self
        if kind == "query":
            return evolve(self, query=f"{name}={wanted[0].replace('*', '')}")
        return evolve(self, headers={**self.headers, name.lower(): wanted[0].strip("*")})

    def with_headers(self, change: Mapping[str, Any]) -> "Request":
        """The request with header fields that a `headers` handler changes; what is added or replaced is unknown then."""
        headers, changed = dict(self.headers), set(self.changed)
        for name in change.get("delete") or ():
            headers.pop(name.lower(), None)
        for name, values in (change.get("set") or {}).items():
            known = [self.filled_in(value) for value in values]
            if known and known[0] is not None:
                headers[name.lower()] = known[0]
            else:
                changed.add(name.lower())
        changed.update(name.lower() for kind in ("add", "replace") for name in change.get(kind) or ())
        return evolve(self, headers=headers, changed=frozenset(changed))

    def rewritten(self, path: str) -> "Request":
        """The request for another path."""
        return evolve(self, path=path, original=self.path if self.original is None else self.original)

    def _check(self, kind: str, value: Any) -> Result:
        check = _CHECKS.get(kind)
        return check(self, value) if check is not None else None

    def _is_below(self, pattern: str) -> Result:
        known = self.filled_in(pattern)
        return None if known is None else covers(known.lower(), self.path.lower())

    def _host(self, patterns: Sequence[str]) -> Result:
        if not self.host:
            return True if "*" in patterns else None
        return any_of([self._is_host(pattern) for pattern in patterns])

    def _is_host(self, pattern: str) -> Result:
        if is_host_of(self.host, pattern.lower()):
            return True
        known = self.filled_in(pattern)
        if known is not None:
            return is_host_of(self.host, known.lower())
        mine, theirs = self.host.partition("{"), pattern.lower().partition("{")
        # a.{env.DOMAIN} and b.{env.DOMAIN} differ, whatever the variable is
        return False if mine[1:] == theirs[1:] and mine[0] != theirs[0] else None

    def _addresses(self, value: Any) -> Result:
        ranges = value.get("ranges") or () if isinstance(value, Mapping) else value
        return sum(map(_part_of_all, ranges)) >= _MANY_ADDRESSES

    def _header(self, name: str, wanted: Sequence[str] | None) -> Result:
        if name.lower() in self.changed:
            return None
        value = self._field(name.lower())
        if wanted is None:
            return value is None
        if value is None or not wanted:
            return value is not None
        return any_of([_is_value(value, self.filled_in(each)) for each in wanted])

    def _header_regexp(self, name: str, wanted: Mapping[str, str]) -> Result:
        if name.lower() in self.changed:
            return None
        value = self._field(name.lower())
        return value is not None and is_found(wanted.get("pattern", ""), value)

    def _query(self, wanted: Mapping[str, Sequence[str]]) -> Result:
        if not any(wanted):
            return not self.query
        return all(self._has_query(name, values) for name, values in wanted.items())

    def _has_query(self, name: str, wanted: Sequence[str]) -> bool:
        key, _, value = self.query.partition("=")
        return bool(self.query) and key == name and any(each in (value, "*") for each in wanted)

    def _vars(self, name: str, wanted: Sequence[str]) -> Result:
        value = self._variable(name)
        return None if value is None else any_of([_same(value, self.filled_in(each)) for each in wanted])

    def _vars_regexp(self, name: str, wanted: Mapping[str, str]) -> Result:
        value = self._variable(name)
        return None if value is None else is_found(wanted.get("pattern", ""), value)

    def _variable(self, name: str) -> str | None:
        return self.filled_in(name) if _PLACEHOLDER.fullmatch(name) else None

    def _file(self, wanted: Mapping[str, Any]) -> Result:
        """Whether a file exists: unknown where its name does not depend on the request, else no."""
        if wanted.get("try_policy") == _FALLBACK:
            return True
        return None if fixed_file(wanted) is not None else False

    def _expression(self, value: Any) -> Result:
        text = value.get("expr", "") if isinstance(value, Mapping) else value
        found = value_of(text, self._placeholder, self._called)
        return found if isinstance(found, bool) else None

    def _called(self, kind: str, given: Sequence[Any]) -> Result:
        """The result of a matcher that an expression calls as a function."""
        value = _as_json(kind, given)
        return None if value is None else self._check(kind, value)

    def _field(self, name: str) -> str | None:
        return self.host or None if name == "host" else self.headers.get(name)

    def filled_in(self, text: str) -> str | None:
        """The text with its placeholders' values; None where one is unknown."""
        if "{" not in text:
            return text
        values = {name: self._placeholder(name) for name in _PLACEHOLDER.findall(text)}
        if None in values.values():
            return None
        return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), text)

    def _placeholder(self, name: str) -> str | int | None:
        if name == "http.error.status_code":
            return self.status or None
        name, path = name.removeprefix("http.request."), self.path
        if name.startswith("orig_"):
            name, path = name.removeprefix("orig_"), path if self.original is None else self.original
        if name.startswith("header."):
            field_name = name[7:].lower()
            return None if field_name in self.changed else self._field(field_name) or ""
        if name.startswith(("http.auth.", "cookie.", "uri.query.")):
            return "" if not self.query else None
        if name in ("host", "hostport") or name.startswith("host.labels."):
            return self._of_host(name)
        known = {
            "method": self.method,
            "uri": path + ("?" if self.query else "") + self.query,
            "uri.path": path,
            "uri.query": self.query,
            "uri.prefixed_query": ("?" if self.query else "") + self.query,
            "uri.path.file": path.rpartition("/")[2],
            "uri.path.dir": path.rpartition("/")[0] + "/",
        }
        is_part = name.startswith("uri.path.") and name not in known
        return _nth(path.strip("/").split("/"), name.rpartition(".")[2]) if is_part else known.get(name)

    def _of_host(self, name: str) -> str | None:
        if not self.host or name == "hostport":
            return None
        return self.host if name == "host" else _nth(self.host.split(".")[::-1], name.rpartition(".")[2])


def _every(check: Callable[[Request, str, Any], Result]) -> Callable[[Request, Mapping[str, Any]], Result]:
    """The check of several names, each with what is wanted of it."""
    return lambda request, wanted: all_of([check(request, name, each) for name, each in wanted.items()])


_CHECKS: Mapping[str, Callable[[Request, Any], Result]] = {
    "path": lambda request, patterns: any_of([request._is_below(each) for each in patterns]),
    "path_regexp": lambda request, value: is_found(value.get("pattern", ""), request.path),
    "host": Request._host,
    "method": lambda request, methods: request.method in {each.upper() for each in methods},
    "protocol": lambda _, value: False if value == "grpc" else None,
    "remote_ip": Request._addresses,
    "client_ip": Request._addresses,
    "header": _every(Request._header),
    "header_regexp": _every(Request._header_regexp),
    "query": Request._query,
    "vars": _every(Request._vars),
    "vars_regexp": _every(Request._vars_regexp),
    "file": Request._file,
    "not": lambda request, sets: negated(any_of([request.matches_all(each) for each in sets])),
    "expression": Request._expression,
}


def fixed_file(wanted: Mapping[str, Any]) -> str | None:
    """The last file that a `file` matcher tries whose name does not depend on the request."""
    tried = wanted.get("try_files") or ()
    return next((f"/{each.lstrip('/')}" for each in reversed(tried) if "{" not in each and each[:1] != "="), None)


def _as_json(kind: str, given: Sequence[Any]) -> Any:
    """The value of a matcher in JSON, as an expression gives it in a call; None where it is unknown."""
    if not given or any(each is None for each in given):
        return None
    if isinstance(given[0], dict):
        return {name: values if isinstance(values, list) else [values] for name, values in given[0].items()}
    if not all(isinstance(each, str) for each in given):
        return None
    if kind == "path_regexp":
        return {"pattern": given[-1]}
    if kind in ("header_regexp", "vars_regexp"):
        return {given[-2]: {"pattern": given[-1]}} if len(given) > 1 else None
    if kind == "file":
        return {"try_files": list(given)}
    return given[0] if kind == "protocol" else list(given)


def _is_value(value: str, wanted: str | None) -> Result:
    if wanted is None:
        return None
    middle = wanted.strip("*")
    if len(wanted) > 1 and wanted.startswith("*") and wanted.endswith("*"):
        return middle in value
    if wanted.startswith("*"):
        return value.endswith(middle)
    return value.startswith(middle) if wanted.endswith("*") else value == wanted


def _same(value: str, wanted: str | None) -> Result:
    return None if wanted is None else wanted == value


def _part_of_all(text: str) -> float:
    """The part of all addresses that a range covers."""
    try:
        return 0.5 ** ipaddress.ip_network(text.partition("%")[0], strict=False).prefixlen
    except ValueError:
        return 0.0


def _nth(parts: Sequence[str], number: str) -> str | None:
    return (parts[int(number)] if int(number) < len(parts) else "") if number.isdecimal() and len(number) < 4 else None

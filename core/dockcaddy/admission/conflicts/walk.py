"""What becomes of a sample request in a site: which handlers see it, in the order in which Caddy evaluates routes. Pure.

See https://caddyserver.com/docs/json/apps/http/servers/routes/.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Literal

from attrs import define, evolve, field, frozen

from dockcaddy.admission.conflicts.paths import literal_beginning
from dockcaddy.admission.conflicts.request import Request, fixed_file
from dockcaddy.caddyjson.document import Json, encoded
from dockcaddy.caddyjson.handlers import ANSWERING
from dockcaddy.settings import limits

# the matchers of the routes around a handler, the outermost first: the same in whatever document it stands
Chain = tuple[bytes, ...]
# whether a route counts as one that matches where only a real request would show it
Decide = Callable[[Chain, Json], bool]

Kind = Literal["answer", "rewrite", "ask", "root", "block", "values", "other"]
BLOCKING: Json = {"handler": "subroute"}
# handlers that leave it to others who answers, and for what
_PASSING = frozenset(
    ("authentication", "headers", "encode", "templates", "request_body", "push", "tracing", "map", "log_append",
     "copy_response_headers")
)  # fmt: skip
# variables that decide which files are served
_ROOTS = frozenset(("root", "fs"))
# a rewrite with no other field changes only paths that begin or end like that
STRIPPING = frozenset(("handler", "strip_path_prefix", "strip_path_suffix", "uri_substring"))
_RELATIVE = "{http.matchers.file.relative}"
# lists of so many routes have an index
_LONG = 16


@frozen
class Event:
    """A handler that a request comes to, "block" for a list of routes, which may keep it from the others of a group."""

    kind: Kind
    handler: Json
    chain: Chain

    @property
    def is_of_files(self) -> bool:
        """Whether its response depends on the root of files."""
        transport = self.handler.get("transport") or {}
        return self.handler["handler"] == "file_server" or transport.get("protocol") == "fastcgi"


@frozen(eq=False)
class Routes:
    """The routes of a site, and those of its server that it invokes by name. They are prepared once for many requests."""

    routes: Sequence[Json]
    named: Mapping[str, Json] = field(factory=dict)
    _prepared: "dict[int, _List]" = field(factory=dict)

    def prepared(self, routes: Sequence[Json]) -> "_List":
        """The list of routes, with an index."""
        known = self._prepared.get(id(routes))
        if known is None:
            known = self._prepared[id(routes)] = _List.of(routes)
        return known


@frozen(eq=False)
class _List:
    """Routes with their matchers as text. Those that ask for one host or path only are found by it."""

    routes: Sequence[tuple[Json, bytes]]
    always: Sequence[int]
    by_word: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, routes: Sequence[Json]) -> "_List":
        always, by_word = [], defaultdict(list)
        for at, route in enumerate(routes):
            words = words_of(route.get("match") or ()) if len(routes) >= _LONG else None
            if words is None:
                always.append(at)
            else:
                for word in words:
                    by_word[word].append(at)
        return cls([(each, chain_part(each)) for each in routes], always, by_word)

    def for_request(self, current: Callable[[], Request]) -> Iterator[tuple[Json, bytes]]:
        """The routes that may match a request, in their order. A route may rewrite it, so that others come after."""
        tried, request, found = -1, None, list[int]()
        while True:
            if current() is not request:
                request = current()
                found = sorted({each for each in self._found(request) if each > tried}, reverse=True)
            if not found:
                return
            tried = found.pop()
            yield self.routes[tried]

    def _found(self, request: Request) -> Iterator[int]:
        if not request.host:
            return iter(range(len(self.routes)))
        words = (request.host.lower(), _first_part(request.path))
        return chain(self.always, *(self.by_word.get(word, ()) for word in words))


@define
class Walk:
    """The way of one request through the routes of a site. `events` are what it comes to, as if what it `skips` were not there."""

    site: Routes
    request: Request
    decide: Decide
    skips: Callable[[Event], bool] = lambda _: False
    events: list[Event] = field(factory=list)
    _roots: dict[str, list[Event]] = field(factory=lambda: defaultdict(list))
    _file: str | None = None
    _depth: int = 0

    def run(self) -> "Walk":
        """Walk through all routes, or to the first response."""
        self._through(self.site.routes, ())
        return self

    def _through(self, routes: Sequence[Json], outer: Chain) -> bool:
        """Walk through a list of routes; says whether it ends there."""
        if self._depth == limits.MAX_EXPANDED_DEPTH:
            return True
        self._depth += 1
        groups = set[str]()
        is_over = False
        for route, text in self.site.prepared(routes).for_request(lambda: self.request):
            here, group = (*outer, text), route.get("group")
            if group in groups or not self._is_matched(route, here):
                continue
            if group and not self.skips(Event("block", _first_handler(route), here)):
                groups.add(group)
            is_over = any(self._handle(each, here) for each in route.get("handle") or ()) or bool(route.get("terminal"))
            if is_over:
                break
        self._depth -= 1
        return is_over

    def _is_matched(self, route: Json, here: Chain) -> bool:
        sets = route.get("match")
        result = self.request.matches(sets)
        if result or (result is None and self.decide(here, route)):
            files = [fixed_file(each["file"]) for each in sets or () if "file" in each]
            self._file = files[-1] if files else self._file
            return True
        return False

    def _handle(self, handler: Json, here: Chain) -> bool:
        """Have a handler handle the request; says whether it comes to no other one."""
        name = handler["handler"]
        if name == "subroute":
            self.events.append(Event("block", BLOCKING, here))
            return self._through(handler.get("routes") or (), here)
        if name == "invoke":
            named = self.site.named.get(handler.get("name", ""))
            return named is not None and self._through([named], here)
        if name == "vars" and not _ROOTS.isdisjoint(handler):
            for each in _ROOTS & handler.keys():
                self._roots[each].append(Event("root", handler, here))
        if names_set_by(handler):
            self._set_values(handler, here)
        elif name == "rewrite":
            self._rewrite(handler, here)
        elif name in ANSWERING:
            return self._answer(handler, here)
        elif name not in _PASSING and name != "vars":
            self._comes_to(Event("other", handler, here))
        return False

    def _comes_to(self, event: Event) -> bool:
        """Note a handler, unless it is skipped; says whether it counts."""
        counts = not self.skips(event)
        if counts:
            self.events.append(event)
        return counts

    def _set_values(self, handler: Json, here: Chain) -> None:
        if self._comes_to(Event("values", handler, here)) and handler["handler"] == "headers":
            self.request = self.request.with_headers(handler.get("request") or {})

    def _answer(self, handler: Json, here: Chain) -> bool:
        event = Event("ask" if is_asked(handler) else "answer", handler, here)
        if not self._comes_to(event):
            return False
        for roots in self._roots.values() if event.is_of_files else ():
            # the last one counts
            any(self._comes_to(each) for each in reversed(roots))
        return event.kind == "answer" and not handler.get("pass_thru")

    def _rewrite(self, handler: Json, here: Chain) -> None:
        path = self._new_path(handler)
        is_same = path == self.request.path and handler.keys() <= STRIPPING
        if is_same or not self._comes_to(Event("rewrite", handler, here)):
            return
        if path != self.request.path:
            self.request = self.request.rewritten(path)
        if handler.get("method"):
            self.request = evolve(self.request, method=handler["method"])

    def _new_path(self, handler: Json) -> str:
        """The path after a rewrite; the same where that is not known."""
        path = self.request.path
        if uri := handler.get("uri"):
            target = self._file if uri == _RELATIVE else self.request.filled_in(uri)
            path = (target or path).partition("?")[0] or path
        if prefix := handler.get("strip_path_prefix"):
            prefix = "/" + prefix.lstrip("/")
            path = path[len(prefix) :] if path.lower().startswith(prefix.lower()) else path
        if suffix := handler.get("strip_path_suffix"):
            path = path.removesuffix(suffix)
        for each in handler.get("uri_substring") or ():
            path = path.replace(each.get("find", ""), each.get("replace", "")) if each.get("find") else path
        return "/" + path.lstrip("/")


def names_set_by(handler: Json) -> frozenset[str]:
    """The header fields of requests and the variables that a handler sets."""
    name = handler["handler"]
    if name == "headers":
        change = handler.get("request") or {}
        return frozenset(each for kind in ("set", "add", "replace", "delete") for each in change.get(kind) or ())
    if name == "map":
        return frozenset(each.strip("{}") for each in handler.get("destinations") or ())
    return frozenset(handler.keys() - _ROOTS - {"handler"}) if name == "vars" else frozenset()


def is_asked(handler: Json) -> bool:
    """Whether it is a proxy that is only asked whether others may respond."""
    responses = handler.get("handle_response") or () if handler["handler"] == "reverse_proxy" else ()
    return any(2 in ((each.get("match") or {}).get("status_code") or ()) for each in responses)


def _first_handler(route: Json) -> Json:
    first: Json = next(iter(route.get("handle") or ()), BLOCKING)
    return BLOCKING if first["handler"] == "subroute" else first


def chain_part(route: Json) -> bytes:
    """The part of a chain that a route is, the same in whatever document."""
    return encoded(route.get("match") or [])


def words_of(sets: Sequence[Json]) -> set[str] | None:
    """The hosts, or the first parts of paths, of all requests that match; None where there may be others."""
    words = set[str]()
    for each in sets:
        found = _hosts(each.get("host") or ()) or _first_parts(each.get("path") or ())
        if not found:
            return None
        words |= found
    return words or None


def _hosts(patterns: Sequence[str]) -> set[str]:
    return set() if any("*" in each or "{" in each for each in patterns) else {each.lower() for each in patterns}


def _first_parts(patterns: Sequence[str]) -> set[str]:
    words = set[str]()
    for pattern in patterns:
        beginning = literal_beginning(pattern)
        if "{" in pattern or not (beginning == pattern or "/" in beginning[1:]) or beginning[:1] != "/":
            return set()
        words.add(_first_part(beginning))
    return words


def _first_part(path: str) -> str:
    return "/" + path.lstrip("/").partition("/")[0].lower()

"""Typical requests that a site answers: for the first page, and for some page, below each of its paths. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any

from attrs import evolve, frozen

from dockcaddy.admission.conflicts.request import Matchers, Request
from dockcaddy.admission.conflicts.walk import STRIPPING, Chain, Event, Routes, Walk, chain_part, is_asked
from dockcaddy.caddyfile import is_host_of
from dockcaddy.caddyjson.document import Json, encoded
from dockcaddy.caddyjson.handlers import ANSWERING
from dockcaddy.settings import limits

# a name that nobody gives to a page or a host
_SOME = "zqx-page"
# an error that nobody has a page for but with those for all errors
_SOME_STATUS = 520
# a word of a matcher that may be a path or a host
_WORD = re.compile(r"[/\w*][/\w.*-]*")
_STATUS = re.compile(r"\b[1-5]\d\d\b")
# suffixes that are tried behind the beginning of a path in a matcher
_ENDS = ("", "x", "1")
# what a replica cannot add to a handler without taking the requests of others
_OWN_RESPONSES = {
    "reverse_proxy": frozenset(("handle_response", "rewrite", "dynamic_upstreams", "root", "split_path")),
    "file_server": frozenset(("root", "fs", "status_code", "pass_thru")),
}
# matchers that are met by the path and the host of a sample
_MET = frozenset(("path", "host"))


@frozen(eq=False)
class Leaf:
    """A handler in the routes of a site, with the matchers around it, and the prefix that is stripped before them."""

    handler: Json
    chain: Chain
    sets: Sequence[tuple[str, Sequence[Matchers]]]

    @property
    def is_answer(self) -> bool:
        """Whether requests come to it for its own sake: a response, another request, or that nobody else responds."""
        name = self.handler["handler"]
        if is_asked(self.handler):
            return False
        return name in ANSWERING or name == "subroute" or (name == "rewrite" and not self.handler.keys() <= STRIPPING)

    def is_in(self, events: Iterable[Event]) -> bool:
        """Whether a request came to it."""
        return any(each.chain == self.chain and each.handler == self.handler for each in events)


@frozen(eq=False)
class Sample:
    """A request that a site by itself has a handler for, and all that the request comes to there."""

    request: Request
    leaf: Leaf
    events: Sequence[Event]

    def is_answered_by(self, events: Iterable[Event]) -> bool:
        """Whether it ends as it does there, where it comes to these handlers."""
        last = self.events[-1]
        return any(each.kind == last.kind and is_joined(each.handler, last.handler) for each in events)


def leaves_of(routes: Iterable[Json], around: Leaf | None = None, folder: str = "") -> Iterator[Leaf]:
    """The handlers in routes; of lists of routes only those that are empty, which keep requests from others."""
    outer = around or Leaf({}, (), ())
    for route in routes:
        sets = route.get("match") or ()
        here = Leaf({}, (*outer.chain, chain_part(route)), (*outer.sets, (folder, sets)) if sets else outer.sets)
        behind = folder
        for handler in route.get("handle") or ():
            inner = handler.get("routes") if handler["handler"] == "subroute" else None
            if inner:
                yield from leaves_of(inner, here, behind)
            else:
                yield evolve(here, handler=handler)
            behind += handler.get("strip_path_prefix") or ""
        if not sets:
            folder = behind


def samples_of(
    site: Routes, hosts: frozenset[str], leaf: Leaf, text: str = "", *, is_of_errors: bool = False
) -> Iterator[Sample]:
    """Typical requests that come to a handler of a site of these hosts: of many hosts and paths, those that a text names."""
    for request in islice(_requests(leaf, hosts, text, is_of_errors), limits.MAX_SAMPLES):
        walk = Walk(site, request, lambda here, _: here == leaf.chain[: len(here)]).run()
        # a request that is only changed is not served: nobody can take it
        if leaf.is_in(walk.events) and not all(each.kind in ("rewrite", "values") for each in walk.events):
            yield Sample(request, leaf, walk.events)


def _requests(leaf: Leaf, hosts: frozenset[str], text: str, is_of_errors: bool) -> Iterator[Request]:
    folders = [folder for folder, _ in leaf.sets]
    for chosen in product(*(sets for _, sets in leaf.sets)):
        named = next((each["host"] for each in reversed(chosen) if "host" in each), sorted(hosts))
        others = [(kind, value) for each in chosen for kind, value in each.items() if kind not in _MET]
        statuses = _statuses(others) if is_of_errors else [0]
        paths = _paths(list(zip(folders, chosen, strict=True)), text)
        made = product(_hosts(_most_named(named, text)), paths, statuses)
        for host, path, status in made:
            yield _adapted(Request(host, path, status=status), others, hosts)


def _hosts(patterns: Sequence[str]) -> list[str]:
    return [each.replace("*", _SOME).lower() for each in patterns] or [""]


def _most_named(patterns: Sequence[str], text: str) -> list[str]:
    """Some of several patterns: those that the text names most often."""
    if len(patterns) <= limits.MAX_TRIED_VALUES:
        return list(patterns)
    by_count = sorted(patterns, key=lambda each: -text.count(each.strip("*")))
    return by_count[: limits.MAX_TRIED_VALUES]


def _paths(chosen: Sequence[tuple[str, Matchers]], text: str) -> list[str]:
    """The first page and some page below each path that the innermost matcher asks for."""
    wanted = [
        [(folder, each) for each in _most_named(matchers["path"], text)]
        for folder, matchers in chosen
        if "path" in matchers
    ]
    if not wanted:
        beginning = chosen[-1][0] if chosen else ""
        return [f"{beginning}/", f"{beginning}/{_SOME}"]
    outer = wanted[-2][0] if len(wanted) > 1 else ("", "")
    found = []
    for folder, pattern in wanted[-1]:
        # an ending within a path
        whole = "".join(outer) + pattern if pattern.startswith("*") else folder + pattern
        found += [_page(whole, ""), _page(whole, _SOME)]
    return found


def _page(pattern: str, name: str) -> str:
    return "/" + pattern.replace("*", name).replace("?", "x").lstrip("/")


def _statuses(matchers: Iterable[tuple[str, Any]]) -> list[int]:
    named = [int(each) for kind, value in matchers if kind == "expression" for each in _STATUS.findall(str(value))]
    return named[: limits.MAX_TRIED_VALUES] or [_SOME_STATUS]


def _adapted(request: Request, matchers: Iterable[tuple[str, Any]], hosts: frozenset[str]) -> Request:
    """The request, changed to match matchers as far as their words show what they match."""
    for kind, value in matchers:
        part: Mapping[str, Any] = {kind: value}
        if request.matches_all(part) is True:
            continue
        words = _WORD.findall(encoded(value).decode())[: limits.MAX_TRIED_VALUES]
        hosts_named = (
            name for word in words for host in hosts for name in (word, host.replace("*", word)) if "/" not in word
        )
        named = [evolve(request, host=name) for name in hosts_named if any(is_host_of(name, host) for host in hosts)]
        paths = [_page(word + end, "") for word in words if word.startswith("/") for end in _ENDS]
        tried = [request.adapted_to(kind, value), *named, *(evolve(request, path=path) for path in paths)]
        request = next((each for each in tried if each.matches_all(part) is True), tried[0])
    return request


def is_joined(whole: Json, part: Json) -> bool:
    """Whether a handler is another one, or that with what a replica may add: upstreams and options.

    Handlers of replicas become one.
    """
    name = part["handler"]
    if whole["handler"] != name:
        return False
    if name in _OWN_RESPONSES:
        added = (whole.keys() - part.keys()) | (_transport(whole).keys() - _transport(part).keys())
        return _holds(whole, part) and added.isdisjoint(_OWN_RESPONSES[name])
    return whole == part


def _transport(handler: Json) -> Json:
    found: Json = handler.get("transport") or {}
    return found


def _holds(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and _holds(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and all(each in whole for each in part)
    return bool(whole == part)

"""The refusal of a configuration: what the message says, and which fragments it points at. Pure."""

import json
import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Protocol

from attrs import field, frozen

from dockcaddy.caddy import refused_line
from dockcaddy.caddyfile import Block, Origin, all_blocks, plain_host
from dockcaddy.errors import one_line
from dockcaddy.fragment import Fragment
from dockcaddy.model import Problem
from dockcaddy.settings import limits

BY_CADDY = "caddy refuses it: "

_ROUTE = re.compile(r"server (\S+): setting up (?:route handlers|route matchers|routes): route (\d+)\b")
# of a route that has other routes in it
_WITHIN = re.compile(r"setting up subroutes: route (\d+)\b")
_CONNECTION = re.compile(r"server (\S+): setting up TLS connection policies: connection policy (\d+)\b")
_AUTOMATION = re.compile(r"provisioning automation policy (\d+)\b")
_LOG = re.compile(r"setting up custom log '([^']+)'")
# what is quoted, what does not look like an English word, and a single last word
_WORDS = re.compile(
    r"""'([^']{2,})'|"([^"]{2,})"|`([^`]{2,})`|([^\s'"`,;()]*[/.:_@{}\[\]*\\\d][^\s'"`,;()]*)|: ([^\s:]{3,})$"""
)
# a line of the generated Caddyfile, which people do not see; the label is named instead
_PLACE = re.compile(r"(?<![\w./])(?:Caddyfile|-):\d+: |,? at (?:Caddyfile|-):\d+(?: import chain:? \[.*\])?")
# the modules through which Caddy came to the one that refuses
_WAY = re.compile(
    r"^(?:loading config: )?(?:loading new config: )?(?:loading \S+ app module: .*\bprovision (?=\S+: ))?", re.DOTALL
)
# names of Go functions, and repetitions
_INNER = re.compile(
    r"""strconv\.\w+: parsing "(?:[^"\\]|\\.)*": |adapting config using caddyfile adapter: |getting module named '[^']*': (?=module not registered)"""
)
# numbers that Caddy makes: they change as soon as a fragment is left out
_NUMBERED = re.compile(r"\b(route|policy|position|server srv|custom log 'log)\s?\d+")
_MODULE = re.compile(r"(?:provision|loading module) '?([a-z_.]+)")
# parts of Caddy, which are in every message
_OWN = re.compile(r"(?:http|tls|caddy|admin|events|pki)(?:\.[a-z_.]+)?|subroute|srv\d+")


class Tried(Protocol):
    """What was tried: a text with the origins of its lines, and Caddy's JSON of it, if it could be adapted."""

    @property
    def text(self) -> str:
        """The Caddyfile."""

    @property
    def lines(self) -> Sequence[tuple[Origin, ...]]:
        """The origins of each of its lines."""

    @property
    def adapted(self) -> bytes | None:
        """Caddy's JSON."""


@frozen(eq=False)
class Refusal:
    """Why a configuration is refused: Caddy's own message, or that of an unsafe setting (`is_unsafe`).

    With `at_load` Caddy could adapt it and failed to load it. `hosts` are those of the site at fault, where known.
    """

    words: str
    configuration: Tried
    at_load: bool = False
    is_unsafe: bool = False
    hosts: frozenset[str] = field(factory=frozenset)

    @property
    def line(self) -> int:
        """The line that Caddy names, 0 where it names none."""
        return 0 if self.at_load else refused_line(self.words) or 0

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Where that line came from; empty where none is named."""
        if not self.line:
            return ()
        lines = self.configuration.lines
        return lines[self.line - 1] if self.line <= len(lines) else ()

    @cached_property
    def said(self) -> str:
        """The message without numbers of lines and routes: equal for two faults of one sort."""
        return without_numbers(_PLACE.sub("", self.words))

    @cached_property
    def cause(self) -> Hashable:
        """What it is about, as far as that is known: equal when the same fault is reported again."""
        return self.said, self._hosts_at_fault, frozenset(origin.resource for origin in self.origins)

    def guess(self, group: Sequence[Fragment]) -> tuple[Fragment, ...]:
        """The fragments of a group that it may be about; empty where it points at none or at all of them."""
        found = self.named(group)[-1:] or self._likely_causes(group)
        return tuple(found) if 0 < len(found) < len(group) else ()

    def is_certain(self, fragment: Fragment, group: Sequence[Fragment]) -> bool:
        """Whether it is almost certainly about this one of a group: by its line, its site, or a file that only it names."""
        if not self.at_load:
            return self.named(group) == [fragment]
        others = [each for each in group if each is not fragment]
        if self._hosts_at_fault:
            return not any(self._hosts_at_fault & each.plain_hosts for each in others)
        files = [word for word in _significant_words(self.words) if "/" in word and word in fragment.content]
        return any(not any(word in each.content for each in others) for word in files)

    def names_file_of(self, group: Iterable[Fragment]) -> bool:
        """Whether it names a file that all of a group name too."""
        files = [word for word in _significant_words(self.words) if "/" in word]
        return any(all(word in each.content for each in group) for word in files)

    def is_about_kind(self, group: Sequence[Fragment]) -> bool:
        """Whether all of a group are of one kind, and the refusal is not about their hosts."""
        kind = group[0].kind
        if any(each.kind != kind for each in group):
            return False
        said = self._hosts_said
        return not any(said & each.plain_hosts for each in group)

    def named(self, group: Iterable[Fragment]) -> list[Fragment]:
        """The fragments at the line that the refusal names."""
        owners = {origin.resource for origin in self.origins}
        found = [each for each in group if each.owner in owners]
        if len(found) < 2:
            return found
        # two engines may have containers of one name
        said = self.configuration.text.split("\n")[self.line - 1].strip()
        return [each for each in found if said in each.content] or found

    def problem(self, fragment: Fragment) -> Problem:
        """The refusal as a problem of this fragment, with the label at the line where that is known."""
        label = next((origin.label for origin in self.origins if origin.resource == fragment.owner), "")
        if not (label or self.line or self.is_unsafe):
            label = _label_that_says(self.words, fragment.blocks)
        words = (
            self.words if self.is_unsafe else f"{BY_CADDY}{_INNER.sub('', _WAY.sub('', _PLACE.sub('', self.words)))}"
        )
        return Problem(fragment.owner, one_line(label), one_line(words))

    def cause_elsewhere(self, fragment: Fragment) -> Problem | None:
        """The refusal as a problem of the fragment whose line this one has imported; None where it imports none."""
        found = next((origin for origin in self.origins if origin.resource), None)
        if found is None or any(origin.resource == fragment.owner for origin in self.origins):
            return None
        if not any(line.keys[:1] == ("import",) for line in all_blocks(fragment.blocks)):
            return None
        words = f"{BY_CADDY}{_PLACE.sub('', self.words)}, where {fragment.owner} imports it"
        return Problem(found.resource, one_line(found.label), one_line(words))

    @cached_property
    def _hosts_at_fault(self) -> frozenset[str]:
        found = self.hosts or _hosts_at_fault(self.words, self.configuration.adapted)
        return frozenset(map(plain_host, found))

    @cached_property
    def _hosts_said(self) -> frozenset[str]:
        return frozenset(plain_host(word) for word in _significant_words(self.words, with_dots=True))

    def _likely_causes(self, group: Sequence[Fragment]) -> list[Fragment]:
        """The fragments of the site at fault, and of these the fewest that contain a word of the message."""
        for hosts in (self._hosts_at_fault, self._hosts_said):
            mates = [each for each in group if hosts & each.plain_hosts]
            if mates:
                break
        pool = mates or list(group)
        found = pool
        for word in _significant_words(self.words):
            if len(found) == 1:
                break
            speaking = [each for each in pool if _says(each, word)]
            if 0 < len(speaking) < len(found):
                found = speaking
        if len(found) == len(pool):
            found = [each for each in pool if self._directives & each.directives] or pool
        return found

    @cached_property
    def _directives(self) -> frozenset[str]:
        """The directives whose modules Caddy was setting up."""
        modules = {name.rpartition(".")[2] for name in _MODULE.findall(self.words)}
        return frozenset(modules | ({"log"} if "custom log" in self.words else set()))


def without_numbers(words: str) -> str:
    """A message of Caddy without the numbers of routes, policies and logs, which other fragments change."""
    return _NUMBERED.sub(r"\1", words)


def _says(fragment: Fragment, word: str) -> bool:
    """Whether the fragment contains the word as a whole."""
    content, at = fragment.content, -1
    while (at := content.find(word, at + 1)) >= 0:
        before, after = content[at - 1 : at], content[at + len(word) : at + len(word) + 1]
        if not (_goes_on(before) and _goes_on(word[0])) and not (_goes_on(after) and _goes_on(word[-1])):
            return True
    return False


def _goes_on(character: str) -> bool:
    return character.isalnum() or character in ("_", "-", ".")


def _significant_words(words: str, *, with_dots: bool = False) -> Iterator[str]:
    """The words of a message that may come from labels, the last ones first, with and without the full stop at the end."""
    found = [next(filter(None, match)) for match in _WORDS.findall(words[-limits.MAX_ERROR_TEXT :])]
    for word in reversed(found[-limits.MAX_ERROR_WORDS :]):
        bare = word.strip(".:")
        if len(bare) < 2 or _OWN.fullmatch(bare):
            continue
        yield word
        if bare != word and not (with_dots and word == f"{bare}."):
            yield bare
        host, _, port = bare.rpartition(":")
        if host and port.isdecimal():
            yield host


def _label_that_says(words: str, blocks: Iterable[Block]) -> str:
    """The label at whose line a word of the message stands; `""` where there are none or several."""
    lines = list(all_blocks(blocks))
    for word in _significant_words(words):
        labels = {block.origins[0].label for block in lines if word in block.keys and block.origins}
        if len(labels) == 1:
            return labels.pop()
    return ""


def _hosts_at_fault(words: str, adapted: bytes | None) -> frozenset[str]:
    """The hosts of the site that Caddy was setting up when it failed to load."""
    if adapted is None or not any(pattern.search(words) for pattern in (_ROUTE, _LOG, _CONNECTION, _AUTOMATION)):
        return frozenset()
    apps = json.loads(adapted).get("apps") or {}
    servers = (apps.get("http") or {}).get("servers") or {}
    if route := _ROUTE.search(words):
        places = [int(route[2]), *map(int, _WITHIN.findall(words, route.end()))]
        return _matched_by_route((servers.get(route[1]) or {}).get("routes"), places)
    if policy := _CONNECTION.search(words):
        return _matched((servers.get(policy[1]) or {}).get("tls_connection_policies"), int(policy[2]), "sni")
    if policy := _AUTOMATION.search(words):
        policies = ((apps.get("tls") or {}).get("automation") or {}).get("policies") or ()
        at_fault = policies[int(policy[1])] if int(policy[1]) < len(policies) else {}
        return frozenset(at_fault.get("subjects") or ())
    log = _LOG.search(words)
    assert log is not None
    names = ((server.get("logs") or {}).get("logger_names") or {} for server in servers.values())
    return frozenset(host for each in names for host, loggers in each.items() if log[1] in loggers)


def _matched_by_route(routes: Any, places: Sequence[int]) -> frozenset[str]:
    """The hosts of a route; of the one within it, and so on, where it is a branch of many sites."""
    place, *within = places
    route = routes[place] if place < len(routes or ()) else {}
    handlers = list(route.get("handle") or ())
    if within and not route.get("terminal") and len(handlers) == 1:
        inner = _matched_by_route(handlers[0].get("routes"), within)
        if inner:
            return inner
    return _matched(routes, place, "host")


def _matched(items: Any, place: int, name: str) -> frozenset[str]:
    """The hosts that the item at a place of a list is for."""
    item = items[place] if place < len(items or ()) else {}
    match = item.get("match") or ()
    matches = match if isinstance(match, list | tuple) else (match,)
    return frozenset(host for each in matches for host in each.get(name) or ())

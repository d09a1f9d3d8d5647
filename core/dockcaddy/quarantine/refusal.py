"""A configuration that cannot be had: in whose words, and whom they point at. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from attrs import field, frozen

from dockcaddy.caddy import refused_line
from dockcaddy.caddyfile import Block, Origin
from dockcaddy.errors import one_line
from dockcaddy.fragment import Fragment
from dockcaddy.model import Problem
from dockcaddy.pipeline import Configuration

# the end of a message is about the cause, the beginning about where Caddy was
BY_CADDY = "caddy refuses it: "
TELLING_WORDS = 40
TELLING_CHARACTERS = 2_000

_ROUTE = re.compile(r"server (\S+): setting up (?:route handlers|route matchers|routes): route (\d+)\b")
_LOG = re.compile(r"setting up custom log '([^']+)'")
# what is quoted, what looks like no English word, and a last word by itself
_WORDS = re.compile(
    r"""'([^']{2,})'|"([^"]{2,})"|`([^`]{2,})`|([^\s'"`,;()]*[/.:_@{}\[\]*\\\d][^\s'"`,;()]*)|: ([^\s:]{3,})$"""
)
# a line of a text that nobody has before them; the label is named
_PLACE = re.compile(r"(?<![\w./])(?:Caddyfile|-):\d+: |,? at (?:Caddyfile|-):\d+(?: import chain:? \[.*\])?")
# through which of its modules Caddy came to the one that refuses
_WAY = re.compile(r"^loading \S+ app module: .*\bprovision (?=\S+: )", re.DOTALL)
# parts of Caddy's own, which stand in every message
_OWN = re.compile(r"(?:http|tls|caddy|admin|events|pki)(?:\.[a-z_.]+)?|subroute|srv\d+")


@frozen
class Refused:
    """Why a configuration is not taken: Caddy's own words, or a hazard's.

    `at_load` tells that Caddy could read it. `hosts` are those of the site at fault, none where that is not said.
    """

    words: str
    configuration: Configuration
    at_load: bool = False
    is_hazard: bool = False
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

    def blamed(self, group: Sequence[Fragment]) -> list[Fragment]:
        """Whom it points at: the newest at the line that is named, or the only one that it can be about.

        With it all of its kind, unless it is their hosts that are refused.
        """
        if len(group) == 1:
            return list(group)
        suspected = self.named(group)[-1:] or self._suspected(group)
        kind = suspected[0].kind
        if any(each.kind != kind for each in suspected):
            return []
        if self._is_about_hosts(suspected):
            return suspected if len(suspected) == 1 else []
        return [each for each in group if each.kind == kind]

    def _is_about_hosts(self, suspected: Iterable[Fragment]) -> bool:
        return any(host and host in self.words for each in suspected for host in each.hosts)

    def parts(self, group: Sequence[Fragment]) -> tuple[Sequence[Fragment], Sequence[Fragment]]:
        """Two parts to be tried one after the other, the more innocent one first."""
        suspected = self._suspected(group)
        if 0 < len(suspected) < len(group):
            return [each for each in group if each not in suspected], suspected
        middle = len(group) // 2
        return group[:middle], group[middle:]

    def named(self, group: Iterable[Fragment]) -> list[Fragment]:
        """Those at the line that the refusal names, unless its words are others'."""
        owners = {origin.resource for origin in self.origins}
        found = [each for each in group if each.owner in owners and self._may_be_about(each)]
        if len(found) < 2:
            return found
        # on two engines there may be two of one name
        said = self.configuration.text.split("\n")[self.line - 1].strip()
        return [each for each in found if said in each.content] or found

    def is_about_others(self, group: Iterable[Fragment]) -> bool:
        """Whether it names a line that came from somebody else."""
        owners = {origin.resource for origin in self.origins}
        return bool(owners) and not any(each.owner in owners for each in group)

    def _may_be_about(self, fragment: Fragment) -> bool:
        """Whether it says what the refusal is about: where an option lacks a word, Caddy names a line further down."""
        said = next((word for word in _telling(self.words) if word in self.configuration.text), "")
        return said in fragment.content

    def problem(self, fragment: Fragment) -> Problem:
        """The refusal told as the fragment's problem, with the label at the line where that is known."""
        label = next((origin.label for origin in self.origins if origin.resource == fragment.owner), "")
        label = label or (_label_that_says(self.words, fragment.blocks) if self.at_load and not self.is_hazard else "")
        words = self.words if self.is_hazard else f"{BY_CADDY}{_WAY.sub('', _PLACE.sub('', self.words))}"
        return Problem(fragment.owner, one_line(label), one_line(words))

    def _suspected(self, group: Sequence[Fragment]) -> list[Fragment]:
        """Those on the site at fault, and among them those who alone say what the refusal is about."""
        hosts = self.hosts or _hosts_at_fault(self.words, self.configuration.adapted)
        mates = [each for each in group if hosts & each.hosts] or list(group)
        if len(mates) == 1:
            return mates
        for word in _telling(self.words):
            speaking = [each for each in mates if word in each.content]
            if len(speaking) == 1:
                return speaking
        return mates


def _telling(words: str) -> Iterator[str]:
    """The words of a message that may stand in labels, those of its end first."""
    found = [next(filter(None, match)) for match in _WORDS.findall(words[-TELLING_CHARACTERS:])]
    for word in reversed(found[-TELLING_WORDS:]):
        bare = word.strip(".:")
        if len(bare) < 2 or _OWN.fullmatch(bare):
            continue
        yield word
        if bare != word:
            yield bare
        host, _, port = bare.rpartition(":")
        if host and port.isdecimal():
            yield host


def _label_that_says(words: str, blocks: Iterable[Block]) -> str:
    """The only label at whose line one of the telling words stands, `""` where none or several do."""
    lines = list(_lines(blocks))
    for word in _telling(words):
        labels = {block.origins[0].label for block in lines if word in block.keys and block.origins}
        if len(labels) == 1:
            return labels.pop()
    return ""


def _lines(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        yield block
        yield from _lines(block.children)


def _hosts_at_fault(words: str, adapted: bytes | None) -> frozenset[str]:
    """The hosts of the site that Caddy was setting up when it failed to load."""
    route, log = _ROUTE.search(words), _LOG.search(words)
    if adapted is None or not (route or log):
        return frozenset()
    servers = ((json.loads(adapted).get("apps") or {}).get("http") or {}).get("servers") or {}
    if route:
        routes = (servers.get(route[1]) or {}).get("routes") or ()
        at_fault = routes[int(route[2])] if int(route[2]) < len(routes) else {}
        return frozenset(host for match in at_fault.get("match") or () for host in match.get("host") or ())
    assert log is not None
    names = ((server.get("logs") or {}).get("logger_names") or {} for server in servers.values())
    return frozenset(host for each in names for host, loggers in each.items() if log[1] in loggers)

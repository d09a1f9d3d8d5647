"""The refusal of a configuration: what the message says, and which fragments it points at. Pure."""

import json
import re
from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from typing import Any

from attrs import evolve, field, frozen

from dockcaddy.caddy.words import refused_line
from dockcaddy.caddyfile import Block, Origin, all_blocks, plain_host
from dockcaddy.caddyjson import Alone
from dockcaddy.caddyjson.places import Place, values_in
from dockcaddy.errors import one_line
from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Problem

BY_CADDY = "caddy refuses it: "
# a value that is shorter may be part of any message
_SHORTEST = 2

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


@frozen(eq=False)
class Refusal:
    """Why a configuration is refused: Caddy's own message, or that of an unsafe setting (`is_unsafe`).

    With `at_load` Caddy could adapt it and failed to load it, at this `place`. `hosts` are those of the sites around that,
    the innermost last. `others` are about other parts of the same configuration.
    """

    words: str
    configuration: Configuration | Alone
    at_load: bool = False
    is_unsafe: bool = False
    place: Place = field(factory=Place)
    hosts: tuple[frozenset[str], ...] = ()
    others: "tuple[Refusal, ...]" = ()

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
    def cause(self) -> Hashable:
        """What it is about, as far as that is known: equal when the same fault is reported again."""
        said = without_numbers(_PLACE.sub("", self.words))
        return said, self.hosts[-1:], frozenset(origin.resource for origin in self.origins)

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
        """The refusal as a problem of this fragment, with the label that it is about where that is known."""
        label = next((origin.label for origin in self.origins if origin.resource == fragment.owner), "")
        if not (label or self.line or self.is_unsafe):
            made = _label_that_made(self.place.part, fragment.blocks) if self.at_load else ""
            label = made or _label_that_is_said(self.words, fragment.blocks)
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


def refusal_of(messages: Sequence[str], configuration: Configuration) -> Refusal:
    """What Caddy says to a configuration; several messages if it could adapt that."""
    if configuration.adapted is None:
        return Refusal(messages[0], configuration)
    config = json.loads(configuration.adapted)
    first, *others = (_at_load(words, configuration, config) for words in messages)
    return evolve(first, others=tuple(others))


def _at_load(words: str, configuration: Configuration, config: Any) -> Refusal:
    place = Place.of(words, config)
    hosts = tuple(frozenset(map(plain_host, each)) for each in place.hosts)
    return Refusal(words, configuration, at_load=True, place=place, hosts=hosts)


def without_numbers(words: str) -> str:
    """A message of Caddy without the numbers of routes, policies and logs, which other fragments change."""
    return _NUMBERED.sub(r"\1", words)


def said_at(words: str, value: str) -> int:
    """Where in a message a value stands as a whole, for the last time; -1 where it does not."""
    if len(value) < _SHORTEST or value not in words:
        return -1
    pattern = rf"(?<![\w./-]){re.escape(value)}(?![\w/-]|\.\w)"
    return max((found.start() for found in re.finditer(pattern, words)), default=-1)


def _label_that_made(part: Any, blocks: Iterable[Block]) -> str:
    """The label of the line of which all arguments are values of a part; `""` where there are none or several."""
    values = frozenset(values_in(part))
    lines = (block for block in all_blocks(blocks) if block.origins and block.keys[1:])
    labels = {block.origins[0].label for block in lines if values.issuperset(block.keys[1:])}
    return labels.pop() if len(labels) == 1 else ""


def _label_that_is_said(words: str, blocks: Iterable[Block]) -> str:
    """The label at whose line stands what a message says last; `""` where there are none or several."""
    lines = [block for block in all_blocks(blocks) if block.origins]
    places = {key: said_at(words, key) for key in {key for block in lines for key in block.keys}}
    last = max(places.values(), default=-1)
    labels = {block.origins[0].label for block in lines for key in block.keys if places[key] == last}
    return labels.pop() if last >= 0 and len(labels) == 1 else ""

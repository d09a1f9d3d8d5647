"""The named matchers that the lines of a site may use: its members' own, and those of the snippets they import. Pure."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from attrs import define, field

from dockcaddy.admission.conflicts.definitions import Definitions
from dockcaddy.caddyfile import Block

_ARGUMENT = re.compile(r"\{args[^{}]*\}")


@define(slots=False)
class Matchers:
    """The matchers in the blocks of a site, collected at the first use."""

    blocks: Iterable[Block] = ()
    definitions: Definitions = field(factory=Definitions)

    def named(self, name: str) -> Block | None:
        """The matcher of this name, None where there is none; the longest of several whose names have arguments."""
        exact, built = self._known
        return exact.get(name) or next((line for pattern, line in built if pattern.fullmatch(name)), None)

    @cached_property
    def _known(self) -> tuple[dict[str, Block], list[tuple[re.Pattern[str], Block]]]:
        found = {line.keys[0]: line for line in self._lines() if line.keys and line.keys[0].startswith("@")}
        built = sorted((line for name, line in found.items() if "{args" in name), key=_length, reverse=True)
        return found, [(_pattern_of(line.keys[0]), line) for line in built]

    def _lines(self) -> Iterator[Block]:
        waiting, imported = [*self.blocks], set[str]()
        while waiting:
            line = waiting.pop()
            yield line
            waiting += line.children
            inside = self.definitions.imported(line)
            if inside is not None and line.keys[1] not in imported:
                imported.add(line.keys[1])
                waiting += inside


def _length(line: Block) -> int:
    return sum(map(len, line.keys)) + sum(map(_length, line.children))


def _pattern_of(name: str) -> re.Pattern[str]:
    """A pattern for a name with arguments in it."""
    return re.compile(".*".join(map(re.escape, _ARGUMENT.split(name))), re.DOTALL)

"""The size of a resource once Caddy has written it out: imports, matchers at each use, ports, repeated patterns. Pure.

A few lines can become gigabytes, and no Caddy survives that.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from attrs import define, field, frozen

from dockcaddy.admission.conflicts.conflict import Conflict, Group, Member, label_of
from dockcaddy.caddyfile import Block
from dockcaddy.model import Problem
from dockcaddy.settings import limits

# the memory of one repeated character of a regular expression, in characters of a Caddyfile
REPEATED = 16

_ANY_ARGUMENT = re.compile(r"\{args[^{}]*\}")
_ARGUMENT = re.compile(r"\{args(?:\[(\d{1,4})\]|\.(\d{1,4})|[\[.][^{}]*)\}")
_BLOCK = re.compile(r"\{blocks?(?:\.[^{}]*)?\}")
_REPETITION = re.compile(r"\{(\d{1,4})(?:,(\d{0,4}))?\}")
_LARGEST = 1 << 40
_TOO_LARGE = "with all imports, matchers, repetitions and ports written out, this is too large for caddy"


class _TooMuchError(Exception):
    """A limit is exceeded; the message is the reason."""


@frozen(slots=False)
class Definitions:
    """The members that define each snippet, `(name)`, and named route, `&(name)`, of a configuration.

    See https://caddyserver.com/docs/caddyfile/directives/import.
    """

    definers: Mapping[str, Sequence[Member]] = field(factory=dict)

    @cached_property
    def lines(self) -> Mapping[str, Sequence[Block]]:
        """The lines of each."""
        blocks = {name: [block for each in members for block in each.blocks] for name, members in self.definers.items()}
        return {name: [line for each in found for line in each.children] for name, found in blocks.items()}

    def imported(self, block: Block) -> str:
        """The snippet that a block imports, `""` where it imports none."""
        name = f"({block.keys[1]})" if block.keys[:1] == ("import",) and len(block.keys) > 1 else ""
        return name if name in self.definers else ""

    def invoked(self, block: Block) -> str:
        """The named route that a block invokes, `""` where it invokes none."""
        name = f"&({block.keys[-1]})" if block.keys[:1] == ("invoke",) else ""
        return name if name in self.definers else ""


@define(slots=False)
class Matchers:
    """The matchers that the lines of a site may use: those in its blocks, and in the snippets that they import."""

    blocks: Iterable[Block] = ()
    definitions: Definitions = field(factory=Definitions)

    def named(self, name: str) -> Block | None:
        """The matcher of this name, None where there is none; the longest of several whose names have arguments."""
        exact, built = self._known
        return exact.get(name) or next((line for pattern, line in built if pattern.fullmatch(name)), None)

    @cached_property
    def _known(self) -> tuple[dict[str, Block], list[tuple[re.Pattern[str], Block]]]:
        found = {line.keys[0]: line for line in self._lines() if line.keys and line.keys[0].startswith("@")}
        built = sorted((line for name, line in found.items() if "{args" in name), key=_written, reverse=True)
        return found, [(_pattern_of(line.keys[0]), line) for line in built]

    def _lines(self) -> Iterator[Block]:
        waiting, known = [*self.blocks], set[str]()
        while waiting:
            line = waiting.pop()
            yield line
            waiting += line.children
            imported = self.definitions.imported(line)
            if imported and imported not in known:
                known.add(imported)
                waiting += self.definitions.lines[imported]


def _written(line: Block) -> int:
    return sum(map(len, line.keys)) + sum(map(_written, line.children))


def _pattern_of(name: str) -> re.Pattern[str]:
    """A pattern for a name with arguments in it."""
    return re.compile(".*".join(map(re.escape, _ANY_ARGUMENT.split(name))), re.DOTALL)


@frozen
class Size:
    """The size of a fragment: a `conflict` where it is too large by itself, else its `share` of what all may use together."""

    member: Member
    conflict: Conflict | None = None
    share: float = 0.0

    def __len__(self) -> int:
        """0 for a fragment of usual size, which needs no bookkeeping."""
        return int(self.conflict is not None or self.share > 0)


def size_of(member: Member, definitions: Definitions, matchers_of: Callable[[Group], Matchers]) -> Size:
    """The size of a fragment; `matchers_of` gives the matchers of a site.

    Where a newer resource's snippet or route makes it too large, the conflict is that resource's.
    """
    measure = _Measure(definitions)
    for group, block in zip(member.fragment.group_keys, member.fragment.blocks, strict=True):
        try:
            measure.top_level(group, block, matchers_of)
        except _TooMuchError as reason:
            return Size(member, _too_large(member, measure, block, str(reason)))
    return Size(member, share=measure.share)


def _too_large(member: Member, measure: "_Measure", block: Block, reason: str) -> Conflict:
    definers = (definer for name in measure.opened for definer in measure.definitions.definers.get(name, ()))
    newest = max((member, *definers), key=lambda each: each.age).fragment
    if newest is member.fragment:
        return Conflict(newest.key, Problem(newest.owner, label_of(measure.line_before or block), reason))
    message = f"its snippet or route makes {member.fragment.owner} too large: {reason}"
    return Conflict(newest.key, Problem(newest.owner, "", message))


def over_capacity(sizes: Iterable[Size]) -> Iterator[Conflict]:
    """A conflict for each newer large resource once all large ones together would take Caddy too long to load."""
    taken = 0.0
    for size in sorted(sizes, key=lambda each: each.member.age):
        if taken + size.share <= 1:
            taken += size.share
            continue
        fragment = size.member.fragment
        message = "together with other large resources, which are older, this takes caddy too long to load"
        yield Conflict(fragment.key, Problem(fragment.owner, "", message))


# of the block that is given to an import: characters, lines
_Inserted = tuple[int, int]


@define
class _Measure:
    """Writes a fragment out, keeping lengths instead of texts."""

    definitions: Definitions
    characters: int = 0
    imports: int = 0
    addresses: int = 0
    lines: int = 0
    ports: set[str] = field(factory=set)
    line_before: Block | None = None
    opened: set[str] = field(factory=set)
    _lengths: dict[int, int] = field(factory=dict)
    _copies: int = 1
    _depth: int = 0
    _matchers: Matchers = field(factory=Matchers)
    _open: list[str] = field(factory=list)

    @property
    def share(self) -> float:
        """Its share of what all large fragments may use together; 0 for a fragment of usual size."""
        return max(
            (self.characters - limits.FREE_EXPANDED_TEXT) / limits.MAX_EXPANDED_TEXT_TOGETHER,
            (self.addresses - limits.FREE_SITE_ADDRESSES) / limits.MAX_SITE_ADDRESSES_TOGETHER,
            (self.lines - limits.FREE_EXPANDED_LINES) / limits.MAX_EXPANDED_LINES_TOGETHER,
            0.0,
        )

    def top_level(self, group: Group, block: Block, matchers_of: Callable[[Group], Matchers]) -> None:
        """Count a site or the global options; snippets and named routes count where they are used."""
        self.line_before = None
        if block.is_definition:
            return
        addresses = group if isinstance(group, frozenset) else ()
        ports = {address[2] for address in addresses if isinstance(address, tuple)}
        self.addresses += len(addresses)
        self.ports |= ports
        if self.addresses > limits.MAX_SITE_ADDRESSES:
            raise _TooMuchError(f"there are more than {limits.MAX_SITE_ADDRESSES} site addresses")
        if len(self.ports) > limits.MAX_SITE_PORTS:
            raise _TooMuchError(f"there are sites at more than {limits.MAX_SITE_PORTS} ports")
        self._copies = max(len(ports), 1)
        self._matchers = matchers_of(group)
        self._count(sum(map(len, block.keys)))
        for line in block.children:
            self.line_before = line
            self._line(line, (), (0, 0))

    def _line(self, block: Block, arguments: tuple[int, ...], inserted: _Inserted) -> None:
        """Count a line; `arguments` are the lengths of its snippet's arguments, `inserted` the block given to the import."""
        imported = self.definitions.imported(block)
        before, lines_before = self.characters, self.lines
        self.lines += self._copies * (1 + (inserted[1] and inserted[1] * sum(map(_is_a_block, block.keys))))
        self._depth += 1
        if self._depth > limits.MAX_EXPANDED_DEPTH:
            raise _TooMuchError(f"imports and blocks are nested deeper than {limits.MAX_EXPANDED_DEPTH} levels")
        if self.lines > limits.MAX_EXPANDED_LINES_TOGETHER or self.imports > limits.MAX_EXPANDED_IMPORTS:
            raise _TooMuchError(_TOO_LARGE)
        if not imported:
            self._count(self._length(block, arguments, inserted[0]))
        for child in block.children:
            self._line(child, arguments, inserted)
        if imported:
            given = (self.characters - before) // self._copies, (self.lines - lines_before) // self._copies - 1
            lengths = tuple([_length(key, arguments, inserted[0]) for key in block.keys[2:]])
            self._count(sum(lengths))
            self._lines_of(imported, self.definitions.lines[imported], lengths, given)
        else:
            self._references(block, arguments, inserted)
        self._depth -= 1

    def _references(self, block: Block, arguments: tuple[int, ...], inserted: _Inserted) -> None:
        """Count the named route or matcher that a line refers to."""
        if invoked := self.definitions.invoked(block):
            self._lines_of(invoked, self.definitions.lines[invoked], (), (0, 0))
        # a name begins with it, and most lines have none
        is_matched = len(block.keys) > 1 and block.keys[1].startswith("@")
        matcher = self._matchers.named(block.keys[1]) if is_matched else None
        if matcher is not None:
            self._lines_of(block.keys[1], (matcher,), arguments, inserted)

    def _lines_of(self, name: str, lines: Iterable[Block], arguments: tuple[int, ...], inserted: _Inserted) -> None:
        if name in self._open:
            if name.startswith("("):
                raise _TooMuchError(f"the snippet {name} imports itself")
            return
        self.opened.add(name)
        self.imports += 1
        self._open.append(name)
        for line in lines:
            self._line(line, arguments, inserted)
        self._open.pop()

    def _length(self, block: Block, arguments: tuple[int, ...], inserted: int) -> int:
        known = self._lengths.get(id(block))
        if known is None:
            known = sum([_length(key, arguments, inserted) + 1 for key in block.keys])
            # without a snippet, each line is counted once
            if self._open and not any("{" in key for key in block.keys):
                self._lengths[id(block)] = known
        return known

    def _count(self, characters: int) -> None:
        self.characters += characters * self._copies
        if self.characters > limits.MAX_EXPANDED_TEXT:
            raise _TooMuchError(_TOO_LARGE)


def _is_a_block(token: str) -> bool:
    return token.startswith("{block") and _BLOCK.fullmatch(token) is not None


def _length(token: str, arguments: tuple[int, ...], inserted: int) -> int:
    """The length of a token once it is filled in."""
    if "{" not in token:
        return len(token)
    length = len(token) + inserted * len(_BLOCK.findall(token)) + REPEATED * _repeated(token)
    for found in _ARGUMENT.finditer(token):
        place = found[1] or found[2]
        if place is None:
            # each becomes a token of its own, even an empty one
            length += sum(arguments) + len(arguments)
        elif int(place) < len(arguments):
            length += arguments[int(place)]
    return length


def _repeated(pattern: str) -> int:
    """How many characters a regular expression gains once `(ab){9}` is written out."""
    if not _REPETITION.search(pattern):
        return 0
    total = last = position = 0
    outer: list[int] = []
    while position < len(pattern):
        character = pattern[position]
        repetition = _REPETITION.match(pattern, position) if character == "{" else None
        if repetition:
            times = max(int(repetition[1]), int(repetition[2] or 0), 1)
            total, last = min(total + last * (times - 1), _LARGEST), min(last * times, _LARGEST)
            position = repetition.end()
            continue
        if character == "(":
            outer.append(total)
            total = last = 0
        elif character == ")" and outer:
            last, total = total, outer.pop() + total
        elif character not in "*+?|":
            total, last = total + 1, 1
        position += 2 if character == "\\" else 1
    return max(total + sum(outer) - len(pattern), 0)

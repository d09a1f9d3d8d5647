"""The size of a resource once Caddy has written it out: imports, matchers at each use, ports, repeated patterns. Pure.

A few lines can become gigabytes, and no Caddy survives that.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from attrs import define, field, frozen

from dockcaddy import caddyfile
from dockcaddy.admission.conflicts.conflict import Conflict, Member, label_of
from dockcaddy.admission.conflicts.definitions import Definitions
from dockcaddy.admission.conflicts.matchers import Matchers
from dockcaddy.caddyfile import Block
from dockcaddy.model import Problem
from dockcaddy.settings import limits

# the memory of one repeated character of a regular expression, in characters of a Caddyfile
REPEATED = 16

_ARGUMENT = re.compile(r"\{args(?:\[(\d{1,4})\]|\.(\d{1,4})|[\[.][^{}]*)\}")
_BLOCK = re.compile(r"\{blocks?(?:\.[^{}]*)?\}")
_REPETITION = re.compile(r"\{(\d{1,4})(?:,(\d{0,4}))?\}")
_LARGEST = 1 << 40
_TOO_LARGE = "with all imports, matchers, repetitions and ports written out, this is too large for caddy"


class _TooMuchError(Exception):
    """A limit is exceeded; the message is the reason."""


@frozen
class Size:
    """The size of a fragment: `conflicts` where it is too large by itself, else its `share` of what all may use together."""

    member: Member
    conflicts: tuple[Conflict, ...] = ()
    share: float = 0.0

    def __len__(self) -> int:
        """0 for a fragment of usual size, which needs no bookkeeping."""
        return len(self.conflicts) or int(self.share > 0)


def size_of(member: Member, definitions: Definitions, matchers_of: Callable[[Block], Matchers]) -> Size:
    """The size of a fragment; `matchers_of` gives the matchers of the site that a block belongs to.

    Where a newer resource's snippet or route makes it too large, the conflict is that resource's.
    """
    measure = _Measure(definitions)
    for block in member.fragment.blocks:
        try:
            measure.top_level(block, matchers_of)
        except _TooMuchError as reason:
            return Size(member, (_too_large(member, measure, block, str(reason)),))
    return Size(member, (), measure.share)


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


@frozen
class _Inserted:
    """The size of the block that is given to an import."""

    characters: int = 0
    lines: int = 0


_NOTHING = _Inserted()


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

    def top_level(self, block: Block, matchers_of: Callable[[Block], Matchers]) -> None:
        """Count a site or the global options; snippets and named routes count where they are used."""
        self.line_before = None
        if block.is_definition:
            return
        group = caddyfile.group_key(block)
        addresses = group if isinstance(group, frozenset) else ()
        ports = {address[2] for address in addresses if isinstance(address, tuple)}
        self._check(len(addresses), ports)
        self._copies = max(len(ports), 1)
        self._matchers = matchers_of(block)
        self._count(sum(map(len, block.keys)))
        for line in block.children:
            self.line_before = line
            self._line(line, (), _NOTHING)

    def _check(self, addresses: int, ports: set[str]) -> None:
        self.addresses += addresses
        self.ports |= ports
        if self.addresses > limits.MAX_SITE_ADDRESSES:
            raise _TooMuchError(f"there are more than {limits.MAX_SITE_ADDRESSES} site addresses")
        if len(self.ports) > limits.MAX_SITE_PORTS:
            raise _TooMuchError(f"there are sites at more than {limits.MAX_SITE_PORTS} ports")

    def _line(self, block: Block, arguments: tuple[int, ...], inserted: _Inserted) -> None:
        """Count a line; `arguments` are the lengths of its snippet's arguments, `inserted` the block given to the import."""
        imported = self.definitions.imported(block)
        before, lines_before = self.characters, self.lines
        self.lines += self._copies * (1 + (inserted.lines and inserted.lines * sum(map(_is_a_block, block.keys))))
        self._depth += 1
        self._check_lines()
        if imported is None:
            self._count(self._length(block, arguments, inserted.characters))
        for child in block.children:
            self._line(child, arguments, inserted)
        if imported is not None:
            given = _Inserted(
                (self.characters - before) // self._copies, (self.lines - lines_before) // self._copies - 1
            )
            lengths = tuple([_length(key, arguments, inserted.characters) for key in block.keys[2:]])
            self._count(sum(lengths))
            self._lines_of(f"({block.keys[1]})", imported, lengths, given)
        else:
            self._references(block, arguments, inserted)
        self._depth -= 1

    def _references(self, block: Block, arguments: tuple[int, ...], inserted: _Inserted) -> None:
        """Count the named route or matcher that a line refers to."""
        invoked = self.definitions.invoked(block)
        if invoked is not None:
            self._lines_of(f"&({block.keys[-1]})", invoked, (), _NOTHING)
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

    def _check_lines(self) -> None:
        if self._depth > limits.MAX_EXPANDED_DEPTH:
            raise _TooMuchError(f"imports and blocks are nested deeper than {limits.MAX_EXPANDED_DEPTH} levels")
        if self.lines > limits.MAX_EXPANDED_LINES_TOGETHER or self.imports > limits.MAX_EXPANDED_IMPORTS:
            raise _TooMuchError(_TOO_LARGE)

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

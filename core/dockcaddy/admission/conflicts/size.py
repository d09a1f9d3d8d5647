"""The size of a resource once Caddy has written it out: imports, matchers at each use, ports, repeated patterns. Pure.

A few lines can become gigabytes, and no Caddy survives that.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import attrgetter

from attrs import define, field, frozen

from dockcaddy.admission.conflicts.conflict import Conflict, Group, Member, label_of
from dockcaddy.caddyfile import Block, all_blocks, group_key
from dockcaddy.caddyjson import Alone
from dockcaddy.caddyjson.definitions import used_key
from dockcaddy.fragment import Fragment
from dockcaddy.model import Problem
from dockcaddy.settings import limits

# the memory of one repeated character of a regular expression, in characters of a Caddyfile
REPEATED = 16

_ARGUMENT = re.compile(r"\{args(?:\[(\d{1,4})\]|\.(\d{1,4})|[\[.][^{}]*)\}")
_BLOCK = re.compile(r"\{blocks?(?:\.[^{}]*)?\}")
_REPETITION = re.compile(r"\{(\d{1,4})(?:,(\d{0,4}))?\}")
_PIECE = re.compile(rf"{_REPETITION.pattern}|\\?.", re.DOTALL)
_LARGEST = 1 << 40
_TOO_LARGE = "with all imports, matchers, repetitions and ports written out, this is too large for caddy"

MatchersOf = Callable[[Group], Mapping[str, Block]]


class _TooMuchError(Exception):
    """A limit is exceeded; the message is the reason."""


@frozen(slots=False)
class Definers:
    """The members that define each snippet, `(name)`, and named route, `&(name)`, of a configuration.

    See https://caddyserver.com/docs/caddyfile/directives/import.
    """

    members: Mapping[str, Sequence[Member]]

    @cached_property
    def lines(self) -> Mapping[str, Sequence[Block]]:
        """The lines of each."""
        return {
            name: [line for each in members for block in each.blocks for line in block.children]
            for name, members in self.members.items()
        }

    def used_by(self, line: Block) -> str:
        """The snippet that a line imports, or the named route that it invokes; `""` where it does neither."""
        name = used_key(line)
        return name if name in self.members else ""

    def matchers(self, blocks: Iterable[Block]) -> Mapping[str, Block]:
        """The matchers in blocks and in what these import, by name; at `""` the longest whose name has arguments."""
        waiting, known, found = [*blocks], set[str](), dict[str, Block]()
        while waiting:
            line = waiting.pop()
            waiting += line.children
            name = line.keys[0] if line.keys else ""
            if name.startswith("@"):
                found[name] = line
            used = self.used_by(line) if name == "import" else ""
            if used not in known:
                known.add(used)
                waiting += self.lines.get(used, ())
        built = max((line for name, line in found.items() if "{args" in name), key=_written, default=None)
        return found if built is None else {**found, "": built}


def _written(line: Block) -> int:
    return sum(map(len, line.keys)) + sum(map(_written, line.children))


@frozen
class Size:
    """The size of a fragment: a `conflict` where it is too large by itself, else its `share` of what all may use together."""

    member: Member
    conflict: Conflict | None = None
    share: float = 0.0


def is_usual(fragment: Fragment, *, is_alone: bool) -> bool:
    """Whether a fragment is of usual size, whatever multiplies in it; then it needs no more to be known.

    With `is_alone` no other fragment has its sites, and their matchers.
    """
    lines = [*all_blocks(fragment.blocks)]
    text = " ".join([key for line in lines for key in line.keys])
    # at most so many ports, and uses of matchers
    addresses = max(sum(len(group) for group in fragment.group_keys if isinstance(group, frozenset)), 1)
    times = addresses * (1 + text.count("@"))
    return (
        len(text) * times <= limits.FREE_EXPANDED_TEXT
        and len(lines) * times <= limits.FREE_EXPANDED_LINES
        and addresses <= limits.FREE_SITE_ADDRESSES
        and (is_alone or "@" not in text)
        and not ("import" in text or "invoke" in text or _REPETITION.search(text))
    )


def size_of(member: Member, definers: Definers, matchers_of: MatchersOf) -> Size | None:
    """The size of a fragment, None for a usual one; `matchers_of` gives the matchers of a site, see `Definers.matchers`.

    Where a newer resource's snippet or route makes it too large, the conflict is that resource's.
    """
    measure = _Measure(definers)
    for group, block in zip(member.fragment.group_keys, member.fragment.blocks, strict=True):
        try:
            measure.top_level(group, block, matchers_of)
        except _TooMuchError as reason:
            return Size(member, _too_large(member, measure, block, str(reason)))
    return Size(member, share=measure.share) if measure.share > 0 else None


def _too_large(member: Member, measure: "_Measure", block: Block, reason: str) -> Conflict:
    definers = (definer for name in measure.opened for definer in measure.definers.members.get(name, ()))
    newest = max((member, *definers), key=lambda each: each.age).fragment
    if newest is member.fragment:
        return Conflict(newest.key, Problem(newest.owner, label_of(measure.line_before or block), reason))
    return _makes_too_large(newest, member.fragment, reason)


def grown(too_large: Mapping[Fragment, Alone], new: Collection[Fragment]) -> Iterator[Conflict]:
    """A conflict for each fragment that is too large and not `new`, of the newest one whose new snippet or route it uses."""
    for fragment, each in too_large.items():
        used = {group_key(block) for block in each.blocks if block.is_definition}
        definers = [definer for definer in new if not used.isdisjoint(definer.definitions)]
        if definers and fragment not in new:
            yield _makes_too_large(max(definers, key=attrgetter("seniority")), fragment, str(each.refusal))


def _makes_too_large(definer: Fragment, fragment: Fragment, reason: str) -> Conflict:
    message = f"its snippet or route makes {fragment.owner} too large: {reason}"
    return Conflict(definer.key, Problem(definer.owner, "", message))


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
class _Given:
    """What stands in the place of `{args[0]}` and `{block}`: the lengths of arguments; characters, lines, levels of the block."""

    arguments: tuple[int, ...] = ()
    characters: int = 0
    lines: int = 0
    levels: int = 0


@define
class _Measure:
    """Writes a fragment out, keeping lengths instead of texts. `opened` are what it uses."""

    definers: Definers
    characters: int = 0
    lines: int = 0
    addresses: int = 0
    ports: set[str] = field(factory=set)
    line_before: Block | None = None
    opened: set[str] = field(factory=set)
    _copies: int = 1
    _depth: int = 0
    _matchers: Callable[[], Mapping[str, Block]] = dict
    _open: list[str] = field(factory=list)
    # characters, lines and levels of what is the same at each use in a site
    _known: dict[str, tuple[int, int, int]] = field(factory=dict)

    @property
    def share(self) -> float:
        """Its share of what all large fragments may use together; 0 or less for a fragment of usual size."""
        return max(
            (self.characters - limits.FREE_EXPANDED_TEXT) / limits.MAX_EXPANDED_TEXT_TOGETHER,
            (self.addresses - limits.FREE_SITE_ADDRESSES) / limits.MAX_SITE_ADDRESSES_TOGETHER,
            (self.lines - limits.FREE_EXPANDED_LINES) / limits.MAX_EXPANDED_LINES_TOGETHER,
        )

    def top_level(self, group: Group, block: Block, matchers_of: MatchersOf) -> None:
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
        self._copies, self._known = max(len(ports), 1), {}
        self._matchers = lambda: matchers_of(group)
        self._count(sum(map(len, block.keys)), 0)
        for line in block.children:
            self.line_before = line
            self._line(line, _Given())

    def _line(self, block: Block, given: _Given) -> int:
        """Count a line, `given` what its snippet is given. Returns how many levels it has."""
        blocks = sum([len(_BLOCK.findall(key)) for key in block.keys if "{" in key]) if given.lines else 0
        levels = given.levels if blocks else 0
        self._depth += 1
        self._check_depth(levels)
        used = self.definers.used_by(block)
        is_import = used.startswith("(")
        lengths = tuple([_length(key, given) for key in (block.keys[2:] if is_import else block.keys)])
        self._count(sum(lengths) + len(lengths), 1 + given.lines * blocks)
        characters, lines = self.characters, self.lines
        for child in block.children:
            levels = max(levels, self._line(child, given))
        within = _Given()
        if is_import:
            characters, lines = self.characters - characters, self.lines - lines
            within = _Given(lengths, characters // self._copies, lines // self._copies, levels)
        if used:
            levels = max(levels, self._lines_of(used, self.definers.lines[used], within))
        # a matcher's name begins with it, and most lines have none
        if not is_import and len(block.keys) > 1 and block.keys[1].startswith("@"):
            matchers = self._matchers()
            matcher = matchers.get(block.keys[1]) or matchers.get("")
            if matcher is not None:
                self._lines_of(block.keys[1], [matcher], given)
        self._depth -= 1
        return levels + 1

    def _lines_of(self, name: str, lines: Sequence[Block], given: _Given) -> int:
        if name in self._open:
            if name.startswith("("):
                raise _TooMuchError(f"the snippet {name} imports itself")
            return 0
        self.opened.add(name)
        if name in self._known:
            characters, number, levels = self._known[name]
            self._check_depth(levels)
            self._count(characters, number)
            return levels
        self._open.append(name)
        characters, number = self.characters, self.lines
        levels = max((self._line(line, given) for line in lines), default=0)
        self._open.pop()
        if not any("{" in key for line in all_blocks(lines) for key in line.keys):
            characters, number = self.characters - characters, self.lines - number
            self._known[name] = characters // self._copies, number // self._copies, levels
        return levels

    def _check_depth(self, levels: int) -> None:
        if self._depth + levels > limits.MAX_EXPANDED_DEPTH:
            raise _TooMuchError(f"imports and blocks are nested deeper than {limits.MAX_EXPANDED_DEPTH} levels")

    def _count(self, characters: int, lines: int) -> None:
        self.characters += characters * self._copies
        self.lines += lines * self._copies
        if self.characters > limits.MAX_EXPANDED_TEXT or self.lines > limits.MAX_EXPANDED_LINES_TOGETHER:
            raise _TooMuchError(_TOO_LARGE)


def _length(token: str, given: _Given) -> int:
    """The length of a token once it is filled in."""
    if "{" not in token:
        return len(token)
    length = len(token) + given.characters * len(_BLOCK.findall(token)) + REPEATED * _repeated(token)
    for found in _ARGUMENT.finditer(token):
        place = found[1] or found[2]
        # all of them: each becomes a token of its own, even an empty one
        meant = given.arguments[int(place) :][:1] if place else (*given.arguments, len(given.arguments))
        length += sum(meant)
    return length


def _repeated(pattern: str) -> int:
    """How many characters a regular expression gains once `(ab){9}` is written out."""
    if not _REPETITION.search(pattern):
        return 0
    # of the open groups, the innermost last; of what a repetition would repeat
    lengths, last = [0], 0
    for piece in _PIECE.finditer(pattern):
        if piece[1]:
            times = max(int(piece[1]), int(piece[2] or 0), 1)
            lengths[-1], last = min(lengths[-1] + last * (times - 1), _LARGEST), min(last * times, _LARGEST)
        elif piece[0] == "(":
            lengths.append(0)
            last = 0
        elif piece[0] == ")" and len(lengths) > 1:
            last = lengths.pop()
            lengths[-1] += last
        elif piece[0] not in "*+?|":
            lengths[-1], last = lengths[-1] + 1, 1
    return max(sum(lengths) - len(pattern), 0)

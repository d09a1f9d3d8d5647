"""Reads Go's regular expressions (https://github.com/google/re2/wiki/Syntax), with Go's words where one is wrong."""

import re

from attrs import define, evolve, field, frozen

from dockcaddy.gotemplate.errors import FunctionError
from dockcaddy.gotemplate.limits import MAX_REGEXP_DEPTH, MAX_REGEXP_REPETITIONS, MAX_REGEXP_TEXT
from dockcaddy.gotemplate.regexps.classes import PERL, POSIX, CharacterClass, between, unicode_group
from dockcaddy.gotemplate.regexps.nodes import Choice, Empty, Group, Letter, Node, Place, Repeat, Sequence

_COUNTS = re.compile(r"\{(0|[1-9][0-9]*)(?:(,)(0|[1-9][0-9]*)?)?\}", re.ASCII)
_PLACES = {"A": "begin text", "b": "boundary", "B": "no boundary", "z": "end text"}
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ENDS = "\U0010ffff"


def _wrong(what: str, where: str) -> FunctionError:
    return FunctionError(f"error parsing regexp: {what}: `{where}`")


@frozen
class _Flags:
    folds: bool = False
    lines: bool = False
    dot_all: bool = False
    swaps_greed: bool = False


@define(eq=False)
class _Open:
    """A group that is being read: its number, what stands before it, the flags outside."""

    number: int
    flags: _Flags
    choices: list[Node] = field(factory=list)
    parts: list[Node] = field(factory=list)

    def whole(self) -> Node:
        choices = [*self.choices, _sequence(self.parts)]
        return choices[0] if len(choices) == 1 else Choice(tuple(choices))


def _sequence(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Sequence(tuple(parts)) if parts else Empty()


@frozen
class Parsed:
    """An expression: its tree, how many groups it has, and their names."""

    root: Node
    groups: int
    names: dict[str, int]


def parse(pattern: str) -> Parsed:
    """The expression. Raises FunctionError with Go's words where it is none, or where it is too long or too deep."""
    if len(pattern) > MAX_REGEXP_TEXT:
        raise FunctionError(f"the regular expression exceeds the limit of {MAX_REGEXP_TEXT} characters")
    if any("\udc80" <= each <= "\udcff" for each in pattern):
        raise _wrong("invalid UTF-8", pattern)
    return _Parser(pattern).parsed()


@define(eq=False)
class _Parser:
    pattern: str
    at: int = 0
    groups: int = 0
    flags: _Flags = _Flags()
    names: dict[str, int] = field(factory=dict)
    open: list[_Open] = field(factory=lambda: [_Open(0, _Flags())])
    # where the repetition began that was read last
    repeated: int = -1

    def parsed(self) -> Parsed:
        while self.at < len(self.pattern):
            start = self.at
            if not self.repetition():
                self.repeated = -1
                self.one(self.pattern[start])
        if len(self.open) > 1:
            raise _wrong("missing closing )", self.pattern)
        return Parsed(self.open[0].whole(), self.groups, self.names)

    def push(self, node: Node) -> None:
        self.open[-1].parts.append(node)

    def one(self, letter: str) -> None:
        simple = {
            "^": "begin line" if self.flags.lines else "begin text",
            "$": "end line" if self.flags.lines else "end text",
        }
        if letter == "(":
            self.opened()
        elif letter == ")":
            self.closed()
        elif letter == "|":
            self.open[-1].choices.append(_sequence(self.open[-1].parts))
            self.open[-1].parts = []
            self.at += 1
        elif letter in simple:
            self.push(Place(simple[letter]))
            self.at += 1
        elif letter == ".":
            dot_all = self.flags.dot_all
            self.push(Letter(CharacterClass([lambda each: dot_all or each != "\n"])))
            self.at += 1
        elif letter == "[":
            self.push(Letter(self.character_class()))
        elif letter == "\\":
            self.escaped()
        else:
            self.literal(letter)
            self.at += 1

    def literal(self, letter: str) -> None:
        letters = CharacterClass()
        letters.add(between(letter, letter), folds=self.flags.folds)
        self.push(Letter(letters))

    # --- groups

    def opened(self) -> None:
        if self.pattern.startswith("(?", self.at):
            self.perl_group()
        else:
            self.groups += 1
            self.open.append(_Open(self.groups, self.flags))
            self.at += 1
        if len(self.open) > MAX_REGEXP_DEPTH:
            raise _wrong("expression nests too deeply", self.pattern)

    def closed(self) -> None:
        if len(self.open) < 2:
            raise _wrong("unexpected )", self.pattern)
        group = self.open.pop()
        self.flags = group.flags
        self.push(Group(group.number, group.whole()) if group.number else group.whole())
        self.at += 1

    def perl_group(self) -> None:
        named = re.compile(r"\(\?P?<").match(self.pattern, self.at)
        rest = self.pattern[self.at :]
        if named and len(rest) > len(named[0]):
            end = self.pattern.find(">", self.at)
            if end < 0:
                raise _wrong("invalid named capture", rest)
            name = self.pattern[named.end() : end]
            if not re.fullmatch(r"\w+", name, re.ASCII):
                raise _wrong("invalid named capture", self.pattern[self.at : end + 1])
            self.groups += 1
            self.names.setdefault(name, self.groups)
            self.open.append(_Open(self.groups, self.flags))
            self.at = end + 1
            return
        self.flag_group()

    def flag_group(self) -> None:
        """`(?i)`, `(?s-m:...)`."""
        start, place, flags, on, seen = self.at, self.at + 2, self.flags, True, False
        names = {"i": "folds", "m": "lines", "s": "dot_all", "U": "swaps_greed"}
        while place < len(self.pattern):
            letter = self.pattern[place]
            place += 1
            if letter in names:
                flags = evolve(flags, **{names[letter]: on})
                seen = True
            elif letter == "-" and on:
                on, seen = False, False
            elif letter in ":)" and (on or seen):
                if letter == ":":
                    self.open.append(_Open(0, self.flags))
                self.flags, self.at = flags, place
                return
            else:
                break
        raise _wrong("invalid or unsupported Perl syntax", self.pattern[start:place])

    # --- repetitions

    def repetition(self) -> bool:
        """Read `*`, `+`, `?` or `{n,m}` where one stands here."""
        start = self.at
        counts = _COUNTS.match(self.pattern, start)
        sign = self.pattern[start]
        if counts is None and sign not in "*+?":
            return False
        self.at = counts.end() if counts else start + 1
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(sign, (0, None))
        if counts:
            least, most = _counted(counts)
            if least > MAX_REGEXP_REPETITIONS or (most is not None and (most > MAX_REGEXP_REPETITIONS or least > most)):
                raise _wrong("invalid repeat count", counts[0])
        greedy = not self.flags.swaps_greed
        if self.pattern.startswith("?", self.at):
            self.at += 1
            greedy = not greedy
        written = self.pattern[start : self.at]
        if self.repeated >= 0:
            raise _wrong("invalid nested repetition operator", self.pattern[self.repeated : self.at])
        if not self.open[-1].parts:
            raise _wrong("missing argument to repetition operator", written)
        node = Repeat(self.open[-1].parts.pop(), least, most, greedy, counts is not None)
        if counts and (least >= 2 or (most or 0) >= 2) and not _may_repeat(node, MAX_REGEXP_REPETITIONS):
            raise _wrong("invalid repeat count", written)
        self.push(node)
        self.repeated = start
        return True

    # --- escapes and classes

    def escaped(self) -> None:
        following = self.pattern[self.at + 1 : self.at + 2]
        if following in _PLACES and following:
            self.push(Place(_PLACES[following]))
            self.at += 2
        elif following == "C":
            raise _wrong("invalid escape sequence", "\\C")
        elif following == "Q":
            text, _, _ = self.pattern[self.at + 2 :].partition("\\E")
            for letter in text:
                self.literal(letter)
            self.at = min(self.at + 2 + len(text) + 2, len(self.pattern))
        else:
            letters = CharacterClass()
            if self.group_into(letters):
                self.push(Letter(letters))
            else:
                self.literal(self.escape())

    def group_into(self, letters: CharacterClass) -> bool:
        """Add `\\d`, `\\pL` or the like where one stands here."""
        if not self.pattern.startswith("\\", self.at):
            return False
        kind = self.pattern[self.at + 1 : self.at + 2]
        if kind and kind.lower() in PERL and kind in "dswDSW":
            letters.add(PERL[kind.lower()], negated=kind.isupper(), folds=self.flags.folds)
            self.at += 2
            return True
        if kind not in ("p", "P") or self.at + 2 >= len(self.pattern):
            return False
        end = self.at + 3
        if self.pattern[self.at + 2] == "{":
            end = self.pattern.find("}", self.at) + 1
            if not end:
                raise _wrong("invalid character class range", self.pattern[self.at :])
        spelled = self.pattern[self.at : end]
        name = spelled[2:].strip("{}")
        negated = (kind == "P") != name.startswith("^")
        member = unicode_group(name.removeprefix("^"))
        if member is None:
            raise _wrong("invalid character class range", spelled)
        letters.add(member, negated=negated, folds=self.flags.folds)
        self.at = end
        return True

    def escape(self) -> str:
        """One escaped character."""
        start = self.at
        self.at += 2
        if self.at > len(self.pattern):
            raise FunctionError("error parsing regexp: trailing backslash at end of expression: ``")
        letter = self.pattern[start + 1]
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        octal = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}", re.ASCII).match(self.pattern, start + 1)
        if octal:
            self.at = octal.end()
            return chr(int(octal[0], 8))
        if letter == "x":
            return self.hexadecimal(start)
        if letter.isascii() and not letter.isalnum():
            return letter
        raise _wrong("invalid escape sequence", self.pattern[start : self.at])

    def hexadecimal(self, start: int) -> str:
        found = re.compile(r"([0-9a-fA-F]{2})|\{([0-9a-fA-F]+)\}").match(self.pattern, self.at)
        if found:
            code = int(found[1] or found[2], 16)
            if code <= ord(_ENDS):
                self.at = found.end()
                return chr(code) if not 0xD800 <= code <= 0xDFFF else "\ufffd"
        bad = re.compile(r"\{[0-9a-fA-F]*.?|..?", re.DOTALL).match(self.pattern, self.at)
        raise _wrong("invalid escape sequence", self.pattern[start : bad.end() if bad else self.at])

    def character_class(self) -> CharacterClass:
        start = self.at
        self.at += 1
        letters = CharacterClass()
        if self.pattern.startswith("^", self.at):
            letters.negated = True
            self.at += 1
        first = True
        while first or not self.pattern.startswith("]", self.at):
            first = False
            if not (self.posix_into(letters) or self.group_into(letters)):
                self.range_into(letters, start)
        self.at += 1
        return letters

    def posix_into(self, letters: CharacterClass) -> bool:
        end = self.pattern.find(":]", self.at + 2)
        if not self.pattern.startswith("[:", self.at) or end < 0:
            return False
        spelled = self.pattern[self.at : end + 2]
        name = spelled[2:-2]
        member = POSIX.get(name.removeprefix("^"))
        if member is None:
            raise _wrong("invalid character class range", spelled)
        letters.add(member, negated=name.startswith("^"), folds=self.flags.folds)
        self.at = end + 2
        return True

    def range_into(self, letters: CharacterClass, start: int) -> None:
        began = self.at
        low = high = self.class_letter(start)
        rest = self.pattern[self.at : self.at + 2]
        if len(rest) == 2 and rest[0] == "-" and rest[1] != "]":
            self.at += 1
            high = self.class_letter(start)
            if high < low:
                raise _wrong("invalid character class range", self.pattern[began : self.at])
        letters.add(between(low, high), folds=self.flags.folds)

    def class_letter(self, start: int) -> str:
        if self.at >= len(self.pattern):
            raise _wrong("missing closing ]", self.pattern[start:])
        if self.pattern[self.at] == "\\":
            return self.escape()
        self.at += 1
        return self.pattern[self.at - 1]


def _counted(counts: re.Match[str]) -> tuple[int, int | None]:
    """The least and the most of `{n,m}`; what has too many digits is too large anyway."""
    least = int(counts[1][:6])
    return (least, least) if not counts[2] else (least, int(counts[3][:6]) if counts[3] else None)


def _may_repeat(node: Node, times: int) -> bool:
    """Whether counted repetitions within each other make no more than so many."""
    if isinstance(node, Repeat):
        if node.counted:
            most = node.least if node.most is None else node.most
            if node.most == 0:
                return True
            if most > times:
                return False
            times //= most or 1
        return _may_repeat(node.part, times)
    if isinstance(node, Group):
        return _may_repeat(node.part, times)
    return all(_may_repeat(part, times) for part in node.parts) if isinstance(node, Sequence | Choice) else True

"""Finds regular expressions in a time that grows with the text and the expression, and never more (Thompson, Pike).

All ways through the expression are followed at once, one character after the other, so that nothing is tried twice.
"""

from collections.abc import Callable

from attrs import define, field, frozen

from dockcaddy.gotemplate.errors import FunctionError
from dockcaddy.gotemplate.limits import MAX_REGEXP_INSTRUCTIONS
from dockcaddy.gotemplate.regexps.nodes import Choice, Empty, Group, Letter, Node, Place, Repeat, Sequence
from dockcaddy.gotemplate.regexps.syntax import parse

# instructions that are followed in the time of one step of a template
_PER_STEP = 8
# characters of an expression that are read in that time
_READ_PER_STEP = 4
# places of groups that are copied in that time
_COPIED_PER_STEP = 64

# what a match captured: begin and end of the whole, of the first group, and so on; -1 where a group took no part
Captures = tuple[int, ...]


@define(eq=False)
class _Instruction:
    """`letter`: one of `letters`; `split`: to `first`, then `second`; `save` a place; `place`; `match`."""

    kind: str
    first: int = 0
    second: int = 0
    operand: object = None


@define(eq=False)
class _Compiler:
    spend: Callable[[int], None]
    program: list[_Instruction] = field(factory=list)

    def add(self, kind: str, first: int = 0, second: int = 0, operand: object = None) -> int:
        if len(self.program) >= MAX_REGEXP_INSTRUCTIONS:
            raise FunctionError("error parsing regexp: expression too large")
        if len(self.program) % _PER_STEP == 0:
            self.spend(1)
        self.program.append(_Instruction(kind, first, second, operand))
        return len(self.program) - 1

    def compile(self, node: Node, then: int) -> int:
        """Where the node begins that goes on at `then`: a program is made from its end."""
        match node:
            case Letter():
                return self.add("letter", then, operand=node.letters)
            case Place():
                return self.add("place", then, operand=node.kind)
            case Sequence():
                for part in reversed(node.parts):
                    then = self.compile(part, then)
                return then
            case Choice():
                begin = self.compile(node.parts[-1], then)
                for part in reversed(node.parts[:-1]):
                    begin = self.add("split", self.compile(part, then), begin)
                return begin
            case Group():
                end = self.add("save", then, operand=2 * node.number + 1)
                return self.add("save", self.compile(node.part, end), operand=2 * node.number)
            case Repeat():
                return self.repeat(node, then)
            case Empty():
                return then

    def repeat(self, node: Repeat, then: int) -> int:
        if node.most is None:
            then, least = self.loop(node, then), max(node.least - 1, 0)
        else:
            begin, least = then, node.least
            for _ in range(node.most - node.least):
                begin = self.fork(self.compile(node.part, begin), then, node.greedy)
            then = begin
        for _ in range(least):
            then = self.compile(node.part, then)
        return then

    def loop(self, node: Repeat, then: int) -> int:
        """Once or more; not at all, too, where that is allowed."""
        fork = self.add("split")
        begin = self.compile(node.part, fork)
        choices = (begin, then) if node.greedy else (then, begin)
        self.program[fork].first, self.program[fork].second = choices
        if node.least:
            return begin
        return self.fork(begin, then, node.greedy) if _is_nullable(node.part) else fork

    def fork(self, there: int, on: int, greedy: bool) -> int:
        return self.add("split", *((there, on) if greedy else (on, there)))


def _is_nullable(node: Node) -> bool:
    match node:
        case Letter():
            return False
        case Sequence():
            return all(map(_is_nullable, node.parts))
        case Choice():
            return any(map(_is_nullable, node.parts))
        case Group():
            return _is_nullable(node.part)
        case Repeat():
            return node.least == 0 or _is_nullable(node.part)
    return True


@frozen(eq=False)
class Regexp:
    """A compiled expression. `spend` counts the steps that it takes."""

    program: list[_Instruction]
    start: int
    groups: int
    names: dict[str, int]
    spend: Callable[[int], None]

    def search(self, text: str, start: int) -> Captures | None:
        """The leftmost match from there on, the way Perl would choose it. Raises what `spend` raises."""
        machine = _Machine(self, text)
        return machine.run(start)


def compile_regexp(pattern: str, spend: Callable[[int], None]) -> Regexp:
    """The expression. Raises FunctionError with Go's words where it is none."""
    spend(len(pattern) // _READ_PER_STEP)
    parsed = parse(pattern)
    compiler = _Compiler(spend)
    match = compiler.add("match")
    start = compiler.compile(parsed.root, match)
    return Regexp(compiler.program, start, parsed.groups, parsed.names, spend)


def _is_word(letter: str) -> bool:
    return letter.isascii() and (letter.isalnum() or letter == "_")


def _holds(kind: str, text: str, at: int) -> bool:
    if kind == "begin text":
        return at == 0
    if kind == "end text":
        return at == len(text)
    if kind == "begin line":
        return at == 0 or text[at - 1] == "\n"
    if kind == "end line":
        return at == len(text) or text[at] == "\n"
    before, after = at > 0 and _is_word(text[at - 1]), at < len(text) and _is_word(text[at])
    return (before != after) == (kind == "boundary")


Thread = tuple[int, Captures]


@define(eq=False)
class _Machine:
    regexp: Regexp
    text: str

    def run(self, start: int) -> Captures | None:
        blank: Captures = (-1,) * (2 * self.regexp.groups + 2)
        threads: list[Thread] = []
        found: Captures | None = None
        for at in range(start, len(self.text) + 1):
            begin = (at, *blank[1:])
            reached = self.reach(threads, begin if found is None else None, at)
            threads = []
            letter = self.text[at] if at < len(self.text) else None
            for place, captures in reached:
                instruction = self.regexp.program[place]
                if instruction.kind == "match":
                    found = (captures[0], at, *captures[2:])
                    break
                if letter is not None and instruction.operand.has(letter):  # type: ignore[attr-defined]
                    threads.append((instruction.first, captures))
            if not threads and found is not None:
                break
        return found

    def reach(self, threads: list[Thread], begin: Captures | None, at: int) -> list[Thread]:
        """All threads that wait for a character here, in the order in which they are preferred."""
        program, reached = self.regexp.program, []
        seen: set[int] = set()
        copied = 0
        stack = [(self.regexp.start, begin)] if begin is not None else []
        stack += reversed(threads)
        while stack:
            place, captures = stack.pop()
            if place in seen:
                continue
            seen.add(place)
            instruction = program[place]
            assert captures is not None
            if instruction.kind == "split":
                stack.append((instruction.second, captures))
                stack.append((instruction.first, captures))
            elif instruction.kind == "save":
                slot: int = instruction.operand  # type: ignore[assignment]
                copied += len(captures)
                stack.append((instruction.first, (*captures[:slot], at, *captures[slot + 1 :])))
            elif instruction.kind == "place":
                if _holds(instruction.operand, self.text, at):  # type: ignore[arg-type]
                    stack.append((instruction.first, captures))
            else:
                reached.append((place, captures))
        self.regexp.spend(1 + len(seen) // _PER_STEP + copied // _COPIED_PER_STEP)
        return reached

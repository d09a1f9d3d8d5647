"""A parsed regular expression."""

from attrs import frozen

from dockcaddy.gotemplate.regexps.classes import CharacterClass


@frozen(eq=False)
class Empty:
    """Nothing."""


@frozen(eq=False)
class Letter:
    """One character of a set."""

    letters: CharacterClass


@frozen(eq=False)
class Place:
    """A place between characters: `begin text`, `end text`, `begin line`, `end line`, `boundary`, `no boundary`."""

    kind: str


@frozen(eq=False)
class Sequence:
    """One after the other."""

    parts: "tuple[Node, ...]"


@frozen(eq=False)
class Choice:
    """The first of them that leads to a match."""

    parts: "tuple[Node, ...]"


@frozen(eq=False)
class Group:
    """A part that is captured."""

    number: int
    part: "Node"


@frozen(eq=False)
class Repeat:
    """A part from `least` to `most` times, without end where that is None; `counted` where it is written so."""

    part: "Node"
    least: int
    most: int | None
    greedy: bool
    counted: bool


Node = Empty | Letter | Place | Sequence | Choice | Group | Repeat

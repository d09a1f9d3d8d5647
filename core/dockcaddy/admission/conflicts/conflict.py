"""What one resource says and another has."""

from collections.abc import Hashable

from attrs import frozen

from dockcaddy import caddyfile
from dockcaddy.caddyfile import Block
from dockcaddy.errors import one_line
from dockcaddy.fragment import Fragment
from dockcaddy.model import Problem


@frozen
class Conflict:
    """`fragment` (a key) wants what an older one has: `older`, `""` where it is nobody's in particular."""

    fragment: str
    problem: Problem
    older: str = ""


@frozen(eq=False)
class Member:
    """A fragment and its blocks in one group. The lower `age` is the older's."""

    fragment: Fragment
    blocks: tuple[Block, ...]
    age: tuple[int, int]


Group = Hashable


def conflict_between(
    newer: Fragment, what: str, older: Fragment, *, label: str = "", their_label: str = "", remedy: str = ""
) -> Conflict:
    """`what` is a sentence about the newer one that goes on with the older's name; `remedy` is what to do."""
    where = f" (label {their_label})" if their_label else ""
    message = f"{what} {older.owner}{where}, which is older and keeps it" + (f": {remedy}" if remedy else "")
    return Conflict(newer.key, Problem(newer.owner, label, message), older.key)


def text_of(block: Block) -> str:
    """What a block says, whatever the order of its lines."""
    return caddyfile.write(caddyfile.sort((Block((), (block,)),)))


def label_of(block: Block) -> str:
    """The label that a block came from, as it is told; `""` where it came from none."""
    return one_line(block.origins[0].label) if block.origins else ""

"""A conflict between two resources."""

from collections.abc import Hashable

from attrs import frozen

from dockcaddy.caddyfile import Block
from dockcaddy.errors import one_line
from dockcaddy.fragment import Fragment
from dockcaddy.model import Problem


@frozen
class Conflict:
    """`fragment` cannot be served as written because of `older`, `""` where no single one is the reason. Both are keys."""

    fragment: str
    problem: Problem
    older: str = ""


@frozen(eq=False)
class Member:
    """A fragment and its blocks in one group. The older of two has the lower `age`."""

    fragment: Fragment
    blocks: tuple[Block, ...]
    age: tuple[int, int]

    def conflict(self, what: str, older: "Member", label: str | None = None, **more: str) -> Conflict:
        """Its conflict with an older member, by a label, or by that of its first block: see `conflict_between`."""
        label = label_of(self.blocks[0]) if label is None else label
        return conflict_between(self.fragment, what, older.fragment, label=label, **more)


Group = Hashable


def conflict_between(
    newer: Fragment, what: str, older: Fragment, *, label: str = "", their_label: str = "", remedy: str = ""
) -> Conflict:
    """`what` describes the newer resource and ends before the older one's name; `remedy` is what to do."""
    where = f" (label {their_label})" if their_label else ""
    message = f"{what} {older.owner}{where}; the older resource wins" + (f": {remedy}" if remedy else "")
    return Conflict(newer.key, Problem(newer.owner, label, message), older.key)


def label_of(block: Block) -> str:
    """The label that a block came from, as messages show it; `""` where there is none."""
    return one_line(block.origins[0].label) if block.origins else ""

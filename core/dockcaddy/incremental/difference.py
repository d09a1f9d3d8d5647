"""How a tuple differs from an earlier one. Members are the same if they are one object, or equal."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Generic, TypeVar

from attrs import frozen

T = TypeVar("T")
V = TypeVar("V")

# so far is looked for the place from which on both are the same again, and so often
_WINDOW = 32
_HUNKS = 64
# so many members are compared at once
_PIECE = 256


@frozen(eq=False)
class Hunk(Generic[T]):
    """A place where both differ: `old` members, from `start` on in the earlier tuple, gave way to `new` ones."""

    start: int
    old: tuple[T, ...]
    new: tuple[T, ...]


@frozen(eq=False)
class Difference(Generic[T]):
    """The hunks in their order; outside of them both tuples have the same members in the same order."""

    hunks: tuple[Hunk[T], ...] = ()

    @classmethod
    def of(cls, before: tuple[T, ...], now: tuple[T, ...]) -> "Difference[T]":
        """How `now` differs from `before`."""
        # tuples of different lengths would be compared to the end
        is_same = before is now or (len(before) == len(now) and before == now)
        return cls() if is_same else cls(tuple(_hunks(before, now)))

    def __bool__(self) -> bool:
        return bool(self.hunks)

    @cached_property
    def gone(self) -> tuple[T, ...]:
        """The members that the earlier tuple had and the later one does not have. No member may be there twice."""
        there = {id(each) for hunk in self.hunks for each in hunk.new}
        return tuple([each for hunk in self.hunks for each in hunk.old if id(each) not in there])

    @cached_property
    def new(self) -> tuple[T, ...]:
        """The members that the later tuple has and the earlier one did not have. No member may be there twice."""
        there = {id(each) for hunk in self.hunks for each in hunk.old}
        return tuple([each for hunk in self.hunks for each in hunk.new if id(each) not in there])

    @property
    def keeps_order(self) -> bool:
        """Whether the members that both have are in the same order."""
        gone, new = {*map(id, self.gone)}, {*map(id, self.new)}
        stayed = [id(each) for hunk in self.hunks for each in hunk.old if id(each) not in gone]
        return stayed == [id(each) for hunk in self.hunks for each in hunk.new if id(each) not in new]

    def mapped(self, values: tuple[V, ...], make: Callable[[T], V]) -> tuple[V, ...]:
        """A value for each member of the later tuple, from those for the earlier one. `make` is called for what is new."""
        known: dict[int, V] = {}
        for hunk in self.hunks:
            end = hunk.start + len(hunk.old)
            known.update(zip(map(id, hunk.old), values[hunk.start : end], strict=True))
        made: list[V] = []
        end = 0
        for hunk in self.hunks:
            made += values[end : hunk.start]
            made += [known[id(each)] if id(each) in known else make(each) for each in hunk.new]
            end = hunk.start + len(hunk.old)
        made += values[end:]
        return tuple(made)


def _hunks(before: tuple[T, ...], now: tuple[T, ...]) -> Iterator[Hunk[T]]:
    """The hunks of two tuples. Where a lot has changed, the last hunk may have members that stay."""
    old, new = 0, 0
    for count in range(_HUNKS):
        same = _same_at_the_start(before, old, now, new)
        old, new = old + same, new + same
        if old == len(before) and new == len(now):
            return
        step = _step(before, old, now, new) if count < _HUNKS - 1 else None
        if step is None:
            same = _same_at_the_end(before, old, now, new)
            step = len(before) - same, len(now) - same
        yield Hunk(old, before[old : step[0]], now[new : step[1]])
        old, new = step


def _step(before: tuple[T, ...], old: int, now: tuple[T, ...], new: int) -> tuple[int, int] | None:
    """The next places that have the same member: what is in front of it was replaced, has come, or has gone."""
    ahead = {id(each): place for place, each in enumerate(before[old : old + _WINDOW], old)}
    for place, each in enumerate(now[new : new + _WINDOW], new):
        if id(each) in ahead:
            return ahead[id(each)], place
    return None


def _same_at_the_start(before: tuple[T, ...], old: int, now: tuple[T, ...], new: int) -> int:
    """How many members are the same from these places on: pieces of tuples are compared faster than their members."""
    same, size, end = 0, _PIECE, min(len(before) - old, len(now) - new)
    while same < end and size:
        stop = min(same + size, end)
        if before[old + same : old + stop] == now[new + same : new + stop]:
            same = stop
        else:
            # the first one that differs is in this piece
            size //= 2
    return same


def _same_at_the_end(before: tuple[T, ...], old: int, now: tuple[T, ...], new: int) -> int:
    """How many members are the same at the end, none of them before these places."""
    low, high = 0, min(len(before) - old, len(now) - new)
    while low < high:
        middle = (low + high + 1) // 2
        if before[len(before) - middle : len(before) - low] == now[len(now) - middle : len(now) - low]:
            low = middle
        else:
            high = middle - 1
    return low

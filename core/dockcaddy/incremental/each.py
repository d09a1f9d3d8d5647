"""What is made of each member of a tuple, or which of them are chosen, from one tuple to the next."""

from collections.abc import Callable
from itertools import compress
from typing import Generic, TypeVar

from attrs import define, field

from dockcaddy.incremental.difference import Difference

T = TypeVar("T")
V = TypeVar("V")


@define(eq=False)
class Each(Generic[T, V]):
    """Makes something of each member of a tuple. What stays from one tuple to the next is not made again."""

    make: Callable[[T], V]
    _members: tuple[T, ...] = ()
    _made: tuple[V, ...] = ()

    def of(self, members: tuple[T, ...]) -> tuple[V, ...]:
        """What is made of these; the very same tuple where they are the same members as the last time."""
        difference = Difference.of(self._members, members)
        if difference:
            self._made = difference.mapped(self._made, self.make)
        self._members = members
        return self._made


@define(eq=False)
class Chosen(Generic[T]):
    """Chooses some members of a tuple. What stays from one tuple to the next is not asked about again."""

    is_one: Callable[[T], bool]
    _each: Each[T, bool] = field(init=False)
    _members: tuple[T, ...] = ()
    _chosen: tuple[T, ...] = ()

    def __attrs_post_init__(self) -> None:
        self._each = Each(lambda each: bool(self.is_one(each)))

    def of(self, members: tuple[T, ...]) -> tuple[T, ...]:
        """Those that are chosen, in their order; the very same tuple where it would have the same members as the last time."""
        if members is self._members:
            return self._chosen
        chosen = tuple(compress(members, self._each.of(members)))
        if len(chosen) == len(members):
            chosen = members
        self._members, self._chosen = members, self._chosen if chosen == self._chosen else chosen
        return self._chosen

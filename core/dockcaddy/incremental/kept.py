"""What a step keeps by key, and where members of a tuple are."""

from collections.abc import Collection, Hashable, Mapping, MutableMapping, Sized
from itertools import count
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept", bound=Sized)

# to look for more members one by one takes longer than to go through all
_FEW = 16


def keep(where: MutableMapping[Key, Kept], key: Key, found: Kept) -> None:
    """Keep what was found under a key; nothing where nothing was found."""
    if found:
        where[key] = found
    else:
        where.pop(key, None)


def places(some: Collection[Key], members: tuple[Key, ...]) -> Mapping[Key, int]:
    """The places of some members of a tuple, all of which are there."""
    if len(some) <= _FEW:
        return {each: members.index(each) for each in some}
    every = dict(zip(members, count()))
    return {each: every[each] for each in some}

"""What is found out about the keys of labels is kept: thousands of containers have the same keys. Pure."""

import re
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache, wraps
from typing import TypeVar

from dockcaddy.settings import limits

Keys = tuple[str, ...]
Given = TypeVar("Given", bound=Hashable)
Found = TypeVar("Found")


def once(find: Callable[[Keys, Given], Found]) -> Callable[[Keys, Given], Found]:
    """`find`, called once for the same keys, unless they are longer than what people write: those are not kept."""
    kept = lru_cache(maxsize=256)(find)

    @wraps(find)
    def found(keys: Keys, given: Given) -> Found:
        is_usual = len("".join(keys)) <= limits.MAX_KEPT_KEYS
        return kept(keys, given) if is_usual else find(keys, given)

    return found


@once
def under(keys: Keys, prefix: str) -> Sequence[str]:
    """The keys under the prefix, sorted: `PREFIX`, `PREFIX_1`, `PREFIX.x`."""
    ours = re.compile(rf"{re.escape(prefix)}(?:_[0-9]+)?(?:\.|\Z)")
    return sorted([key for key in keys if key.startswith(prefix) and ours.match(key)])

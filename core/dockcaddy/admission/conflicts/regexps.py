"""Whether a regular expression is found in a text, in bounded time. Pure."""

from functools import lru_cache

from attrs import define, evolve

from dockcaddy.gotemplate import FunctionError, Regexp, compile_regexp
from dockcaddy.settings import limits


class _TooLongError(Exception):
    """The expression takes too long."""


@define
class _Steps:
    """Counts steps. Raises _TooLongError."""

    taken: int = 0

    def spend(self, steps: int) -> None:
        self.taken += steps
        if self.taken > limits.MAX_REGEXP_STEPS:
            raise _TooLongError


def is_found(pattern: str, text: str) -> bool | None:
    """Whether the pattern is found somewhere in the text; None where that is unknown."""
    regexp = _compiled(pattern)
    try:
        return None if regexp is None else evolve(regexp, spend=_Steps().spend).search(text, 0) is not None
    except _TooLongError:
        return None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Regexp | None:
    try:
        return compile_regexp(pattern, _Steps().spend)
    except (FunctionError, RecursionError, _TooLongError):
        return None

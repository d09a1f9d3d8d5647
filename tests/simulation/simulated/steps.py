"""A script: what happens to a world, and when. It is all that a run depends on."""

from collections.abc import Sequence
from typing import Any

from attrs import field, frozen


@frozen
class Step:
    """After so many seconds something happens: `what` is a method of `World`'s, with these arguments."""

    after: float
    what: str
    args: tuple[Any, ...] = ()

    def __str__(self) -> str:
        """As Python."""
        return f"Step({', '.join(map(repr, (self.after, self.what, *([self.args] if self.args else []))))})"


@frozen
class Script:
    """Steps, one after the other, in a world of this kind. After the last one there is calm for a while."""

    seed: int
    steps: Sequence[Step] = ()
    is_child: bool = True
    is_swarm: bool = False
    calm: float = field(default=40.0)

    def __str__(self) -> str:
        """As Python that can be pasted into a test."""
        steps = "".join(f"            {step},\n" for step in self.steps)
        return (
            f"Script(\n        {self.seed},\n        [\n{steps}        ],\n"
            f"        is_child={self.is_child},\n        is_swarm={self.is_swarm},\n        calm={self.calm},\n    )"
        )

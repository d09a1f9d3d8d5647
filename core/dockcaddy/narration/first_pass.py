"""What the log says while the first pass takes long: who has not answered, how far reading has come."""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import define, field

from dockcaddy.narration.log import DescribedEngine, counted

logger = logging.getLogger("dockcaddy")


class ReadEngine(DescribedEngine, Protocol):
    """An engine whose containers are read."""

    @property
    def progress(self) -> tuple[int, int] | None:
        """How many of its labelled containers are read, and how many there are; None before it has answered."""


@define(eq=False)
class FirstPass:
    """Says once more what it waits for whenever that has changed.

    `is_known` says of each engine whether it was read or has failed, which the log says otherwise; `is_over` whether
    the pass has come to an end.
    """

    engines: Sequence[ReadEngine]
    is_known: Callable[[int], bool]
    is_over: Callable[[], bool]
    _said: dict[str, str] = field(factory=dict)

    def report(self) -> None:
        """Log what is waited for now."""
        for number, engine in enumerate(self.engines):
            message = self._waits_for(engine, is_known=self.is_known(number))
            if message and self._said.get(engine.name) != message:
                self._said[engine.name] = message
                logger.info("engine %s: %s", engine.name, message)

    def _waits_for(self, engine: ReadEngine, *, is_known: bool) -> str:
        if is_known and self.is_over():
            return ""
        progress = engine.progress
        if is_known:
            if progress is None or not progress[1]:
                return ""
            return f"{counted(progress[1], 'container')} read, their sites are being prepared"
        if progress is None:
            return f"{engine.description} has not answered yet, it is asked again and again"
        read, count = progress
        if not count:
            return f"{engine.description} has not listed its containers yet"
        return f"{read} of {counted(count, 'container')} read"

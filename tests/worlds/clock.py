"""A clock that moves only when a test moves it."""

from attrs import define


@define
class Clock:
    """Seconds; nothing passes by itself."""

    now: float = 1000.0

    def __call__(self) -> float:
        """The time now."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let so much time pass."""
        self.now += seconds

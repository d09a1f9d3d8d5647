"""When a change is reconciled: at once after a quiet time, bundled during a burst, never late when requests would fail. Pure."""

from attrs import define

LONGEST_GAP = 1.0
# a container that is stopped gets some seconds to end, this must be well below
URGENT_GAP = 0.25
# so many changes may come one after the other before they wait, and so many more with each second
BURST = 30.0
BURST_PER_SECOND = 2.0
# a pass that sent nothing is followed by a rest of so many times what it took, and of this part of the minimum at least
REST = 4.0
LEAST_REST = 0.05


@define
class Debounce:
    """When the next pass may begin. All times are in seconds of one clock.

    `minimum` is the least time between two passes that send something. While changes come together, the gap between
    such passes doubles up to `maximum`. Changes that come one after the other do not wait, up to a budget: a hundred
    containers that start this way do not cost a hundred reloads. A pass that sends nothing delays the next one by a short
    rest only, which doubles up to `minimum` while such passes go on: a container is created and connected a moment
    before it starts.
    """

    minimum: float = 0.1
    maximum: float = LONGEST_GAP
    _gap: float = 0.0
    _began: float = float("-inf")
    _sent_at: float = float("-inf")
    _rest: float = 0.0
    _rests_until: float = float("-inf")
    _first: float | None = None
    _latest: float = 0.0
    _urgent: bool = False
    _is_stream: bool = False
    _budget: float = BURST

    def note(self, now: float, *, urgent: bool = False) -> None:
        """Something changed; `urgent` where requests would go to a container that is about to stop."""
        if self._first is None:
            self._first = now
        self._latest = now
        self._urgent |= urgent

    @property
    def due(self) -> float | None:
        """When the noted changes are to be reconciled; None without any."""
        if self._first is None:
            return None
        gap = max(self._gap, self.minimum)
        earliest = max(self._first, self._rests_until)
        if self._urgent:
            return max(earliest, self._sent_at + max(min(self._gap, URGENT_GAP), self.minimum))
        if self._first >= self._sent_at + gap:
            return earliest
        return max(earliest, self._sent_at + gap, min(self._latest + self.minimum, self._first + gap))

    def take(self, now: float) -> float | None:
        """A pass begins: it takes up what was noted; what is noted from now on is for the next one.

        Returns when the first change was noted; None without any.
        """
        first = now if self._first is None else self._first
        came_alone = self._latest <= first + self.minimum and first >= self._sent_at + self.minimum
        self._is_stream = not came_alone
        self._began = now
        noticed, self._first = self._first, None
        self._urgent = False
        return noticed

    def sent(self) -> None:
        """The pass changed the configuration: the next one waits if changes come together, or the budget is used up."""
        refilled = min(self._budget + (self._began - self._sent_at) * BURST_PER_SECOND, BURST)
        self._budget = max(refilled - 1, 0.0)
        self._sent_at = self._began
        grown = min(max(self._gap, self.minimum) * 2, self.maximum)
        self._gap = grown if self._is_stream else 0.0 if self._budget >= 1 else 1 / BURST_PER_SECOND

    def sent_nothing(self, began: float, ended: float) -> None:
        """A pass changed nothing, whatever it was for."""
        goes_on = began < self._rests_until + self.minimum
        least = max(self._rest * 2 if goes_on else 0.0, self.minimum * LEAST_REST)
        self._rest = min(max(REST * (ended - began), least), self.minimum)
        self._rests_until = ended + self._rest

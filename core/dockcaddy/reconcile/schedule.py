"""What the loop does next, and when. Pure: it knows times, not what happens at them."""

from collections.abc import Iterable

from attrs import define, field, frozen

from dockcaddy.reconcile.debounce import Debounce
from dockcaddy.reconcile.mailbox import Signals

# how often outputs are checked for changes by somebody else
CHECK_INTERVAL = 2.0


@frozen
class Due:
    """What is to be done now: `reconcile` is a whole pass, `check` a look at the outputs only.

    A `poll` lists everything anew before the pass. `caddy_started` and `crashes` are as in `Signals`.
    """

    reconcile: bool = False
    poll: bool = False
    check: bool = False
    caddy_started: bool = False
    crashes: int = 0


@define
class Schedule:
    """When passes, polls and checks are due. All times are in seconds of one clock.

    `polling_interval` is the time between two polls, 0 for none. `waiting_since` is when the oldest change was reported
    that is not served yet, as far as a pass has taken it up.
    """

    polling_interval: float = 30.0
    debounce: Debounce = field(factory=Debounce)
    waiting_since: float | None = None
    _last_poll: float = float("-inf")
    _next_check: float = float("-inf")
    _caddy_started: bool = False
    _crashes: int = 0

    def begin(self, now: float) -> None:
        """The engines list everything when they start: that counts as a poll."""
        self._last_poll = now

    def note(self, signals: Signals) -> None:
        """Take up what other threads reported."""
        for changed_at in (signals.first_change, signals.last_change):
            if changed_at is not None:
                self.debounce.note(changed_at, urgent=signals.is_urgent)
        self._caddy_started |= signals.caddy_started
        self._crashes += signals.crashes

    def take(self, now: float, retries: Iterable[float]) -> Due:
        """What is due now; it is not due again afterwards. `retries` are the times of further tries."""
        changed = self._take_changes(now)
        poll = self._take_poll(now)
        started, crashes = self._caddy_started, self._crashes
        self._caddy_started, self._crashes = False, 0
        reconcile = changed or poll or started or any(now >= at for at in retries)
        return Due(reconcile, poll, not reconcile and now >= self._next_check, started, crashes)

    def next_due(self, retries: Iterable[float]) -> float:
        """When something is due next; it may be in the past."""
        times = [*retries, self._next_check]
        if self._caddy_started:
            times.append(float("-inf"))
        if self.debounce.due is not None:
            times.append(self.debounce.due)
        if self.polling_interval > 0:
            times.append(self._last_poll + self.polling_interval)
        return min(times)

    def served(self) -> None:
        """Every live output has what was taken up."""
        self.waiting_since = None

    def checked(self, now: float) -> None:
        """The outputs were checked."""
        self._next_check = now + CHECK_INTERVAL

    def _take_changes(self, now: float) -> bool:
        due = self.debounce.due
        if due is None or now < due:
            return False
        noticed = self.debounce.take(now)
        self.waiting_since = noticed if self.waiting_since is None else self.waiting_since
        return True

    def _take_poll(self, now: float) -> bool:
        is_due = self.polling_interval > 0 and now >= self._last_poll + self.polling_interval
        if is_due:
            self._last_poll = now
        return is_due

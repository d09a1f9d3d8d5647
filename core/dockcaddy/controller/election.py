"""Which of several controllers leads: the one that renews a lock that all of them see.

No clock of another host counts. A controller that watches sees the lock change; once it did not change for a while by
the controller's own clock, the controller takes it. One that leads and cannot renew the lock stops before that.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Hashable
from typing import Protocol

from attrs import define, evolve, field, frozen

from dockcaddy.errors import DockcaddyError
from dockcaddy.logs import report_own_fault

logger = logging.getLogger("dockcaddy")

# seconds between two looks at the lock, or renewals of it
INTERVAL = 1.0
SHORTEST_PAUSE = 0.1
# a lock that did not change for this long is taken, in seconds
LEASE = 5.0
# a controller leads for this long after the beginning of its last renewal, in seconds
HOLD = 3.5


class LockUnavailable(DockcaddyError):
    """The lock cannot be read or written now."""


@frozen
class Record:
    """What is known of the lock. `beat` is different after each renewal, None where renewals cannot be seen.

    `version` is what the lock itself needs to replace this record and no other. An empty `holder` gave the lock back.
    """

    holder: str
    term: int = 0
    beat: Hashable = None
    version: Hashable = None


class Lock(Protocol):
    """A lock that all controllers see. Calls may take seconds. All raise LockUnavailable."""

    def read(self) -> Record | None:
        """Who holds it; None if nobody ever did."""

    def take(self, me: str, before: Record | None) -> bool:
        """Take it for a new term, if it is still as it was `before`. Returns whether it is ours."""

    def renew(self, me: str) -> bool:
        """Show that we are alive. Returns whether the lock is still ours."""

    def release(self, me: str) -> None:
        """Give it back, if it is ours."""


class Unlocked:
    """No lock: this controller always leads."""

    def read(self) -> Record | None:
        """See Lock."""
        return None

    def take(self, me: str, before: Record | None) -> bool:
        """See Lock."""
        return True

    def renew(self, me: str) -> bool:
        """See Lock."""
        return True

    def release(self, me: str) -> None:
        """See Lock."""


@define(eq=False)
class Election:
    """Takes part in the election under the name `me`. `clock` gives seconds. `step` is called every INTERVAL."""

    me: str
    lock: Lock
    clock: Callable[[], float]
    other: str = ""
    failure: str = ""
    _renewed_at: float = float("-inf")
    _holds: bool = False
    _seen: Record | None = None
    _seen_at: float = float("-inf")

    @property
    def leads(self) -> bool:
        """Whether this controller leads now."""
        return self._holds and self.clock() < self._renewed_at + HOLD

    def step(self) -> None:
        """Renew the lock, or look whether it can be taken."""
        now = self.clock()
        try:
            mine = self.lock.renew(self.me) if self._holds else self._try(now)
            self.failure = ""
        except LockUnavailable as error:
            self.failure = str(error)
            mine = self._holds and now < self._renewed_at + HOLD
        else:
            if mine:
                self._renewed_at, self.other = now, ""
        if self._holds and not mine:
            self._seen, self._seen_at = None, now
        self._holds = mine

    def end(self) -> None:
        """Give the lock back, so that another one need not wait."""
        if self._holds:
            self._holds = False
            self.lock.release(self.me)

    def _try(self, now: float) -> bool:
        record = self.lock.read()
        if record is None and self._seen is not None and now < self._seen_at + LEASE:
            # a server that restarts has lost the lock; its holder has not
            return False
        if record is None or record.holder in ("", self.me):
            return self.lock.take(self.me, record)
        self.other = record.holder
        if self._is_news(record):
            self._seen_at = now
        if self._seen is None or record.term >= self._seen.term:
            self._seen = record
        elif record.beat is not None:
            # servers that come and go may show an older leader in between
            self._seen = evolve(self._seen, beat=record.beat)
        if record.beat is None or now < self._seen_at + LEASE:
            return False
        return self.lock.take(self.me, record)

    def _is_news(self, record: Record) -> bool:
        """Whether this shows that somebody is alive: it was renewed, or somebody else took it."""
        before = self._seen
        if before is None or record.beat not in (None, before.beat):
            return True
        return record.term > before.term or (record.term == before.term and record.holder != before.holder)


@define(eq=False)
class Leadership:
    """Runs an election in a thread of its own. `changed` is called when this controller begins to lead, or ends."""

    election: Election
    changed: Callable[[], None] = lambda: None
    _ended: threading.Event = field(factory=threading.Event)
    _thread: threading.Thread | None = None
    _known: tuple[bool, str, str] = (False, "", "")

    @property
    def leads(self) -> bool:
        """Whether this controller leads now."""
        return self.election.leads

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="election", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End, and give the lock back."""
        self._ended.set()
        if self._thread is not None:
            # it may have to end while the thread starts: that finds it at once
            with contextlib.suppress(RuntimeError):
                self._thread.join(2)
        try:
            self.election.end()
        except LockUnavailable as error:
            logger.debug("the lock is not given back: %s", error)

    def _run(self) -> None:
        while not self._ended.is_set():
            began = self.election.clock()
            try:
                self.step()
            except Exception as error:
                report_own_fault("election of the controller that leads", error)
            # a look that takes long does not delay the next one
            self._ended.wait(max(began + INTERVAL - self.election.clock(), SHORTEST_PAUSE))

    def step(self) -> None:
        """One step of the election, and a line in the log if something changed."""
        self.election.step()
        before, self._known = self._known, (self.leads, self.election.other, self.election.failure)
        if self._known == before:
            return
        leads, other, failure = self._known
        if failure and failure != before[2]:
            what = "it leads until then" if leads else "it does not lead and configures nothing until then"
            logger.warning("controller %s: the lock is not available: %s; %s", self.election.me, failure, what)
        if leads and not before[0]:
            logger.info("controller %s: it leads", self.election.me)
        elif not leads and other and (before[0] or other != before[1]):
            logger.info("controller %s: controller %s leads, this one watches", self.election.me, other)
        elif not leads and before[0]:
            logger.warning("controller %s: it no longer leads", self.election.me)
        if leads != before[0]:
            self.changed()

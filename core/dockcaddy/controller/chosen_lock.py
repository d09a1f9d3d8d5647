"""The first of several locks that can be used."""

import logging
from collections.abc import Sequence

from attrs import define

from dockcaddy.controller.election import Lock, LockUnavailable, Record
from dockcaddy.controller.swarm_lock import LockForbidden

logger = logging.getLogger("dockcaddy")


@define(eq=False)
class ChosenLock:
    """The first of the locks that is not forbidden, from then on that one: all controllers have to use the same."""

    locks: Sequence[Lock]
    chosen: Lock | None = None
    _is_proven: bool = False

    def read(self) -> Record | None:
        """See Lock."""
        while True:
            lock = self._lock()
            try:
                record = lock.read()
            except LockForbidden as error:
                self._skip(lock, error)
            else:
                # somebody uses it, so it is the one that controllers agree by
                self._is_proven = self._is_proven or record is not None
                return record

    def take(self, me: str, before: Record | None) -> bool:
        """See Lock."""
        lock = self._lock()
        try:
            is_taken = lock.take(me, before)
        except LockForbidden as error:
            self._skip(lock, error)
            return False
        self._is_proven = True
        return is_taken

    def renew(self, me: str) -> bool:
        """See Lock."""
        return self._lock().renew(me)

    def release(self, me: str) -> None:
        """See Lock."""
        self._lock().release(me)

    def _lock(self) -> Lock:
        self.chosen = self.chosen or self.locks[0]
        return self.chosen

    def _skip(self, lock: Lock, error: LockUnavailable) -> None:
        """Go on to the next lock, unless this one has worked before."""
        place = self.locks.index(lock)
        if self._is_proven or place + 1 == len(self.locks):
            raise error
        logger.debug("the lock is not in this Swarm: %s", error)
        self.chosen = self.locks[place + 1]

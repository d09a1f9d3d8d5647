"""Of several controllers one leads: what is decided by each one's own clock and a lock that all see. No time passes."""

import itertools
from collections.abc import Iterator

import pytest
from attrs import define, evolve, field
from clock import Clock
from dockcaddy.controller.chosen_lock import ChosenLock
from dockcaddy.controller.election import HOLD, INTERVAL, LEASE, Election, LockUnavailable, Record
from dockcaddy.controller.swarm_lock import LockForbidden


@define(eq=False)
class SharedLock:
    """A lock in memory. While it is `failing` every call ends with that."""

    record: Record | None = None
    failing: LockUnavailable | None = None
    shows_beats: bool = True
    _versions: Iterator[int] = field(factory=lambda: itertools.count(1))

    def read(self) -> Record | None:
        if self.failing is not None:
            raise self.failing
        return self.record

    def take(self, me: str, before: Record | None) -> bool:
        if self.read() != before:
            return False
        self._write(me, (before.term if before else 0) + 1)
        return True

    def renew(self, me: str) -> bool:
        record = self.read()
        if record is None or record.holder != me:
            return False
        self._write(me, record.term)
        return True

    def release(self, me: str) -> None:
        record = self.read()
        if record is not None and record.holder == me:
            self._write("", record.term)

    def _write(self, holder: str, term: int) -> None:
        version = next(self._versions)
        self.record = Record(holder, term, version if self.shows_beats else None, version)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lock() -> SharedLock:
    return SharedLock()


def live(clock: Clock, seconds: float, *elections: Election) -> None:
    for _ in range(int(seconds / INTERVAL)):
        for each in elections:
            each.step()
        clock.now += INTERVAL


def test_the_first_leads_and_the_others_watch(clock: Clock, lock: SharedLock) -> None:
    # clocks of hosts may differ by any amount
    one, two = Election("one", lock, clock), Election("two", lock, lambda: clock() + 86_400)
    live(clock, 60, one, two)
    assert (one.leads, two.leads, two.other) == (True, False, "one")


def test_a_leader_that_is_gone_is_followed_within_ten_seconds(clock: Clock, lock: SharedLock) -> None:
    one, two, three = (Election(name, lock, clock) for name in ("one", "two", "three"))
    live(clock, 5, one, two, three)
    live(clock, LEASE + 2 * INTERVAL, two, three)
    assert not one.leads and two.leads != three.leads
    assert LEASE + 2 * INTERVAL < 10


def test_a_leader_that_was_stopped_finds_that_it_leads_no_longer(clock: Clock, lock: SharedLock) -> None:
    one, two = Election("one", lock, clock), Election("two", lock, clock)
    live(clock, 3, one, two)
    live(clock, 20, two)
    # even before it has asked anybody
    assert not one.leads
    live(clock, 20, one, two)
    assert (one.leads, two.leads) == (False, True)


def test_two_never_lead_at_once_whatever_fails(clock: Clock, lock: SharedLock) -> None:
    one, two = Election("one", lock, clock), Election("two", evolve(lock), clock)
    two.lock = lock
    live(clock, 3, one, two)
    for silent in range(1, 12):
        for _ in range(silent):
            two.step()
            clock.now += INTERVAL
            assert not (one.leads and two.leads)
        live(clock, 1, one)


def test_a_leader_that_cannot_renew_leads_for_a_moment_only(clock: Clock, lock: SharedLock) -> None:
    one = Election("one", lock, clock)
    live(clock, 2, one)
    lock.failing = LockUnavailable("no quorum")
    live(clock, 2, one)
    assert one.leads and one.failure == "no quorum"
    live(clock, HOLD, one)
    assert not one.leads
    lock.failing = None
    live(clock, 1, one)
    assert one.leads and not one.failure


def test_a_lock_that_is_given_back_is_taken_at_once(clock: Clock, lock: SharedLock) -> None:
    one, two = Election("one", lock, clock), Election("two", lock, clock)
    live(clock, 3, one, two)
    one.end()
    two.step()
    assert (one.leads, two.leads) == (False, True)


def test_a_lock_that_is_lost_for_a_moment_is_still_the_leaders(clock: Clock, lock: SharedLock) -> None:
    """As on the only server, while that restarts."""
    one, two = Election("one", lock, clock), Election("two", lock, clock)
    live(clock, 3, one, two)
    lock.record = None
    two.step()
    assert not two.leads


def test_a_leader_whose_life_cannot_be_seen_is_left_alone(clock: Clock) -> None:
    lock = SharedLock(shows_beats=False)
    one, two = Election("one", lock, clock), Election("two", lock, clock)
    live(clock, 3, one, two)
    live(clock, 60, two)
    assert not two.leads


def test_the_first_lock_that_is_allowed_is_used_from_then_on(clock: Clock, lock: SharedLock) -> None:
    forbidden = SharedLock(failing=LockForbidden("POST /configs/create: 403"))
    chosen = ChosenLock([forbidden, lock])
    one = Election("one", chosen, clock)
    live(clock, 2, one)
    assert one.leads and chosen.chosen is lock
    forbidden.failing = None
    lock.failing = LockForbidden("not now")
    live(clock, 10, one)
    assert not one.leads and chosen.chosen is lock

"""Of several controllers one leads: what is decided by each one's own clock and a lock that all see. No time passes."""

import itertools
from collections.abc import Iterator

import pytest
import requests
from attrs import define, evolve, field
from clock import Clock
from dockcaddy.controller.chosen_lock import ChosenLock
from dockcaddy.controller.election import HOLD, INTERVAL, LEASE, Election, LockUnavailable, Record
from dockcaddy.controller.swarm_lock import LockForbidden, SwarmLock
from docker.errors import APIError


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


@define
class Answering:
    """An engine whose responses have this status."""

    status: int
    message: str
    place: str = "engine local"

    def client(self) -> "Answering":
        return self

    def configs(self, **_: object) -> None:
        response = requests.Response()
        response.status_code, response.reason = self.status, "as asked"
        response.headers["Content-Type"] = "application/json"
        response.request = requests.Request("GET", "http://localhost/v1.41/configs").prepare()
        raise APIError("failed", response, self.message)


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


def test_one_that_follows_stays_with_its_lock_whatever_the_engine_says(clock: Clock, lock: SharedLock) -> None:
    swarm = SharedLock()
    leader = Election("one", swarm, clock)
    chosen = ChosenLock([swarm, lock])
    two = Election("two", chosen, clock)
    live(clock, 3, leader, two)
    swarm.failing = LockForbidden("503")
    two.step()
    assert not two.leads and chosen.chosen is swarm and two.failure == "503"


def test_a_lock_that_can_be_read_and_not_taken_is_not_used(clock: Clock, lock: SharedLock) -> None:
    """As behind a socket proxy that forbids POST."""

    class ReadOnly(SharedLock):
        def take(self, me: str, before: Record | None) -> bool:
            raise LockForbidden("POST /configs/create: 403")

    chosen = ChosenLock([ReadOnly(), lock])
    one = Election("one", chosen, clock)
    live(clock, 2, one)
    assert one.leads and chosen.chosen is lock


@pytest.mark.parametrize(
    ("status", "message", "is_used"),
    [
        (503, "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state.", False),
        (503, 'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect.', False),
        (503, "This node is not part of a swarm", False),
        (403, "forbidden", False),
        (404, "Not Found", False),
        (503, "This node is not a swarm manager. Manager is being prepared or has trouble connecting.", True),
        (503, "rpc error: The swarm does not have a leader.", True),
        (503, "Service Unavailable", True),
        (500, "context deadline exceeded", True),
    ],
)
def test_a_swarm_is_left_only_where_there_is_none(
    clock: Clock, lock: SharedLock, status: int, message: str, is_used: bool
) -> None:
    chosen = ChosenLock([SwarmLock(Answering(status, message)), lock])  # type: ignore[arg-type]
    one = Election("one", chosen, clock)
    live(clock, 2, one)
    assert one.leads != is_used
    assert (chosen.chosen is lock) != is_used


def test_groups_of_controllers_have_locks_of_their_own() -> None:
    engine = Answering(500, "")
    names = [
        SwarmLock(engine, *options).name  # type: ignore[arg-type]
        for options in (("caddy",), ("caddy", ("", "")), ("caddy", ("10.0.0.0/24", "")), ("caddy", ("", "10.0.0.0/24")))
    ]
    assert names[0] == names[1] == "dockcaddy-leader-caddy"
    assert len(set(names)) == 3 and all(len(each) <= 64 for each in names)

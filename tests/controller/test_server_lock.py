"""The lock on servers that are slow, away, bare, stubborn, or no servers of ours. Servers are in memory."""

import logging
import threading
from collections.abc import Iterator

import pytest
from attrs import define, field
from clock import Clock
from dockcaddy.controller.discovery import Target
from dockcaddy.controller.election import HOLD, INTERVAL, LEASE, Election
from dockcaddy.controller.server_lock import LOOK, ServerLock
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable


@define(eq=False)
class InMemory:
    """A Caddy's admin endpoint. `text` is its `@id`, None without a configuration."""

    text: str | None = ""
    beats: int = 0
    loads: int = 0
    is_away: bool = False
    refuses: bool = False
    garbage: bool = False
    hangs: "threading.Event | None" = None
    reloads_slowly: "threading.Event | None" = None
    _lock: threading.Lock = field(factory=threading.Lock)

    def metrics(self, method: str = "GET") -> str:
        if self.hangs is not None:
            self.hangs.wait()
        if self.is_away:
            raise CaddyUnreachable("refused")
        self.beats += method == "BEAT"
        times = f"caddy_config_last_reload_success_timestamp_seconds {self.loads}\n"
        return times + f'caddy_admin_http_requests_total{{code="200",method="OTHER",path="/metrics"}} {self.beats}\n'

    def mark(self) -> str | None:
        if self.garbage:
            raise ValueError("Expecting value")
        return self.text

    def replace_mark(self, before: str | None, mark: str) -> bool:
        if self.reloads_slowly is not None:
            self.reloads_slowly.wait()
        with self._lock:
            if self.is_away or self.refuses:
                raise CaddyRefusal("the port is in use")
            if self.text != before:
                return False
            self.text = mark
            self.loads += 1
            return True

    def lose(self) -> None:
        """Restart without anything."""
        self.text, self.beats, self.loads = None, 0, self.loads + 1000


@define(eq=False)
class Room:
    """Servers, and controllers that all see them."""

    clock: Clock = field(factory=Clock)
    servers: list[InMemory] = field(factory=list)

    def controller(self, name: str) -> Election:
        found = {Target(f"http://10.0.0.{place}:2019"): each for place, each in enumerate(self.servers, 1)}
        lock = ServerLock(found.__getitem__, self.clock, look=0.1, marking=0.1)  # type: ignore[arg-type]
        lock.use(list(found))
        return Election(name, lock, self.clock)

    def live(self, seconds: float, *elections: Election) -> None:
        for _ in range(int(seconds / INTERVAL)):
            for each in elections:
                each.step()
                calm(each)
            self.clock.now += INTERVAL


def calm(election: Election) -> None:
    """Wait for what is done meanwhile, except where it hangs."""
    lock = election.lock
    assert isinstance(lock, ServerLock)
    for each in lock._servers.values():
        if each._job is not None and getattr(each.client, "hangs", None) is None:
            each._job.exception(5)


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def room(count: int) -> Room:
    return Room(servers=[InMemory() for _ in range(count)])


def test_all_servers_are_marked_and_one_controller_leads() -> None:
    here = room(3)
    one, two = here.controller("one"), here.controller("two")
    here.live(20, one, two)
    assert (one.leads, two.leads, two.other) == (True, False, "one")
    assert [each.text for each in here.servers] == ["dockcaddy.1.one"] * 3
    assert [each.loads for each in here.servers] == [1, 1, 1]


def test_what_is_no_caddy_does_not_answer() -> None:
    here = room(2)
    here.servers[0].garbage = True
    one = here.controller("one")
    here.live(3, one)
    assert one.leads and not one.failure


def test_servers_that_hang_are_passed_over(hanging: threading.Event) -> None:
    here = room(30)
    for each in here.servers[:24]:
        each.hangs = hanging
    one, two = here.controller("one"), here.controller("two")
    here.live(10, one, two)
    assert one.leads and not two.leads
    one.end()
    here.live(2, two)
    assert two.leads
    # all of them are waited for together
    assert LOOK < HOLD
    assert all(each.daemon for each in threading.enumerate() if each.name.startswith("lock of"))


def test_a_server_that_cannot_be_marked_keeps_nobody_from_leading(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    here = room(3)
    here.servers[0].refuses = True
    one = here.controller("one")
    here.live(60, one)
    assert one.leads
    assert [each.text for each in here.servers[1:]] == ["dockcaddy.1.one"] * 2
    assert [each.loads for each in here.servers] == [0, 1, 1]
    assert caplog.text.count("it cannot be marked as the leader's: the port is in use") == 1
    here.servers[0].refuses = False
    here.live(70, one)
    assert here.servers[0].text == "dockcaddy.1.one"


def test_where_no_server_can_be_marked_nobody_leads_and_the_reason_stays_the_same() -> None:
    here = room(2)
    for each in here.servers:
        each.refuses = True
    one = here.controller("one")
    failures = set()
    for _ in range(30):
        here.live(1, one)
        failures.add(one.failure)
    assert not one.leads
    assert failures == {"no server can be marked: server http://10.0.0.1:2019: the port is in use"}
    here.servers[1].refuses = False
    here.live(60, one)
    assert one.leads and here.servers[1].text == "dockcaddy.1.one"


def test_a_mark_that_took_too_long_is_not_made_again() -> None:
    here = room(1)
    one = here.controller("one")
    # it arrives though nobody waited for it
    here.servers[0].text = "dockcaddy.1.one"
    here.live(3, one)
    assert one.leads and here.servers[0].loads == 0


@pytest.mark.parametrize("digits", [13, 4301])
def test_a_term_that_no_controller_reaches_is_no_mark(digits: int) -> None:
    here = room(2)
    here.servers[0].text = f"dockcaddy.{'9' * digits}.x"
    one = here.controller("one")
    here.live(5, one)
    assert one.leads and here.servers[1].text == "dockcaddy.1.one"


@pytest.mark.parametrize("beats", [False, True])
def test_a_stranger_that_says_that_somebody_leads_is_not_believed(beats: bool) -> None:
    here = room(3)
    one, two = here.controller("one"), here.controller("two")
    here.live(3, one, two)
    stranger = here.servers[0]
    for _ in range(30):
        stranger.text = "dockcaddy.999999.x"
        stranger.beats += beats
        stranger.loads += 1
        here.live(1, one, two)
        assert one.leads and not two.leads
    one._holds = False
    for _ in range(10):
        stranger.text = "dockcaddy.999999.x"
        stranger.beats += beats
        stranger.loads += 1
        here.live(1, two)
    assert two.leads


def test_a_stranger_among_servers_without_a_configuration_is_not_believed() -> None:
    here = Room(servers=[InMemory("dockcaddy.999999.x"), InMemory(None), InMemory(None)])
    stranger = here.servers[0]
    one, two = here.controller("one"), here.controller("two")
    for _ in range(30):
        stranger.text = "dockcaddy.999999.x"
        stranger.beats += 1
        stranger.loads += 1
        here.live(1, one, two)
    assert (one.leads, two.leads) == (True, False)


def test_servers_that_take_long_to_load_their_first_configuration_do_not_deny_the_leader() -> None:
    here = Room(servers=[InMemory(), InMemory(None), InMemory(None)])
    for each in here.servers[1:]:
        each.refuses = True
    one, two = here.controller("one"), here.controller("two")
    for _ in range(13):
        here.live(1, one, two)
        assert one.leads and not two.leads


def test_one_that_was_stopped_does_not_come_back_by_old_marks() -> None:
    here = room(3)
    one, two = here.controller("one"), here.controller("two")
    here.live(5, one, two)
    # the others cannot be marked by the one that follows
    for each in here.servers[1:]:
        each.refuses = True
    here.live(10, two)
    assert two.leads
    for _ in range(20):
        here.live(1, one, two)
        assert two.leads and not one.leads
    for each in here.servers[1:]:
        each.refuses = False
    here.live(70, one, two)
    assert [each.text for each in here.servers] == ["dockcaddy.2.two"] * 3


@pytest.mark.parametrize("resets", [False, True])
def test_a_dead_leader_is_followed_though_a_server_comes_and_goes(resets: bool) -> None:
    here = room(2)
    one, two = here.controller("one"), here.controller("two")
    here.live(5, one, two)
    flapping = here.servers[1]
    for _ in range(int(LEASE) + 2):
        flapping.is_away = not flapping.is_away
        if resets:
            flapping.beats = 0
        here.live(1, two)
    assert two.leads


def test_a_dead_leader_is_followed_though_a_server_shows_an_older_one_in_between() -> None:
    here = Room(servers=[InMemory("dockcaddy.7.dead"), InMemory("dockcaddy.3.older")])
    two = here.controller("two")
    for _ in range(int(LEASE) + 4):
        here.servers[0].is_away = not here.servers[0].is_away
        here.live(1, two)
    assert two.leads


def test_servers_without_a_configuration_are_marked_too() -> None:
    here = Room(servers=[InMemory(None), InMemory(None)])
    one, two = here.controller("one"), here.controller("two")
    for _ in range(20):
        here.live(1, one, two)
        assert one.leads and not two.leads
    assert [each.text for each in here.servers] == ["dockcaddy.1.one"] * 2


def test_two_that_see_different_servers_at_first_do_not_both_lead() -> None:
    here = Room(servers=[InMemory(None), InMemory(None)])
    one, two = here.controller("one"), here.controller("two")
    here.servers[0].is_away = True
    here.live(1, one)
    here.servers[0].is_away, here.servers[1].is_away = False, True
    here.live(1, two)
    here.servers[1].is_away = False
    here.live(2, one, two)
    assert one.leads != two.leads


def test_the_leader_brings_back_its_mark() -> None:
    here = room(2)
    one, two = here.controller("one"), here.controller("two")
    here.live(5, one, two)
    for each in here.servers:
        each.lose()
    for _ in range(20):
        here.live(1, one, two)
        assert one.leads and not two.leads
    assert [each.text for each in here.servers] == ["dockcaddy.1.one"] * 2
    # somebody loads what they had before
    here.servers[0].text = "dockcaddy.0.before"
    here.servers[0].loads += 1
    here.live(2, one, two)
    assert here.servers[0].text == "dockcaddy.1.one" and one.leads


def test_giving_it_back_reloads_one_server() -> None:
    here = room(3)
    one, two = here.controller("one"), here.controller("two")
    here.live(5, one, two)
    loads = sum(each.loads for each in here.servers)
    one.end()
    assert sum(each.loads for each in here.servers) == loads + 1
    here.live(1, two)
    assert two.leads


def test_a_server_whose_mark_takes_long_delays_nothing(hanging: threading.Event) -> None:
    here = room(3)

    here.servers[2].reloads_slowly = hanging
    one = here.controller("one")
    for _ in range(5):
        one.step()
        here.clock.now += INTERVAL
    assert one.leads and here.servers[2].text == ""
    one.end()
    assert not one.leads

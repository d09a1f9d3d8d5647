"""Event listeners of plugins: a slow, dead or broken one costs nobody else anything."""

import threading

import pytest
from clock import Clock
from dockcaddy import Event, EventListener, ServiceContext
from dockcaddy.model import Proxy
from dockcaddy.plugins.guard import Contribution
from dockcaddy.reconcile.listeners import ListeningThread, listening
from dockcaddy.settings import limits
from dockcaddy.status.keeper import StatusKeeper
from status_server import eventually


def contribution(name: str, receive: object) -> Contribution[EventListener]:
    return Contribution("event listener", name, EventListener(name, lambda context: receive), "site")  # type: ignore[arg-type,return-value]


def context(keeper: StatusKeeper) -> ServiceContext:
    return ServiceContext(lambda section: section(), Proxy(), Clock(), {}, keeper)


def event(number: int) -> Event:
    return Event(float(number), "SiteDown", f"site {number}")


def test_every_listener_hears_every_event() -> None:
    keeper, heard, also = StatusKeeper(), list[Event](), list[Event]()
    both = [contribution("a", heard.append), contribution("b", also.append)]
    with listening(both, context(keeper)):
        keeper.caddy_restarted(1)
        keeper.certificates_found(())
        assert eventually(lambda: len(heard) == len(also) == 1)
        assert heard[0].kind == "CaddyCrashed"


def test_one_that_never_returns_delays_neither_the_loop_nor_others() -> None:
    keeper, heard, hanging = StatusKeeper(), list[Event](), threading.Event()
    both = [contribution("stuck", lambda given: hanging.wait()), contribution("well", heard.append)]
    with listening(both, context(keeper)):
        for _ in range(10):
            keeper.caddy_restarted(1)
            keeper.certificates_found(())
        assert eventually(lambda: len(heard) == 10)
    hanging.set()


def test_one_that_fails_hears_the_next_event_and_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []

    def receive(given: Event) -> None:
        heard.append(given)
        raise SystemExit("enough") if len(heard) == 1 else ZeroDivisionError("again")

    thread = ListeningThread(contribution("bad", receive), context(StatusKeeper()))
    thread.start()
    for number in range(4):
        thread.put([event(number)])
    assert eventually(lambda: len(heard) == 4)
    assert eventually(lambda: caplog.text.count('event listener "bad" of plugin site failed: ZeroDivisionError') == 1)
    assert "SystemExit: enough" in caplog.text
    thread.end()


def test_what_waits_is_bounded_and_the_newest_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []
    thread = ListeningThread(contribution("late", heard.append), context(StatusKeeper()))
    for number in range(limits.MAX_EVENTS_FOR_LISTENER + 30):
        thread.put([event(number)])
    thread.start()
    assert eventually(lambda: len(heard) == limits.MAX_EVENTS_FOR_LISTENER)
    assert heard[0].time == 30.0
    assert "is slow: 30 events were dropped" in caplog.text
    thread.end()


def test_all_events_of_one_update_are_heard_however_many(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []
    thread = ListeningThread(contribution("late", heard.append), context(StatusKeeper()))
    thread.put([event(number) for number in range(limits.MAX_EVENTS_FOR_LISTENER * 5)])
    thread.start()
    assert eventually(lambda: len(heard) == limits.MAX_EVENTS_FOR_LISTENER * 5)
    assert "dropped" not in caplog.text
    thread.end()

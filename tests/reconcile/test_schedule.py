"""What the loop does next, and what other threads may put into its mailbox meanwhile."""

import threading

from clock import Clock
from dockcaddy.reconcile.debounce import Debounce
from dockcaddy.reconcile.mailbox import Mailbox, Signals
from dockcaddy.reconcile.schedule import CHECK_INTERVAL, Due, Schedule


def schedule(polling_interval: float = 30.0) -> Schedule:
    made = Schedule(polling_interval, Debounce(0.1))
    made.begin(1000.0)
    made.checked(1000.0)
    return made


def test_a_change_is_due_once() -> None:
    made = schedule()
    made.note(Signals(first_change=1000.0, last_change=1000.05))
    assert made.next_due([]) == 1000.0
    assert made.take(1000.1, []) == Due(reconcile=True)
    assert made.take(1000.1, []) == Due()


def test_changes_wait_until_they_are_served() -> None:
    made = schedule()
    made.note(Signals(first_change=1000.0, last_change=1000.05))
    made.take(1000.1, [])
    assert made.waiting_since == 1000.0
    made.served()
    assert made.waiting_since is None


def test_polls_come_in_their_interval_unless_it_is_0() -> None:
    made = schedule()
    assert not made.take(1029.9, []).poll
    assert made.take(1030.0, []) == Due(reconcile=True, poll=True)
    assert not made.take(1031.0, []).poll
    assert not schedule(0).take(9999.0, []).poll


def test_outputs_are_checked_where_there_is_no_pass() -> None:
    made = schedule()
    assert made.next_due([]) == 1000.0 + CHECK_INTERVAL
    assert made.take(1002.0, []) == Due(check=True)
    assert made.take(1002.0, [1002.0]) == Due(reconcile=True)
    made.checked(1002.0)
    assert made.take(1002.0, []) == Due()


def test_a_caddy_that_started_is_due_at_once_and_its_crashes_are_counted() -> None:
    made = schedule()
    made.note(Signals(caddy_started=True, crashes=1))
    made.note(Signals(caddy_started=True, crashes=2))
    assert made.next_due([]) < 1000.0
    assert made.take(1000.0, []) == Due(reconcile=True, caddy_started=True, crashes=3)
    assert made.take(1000.0, []) == Due()


def test_signals_are_taken_once() -> None:
    clock = Clock()
    mailbox = Mailbox(clock)
    mailbox.wake()
    clock.advance(1.0)
    mailbox.wake(urgent=True)
    clock.advance(1.0)
    mailbox.wake()
    mailbox.caddy_started(2)
    assert mailbox.take() == Signals(1000.0, 1002.0, True, True, 2)
    assert mailbox.take() == Signals()


def test_crashes_during_a_trial_are_not_counted() -> None:
    mailbox = Mailbox(Clock())
    mailbox.caddy_started(1)
    with mailbox.ignoring_crashes():
        mailbox.caddy_started(5)
    mailbox.caddy_started(1)
    assert mailbox.take() == Signals(caddy_started=True, crashes=2)


def test_nothing_waits_for_what_has_been_reported() -> None:
    mailbox = Mailbox(Clock())
    mailbox.wait_until(1000.0)
    mailbox.wake()
    mailbox.wait_until(9999.0)
    mailbox.take()
    mailbox.stop()
    mailbox.wait_until(9999.0)
    assert mailbox.is_stopped


def test_signals_of_many_threads_end_the_wait_and_none_is_lost() -> None:
    mailbox = Mailbox(Clock())
    threads = [threading.Thread(target=mailbox.caddy_started, args=(1,)) for _ in range(50)]
    for thread in threads:
        thread.start()
    mailbox.wait_until(9999.0)
    for thread in threads:
        thread.join()
    assert mailbox.take().crashes == 50

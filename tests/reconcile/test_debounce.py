"""When changes are taken up."""

from itertools import pairwise

import pytest
from dockcaddy.reconcile.debounce import Debounce


def run(times: list[float], *, urgent: bool = False, minimum: float = 0.1) -> list[float]:
    """When the cycles come if changes are noted at these times and each cycle changes something."""
    debounce = Debounce(minimum)
    cycles = []
    for at in [*times, float("inf")]:
        while debounce.due is not None and debounce.due < at:
            cycles.append(debounce.due)
            debounce.take(debounce.due)
            debounce.sent()
        if at != float("inf"):
            debounce.note(at, urgent=urgent)
    return cycles


def test_a_change_in_calm_is_taken_up_at_once() -> None:
    assert run([5.0, 20.0]) == [5.0, 20.0]


def test_changes_together_are_taken_up_together() -> None:
    assert run([5.0, 5.01, 5.02, 5.03]) == [5.0, pytest.approx(5.11)]


@pytest.mark.parametrize("apart", [0.12, 0.19, 0.3])
def test_thirty_changes_one_after_the_other_are_each_taken_up_at_once(apart: float) -> None:
    times = [at * apart for at in range(30)]
    assert run(times) == times


def test_a_hundred_changes_in_twenty_seconds_cost_less_than_three_quarters_as_many_cycles() -> None:
    assert len(run([at * 0.2 for at in range(100)])) < 75


@pytest.mark.parametrize("pause", [0.12, 0.19, 0.3, 0.7])
def test_who_waits_for_each_change_before_the_next_never_waits_for_more_than_half_a_second(pause: float) -> None:
    debounce, now, waits = Debounce(0.1), 0.0, []
    for _ in range(200):
        now += pause
        debounce.note(now)
        assert debounce.due is not None
        waits.append(debounce.due - now)
        now = debounce.due
        debounce.take(now)
        debounce.sent()
    assert waits[:30] == [0.0] * 30
    assert max(waits) <= 0.5


def test_after_a_stream_one_that_comes_alone_is_followed_at_once() -> None:
    stream = [at / 1000 for at in range(10_000)]
    # the stream's last cycle is at 10.x, the next one is still a gap away from it
    alone = [12.0, 12.2, 12.4]
    assert run(stream + alone)[-2:] == alone[-2:]


def test_after_some_calm_changes_are_taken_up_at_once_again() -> None:
    times = [at * 0.12 for at in range(200)]
    later = [60.0, 60.5, 61.0]
    assert run(times + later)[-3:] == later


def test_a_stream_of_changes_is_taken_up_once_a_second() -> None:
    times = [at / 1000 for at in range(10_000)]
    cycles = run(times)
    assert len(cycles) <= 16
    assert max(later - earlier for earlier, later in pairwise(cycles)) < 1.01


def test_the_last_change_is_never_later_than_a_second() -> None:
    times = [at * 0.05 for at in range(200)]
    assert run(times)[-1] <= times[-1] + 1.0


def test_what_is_urgent_never_waits_for_long() -> None:
    times = [at * 0.4 for at in range(50)]
    assert run(times, urgent=True) == times
    cycles = run([at / 1000 for at in range(10_000)], urgent=True)
    assert max(later - earlier for earlier, later in pairwise(cycles)) < 0.26


def test_what_is_noted_during_a_cycle_is_for_the_next() -> None:
    debounce = Debounce(0.1)
    debounce.note(1.0)
    debounce.take(1.0)
    debounce.note(1.05)
    debounce.sent()
    assert debounce.due == pytest.approx(1.15)


def noted(debounce: Debounce, at: float, took: float = 0.0) -> float:
    """A change at a time, and the cycle that takes it up. Returns how long the change waited."""
    debounce.note(at)
    assert debounce.due is not None
    begun = debounce.due
    debounce.take(begun)
    debounce.sent_nothing(begun, begun + took)
    return begun - at


def test_a_container_that_is_created_and_connected_first_starts_without_delay_however_often() -> None:
    debounce = Debounce(0.1)
    for created in range(0, 60, 2):
        assert noted(debounce, created, 0.01) == 0.0
        assert noted(debounce, created + 0.09, 0.01) == 0.0
        debounce.note(created + 0.2)
        assert debounce.due == created + 0.2
        debounce.take(created + 0.2)
        debounce.sent()


def test_after_a_cycle_that_changes_nothing_there_is_a_short_rest() -> None:
    debounce = Debounce(0.1)
    assert noted(debounce, 1.0, 0.01) == 0.0
    assert noted(debounce, 1.02, 0.01) == pytest.approx(0.03)
    # but no change waits for longer than between two that send
    assert noted(debounce, 2.0, 1.0) == 0.0
    assert noted(debounce, 3.0, 1.0) == pytest.approx(0.1)


def test_a_poll_long_after_the_last_change_delays_the_next_one_by_what_it_took_only() -> None:
    debounce = Debounce(0.1)
    assert noted(debounce, 1.0, 0.001) == 0.0
    # a poll, which no change began
    debounce.sent_nothing(31.0, 31.002)
    debounce.note(31.01)
    assert debounce.due == 31.01


def test_a_storm_of_changes_that_send_nothing_costs_ten_cycles_a_second_and_a_few_at_first() -> None:
    debounce, cycles = Debounce(0.1), 0
    for number in range(3000):
        now = number / 1000
        debounce.note(now)
        if debounce.due is not None and debounce.due <= now:
            debounce.take(now)
            debounce.sent_nothing(now, now + 0.0001)
            cycles += 1
    assert 30 <= cycles <= 36


def test_cycles_that_change_nothing_do_not_slow_the_next() -> None:
    debounce = Debounce(0.1)
    for at in range(20):
        debounce.note(at * 0.11)
        debounce.take(at * 0.11)
    debounce.note(2.3)
    assert debounce.due == 2.3

"""The one backoff that everything that is tried again uses."""

from dockcaddy.backoff import Backoff, pause_after


def test_the_pause_grows_up_to_the_longest() -> None:
    backoff = Backoff(first=1.0, longest=5.0)
    assert [backoff.failed(0.0) for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_the_factor_is_the_callers() -> None:
    backoff = Backoff(first=1.0, longest=100.0, factor=3.0)
    assert [backoff.failed(0.0) for _ in range(3)] == [1.0, 3.0, 9.0]


def test_a_retry_is_due_when_the_pause_is_over() -> None:
    backoff = Backoff(first=1.0, longest=5.0)
    assert backoff.is_due(10.0)
    backoff.failed(10.0)
    assert backoff.retry_at == 11.0
    assert not backoff.is_due(10.9)
    assert backoff.is_due(11.0)


def test_after_a_success_the_first_pause_is_short_again() -> None:
    backoff = Backoff(first=1.0, longest=5.0)
    backoff.failed(0.0)
    backoff.failed(1.0)
    backoff.succeeded()
    assert backoff.retry_at is None
    assert backoff.failed(10.0) == 1.0


def test_ten_thousand_failures_overflow_nothing() -> None:
    backoff = Backoff(first=1.0, longest=5.0)
    assert {backoff.failed(0.0) for _ in range(10_000)} == {1.0, 2.0, 4.0, 5.0}


def test_no_failure_means_no_pause() -> None:
    assert pause_after(0, first=1.0, longest=5.0) == 0.0
    assert pause_after(3, first=1.0, longest=5.0) == 4.0

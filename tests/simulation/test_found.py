"""Scripts of faults that the simulation found."""

from collections.abc import Callable

import pytest
from dockcaddy.engine.watch.events import FIRST_PAUSE
from simulated.steps import Script, Step
from simulated.world import World

Simulate = Callable[[Script], World]


def test_what_starts_just_before_the_stream_is_opened_again_is_served_before_the_next_poll(simulate: Simulate) -> None:
    """The list does not show it yet, and its events went to nobody."""
    for seed in range(8):
        simulate(
            Script(seed, (Step(5.0, "cut_streams"), Step(FIRST_PAUSE - 0.001, "up", ("web-0", "s0.test", "good"))))
        )


@pytest.mark.parametrize("pause", [0.1, 3.0])
def test_a_container_that_its_restart_policy_brings_back_is_served_at_its_start(
    simulate: Simulate, pause: float
) -> None:
    """Not only at the next list."""
    steps = (Step(5.0, "up", ("web-0", "s0.test", "good")), Step(5.0, "crash", ("web-0", "restarting")))
    world = simulate(Script(1, (*steps, Step(pause, "start", ("web-0",))), calm=4.0))
    assert world.invariants.checks


@pytest.mark.parametrize("wait", [5.0, 40.0])
def test_a_container_that_waits_to_be_restarted_is_seen_at_the_next_poll(simulate: Simulate, wait: float) -> None:
    up, crash = Step(0.0, "up", ("web-0", "s0.test", "good")), Step(wait, "crash", ("web-0", "restarting"))
    simulate(Script(1, (up, crash), calm=70.0))


def test_containers_of_one_second_keep_their_order(simulate: Simulate) -> None:
    """Whichever the list shows first."""
    for seed in range(8):
        simulate(Script(seed, [Step(5.0 * (n == 0), "up", (f"s0-{n}", "s0.test", "good")) for n in range(6)]))


def test_inspects_that_are_slow_when_dockcaddy_starts_take_nobody_away(simulate: Simulate) -> None:
    slow = (Step(5.0, "up", ("web-0", "s0.test", "good")), Step(5.0, "slow_calls", ("inspect", 3.0, 1.7)))
    simulate(Script(1, (*slow, Step(0.1, "restart", ("kept", True, 0.1))), is_child=False))


def test_what_no_caddy_has_accepted_is_not_kept_for_the_next_start(simulate: Simulate) -> None:
    """It was offered while Caddy did not answer."""
    hung = (Step(5.0, "up", ("web-0", "s0.test", "good")), Step(5.0, "hang_caddy", (9.0,)))
    crashing = (Step(0.5, "up", ("web-1", "s1.test", "crash")), Step(6.0, "crash_caddy", (False, 0.1)))
    simulate(Script(1, (*hung, *crashing)))


def test_a_caddy_that_refuses_everything_is_not_asked_without_a_pause(simulate: Simulate) -> None:
    """Although something that it rejected before is due for a retry."""
    up = tuple(Step(1.0, "up", (f"web-{n}", f"s{n}.test", "good")) for n in range(3))
    rejected = (Step(1.0, "up", ("bad", "s4.test", "bad")), Step(2.0, "refuse_loads", (30.0,)))
    world = simulate(Script(1, (*up, *rejected, Step(6.0, "remove", ("web-0", 0.01))), calm=20.0))
    assert world.caddy.counts["load"] < 150


@pytest.mark.parametrize("state", ["exited", "restarting"])
def test_a_container_that_ends_for_good_or_not_is_as_the_list_says(simulate: Simulate, state: str) -> None:
    """Its restart policy alone does not say that: it may have been changed, or used up."""
    for wait in (5.0, 4649.458):
        up, crash = Step(1935.987, "up", ("s1-0", "s1.test", "good")), Step(wait, "crash", ("s1-0", state))
        simulate(Script(3, (up, crash), is_child=True, calm=40.0))

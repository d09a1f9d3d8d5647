"""Random lives and faults: whatever happens, what must hold holds.

`pytest tests/simulation --hours 100000` looks for new faults for as long as one likes.
"""

from collections.abc import Callable

import pytest
from simulated.lives import script_of
from simulated.steps import Script
from simulated.world import World


@pytest.mark.timeout(0)
def test_whatever_happens_what_must_hold_holds(
    seeds: range, simulate: Callable[[Script], World], done: dict[int, float]
) -> None:
    for seed in seeds:
        done[seed] = simulate(script_of(seed)).hours

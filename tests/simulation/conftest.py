"""What simulations share: how a script is run, and what is told of one that fails."""

from collections.abc import Callable, Iterator

import pytest
from dockcaddy.plugins import load
from dockcaddy.plugins.registry import Registry
from simulated.invariants import Violation
from simulated.lives import HOURS
from simulated.shrink import as_test, shrunken
from simulated.steps import Script
from simulated.world import World, run

# so many lines of what happened last are told
LAST_LINES = 40
DONE = pytest.StashKey[dict[int, float]]()


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The bundled plugins."""
    return load()


@pytest.fixture
def tried(registry: Registry) -> Callable[[Script], str]:
    """Runs a script; gives the name of what is broken, `""` where nothing is."""

    def broken(script: Script) -> str:
        try:
            run(script, registry)
        except Violation as violation:
            return violation.name
        return ""

    return broken


@pytest.fixture
def simulate(registry: Registry, tried: Callable[[Script], str]) -> Callable[[Script], World]:
    """Runs a script; where something is broken it fails with the shortest script that does the same."""

    def world(script: Script) -> World:
        try:
            return run(script, registry)
        except Violation as violation:
            found = violation
        shortest = shrunken(found.world.so_far, tried)
        lines = "\n".join(line[:300] for line in list(found.world.trace.lines)[-LAST_LINES:])
        return pytest.fail(f"seed {script.seed}: {found}\n\n{lines}\n\n{as_test(shortest, found.name)}", pytrace=False)

    return world


@pytest.fixture(scope="session")
def done(pytestconfig: pytest.Config) -> Iterator[dict[int, float]]:
    """The simulated hours by seed, told at the end."""
    yield pytestconfig.stash.setdefault(DONE, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how much was simulated."""
    hours = config.stash.get(DONE, {})
    if hours:
        first, last = min(hours), max(hours)
        told = f"simulated {sum(hours.values()):.0f} hours with {len(hours)} seeds, {first} to {last}"
        terminalreporter.write_line(told)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """As many seeds as the hours need, in at most so many tests."""
    if "seeds" in metafunc.fixturenames:
        count = max(round(metafunc.config.getoption("--hours") / HOURS), 1)
        tests = min(count, 50)
        groups = [range(first, count, tests) for first in range(tests)]
        metafunc.parametrize("seeds", groups, ids=[f"seed-{first}" for first in range(tests)])

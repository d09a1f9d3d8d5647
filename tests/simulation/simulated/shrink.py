"""A script that fails, made as short as it may be while it fails in the same way."""

from collections.abc import Callable, Sequence

from attrs import evolve

from simulated.steps import Script, Step

# gives the name of what is broken by a script, "" where nothing is
Tried = Callable[[Script], str]
MOST_RUNS = 400


def shrunken(script: Script, tried: Tried, most_runs: int = MOST_RUNS) -> Script:
    """Leaves out steps, ever fewer at once, for as long as the same thing is broken."""
    name, runs = tried(script), 0
    steps, size = list(script.steps), max(len(script.steps) // 2, 1)
    while runs < most_runs:
        place, before = 0, len(steps)
        while place < len(steps) and runs < most_runs:
            fewer = _without(steps, place, size)
            runs += 1
            if tried(evolve(script, steps=fewer)) == name:
                steps = fewer
            else:
                place += size
        if size == 1 and len(steps) == before:
            break
        size = max(size // 2, 1)
    return evolve(script, steps=tuple(steps))


def _without(steps: Sequence[Step], place: int, size: int) -> list[Step]:
    """Without some of them; what comes after these happens when it did."""
    gone, rest = steps[place : place + size], list(steps[place + size :])
    if rest:
        pause = sum(step.after for step in gone)
        rest[0] = evolve(rest[0], after=round(rest[0].after + pause, 3))
    return [*steps[:place], *rest]


def as_test(script: Script, name: str) -> str:
    """A test that can be pasted into test_found.py."""
    words = "".join(each if each.isalnum() else "_" for each in name.lower())
    return f"def test_{words}_{script.seed}(simulate) -> None:\n    simulate({script})\n"

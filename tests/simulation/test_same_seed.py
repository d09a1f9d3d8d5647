"""The same seed gives the same run, to the byte."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy.plugins.registry import Registry
from simulated.invariants import Violation
from simulated.lives import script_of
from simulated.shrink import as_test, shrunken
from simulated.steps import Script, Step
from simulated.world import run

HERE = Path(__file__).parent
_FINGERPRINT = """
from dockcaddy.plugins import load
from simulated.lives import script_of
from simulated.world import run
print(*(run(script_of(seed, 0.2), load()).trace.fingerprint for seed in (2, 7)))
"""


@pytest.mark.parametrize("seed", [2, 7])
def test_the_same_seed_gives_the_same_trace_to_the_byte(seed: int, registry: Registry) -> None:
    first, second = (run(script_of(seed, 0.2), registry, keeps=None).trace for _ in range(2))
    assert list(first.lines) == list(second.lines)
    assert first.fingerprint == second.fingerprint
    assert len(first.lines) > 10


def test_another_seed_gives_another_trace(registry: Registry) -> None:
    assert len({run(script_of(seed, 0.05), registry).trace.fingerprint for seed in range(4)}) == 4


@pytest.mark.process
def test_the_same_seed_gives_the_same_trace_in_another_process() -> None:
    traces = {_fingerprint(hash_seed) for hash_seed in ("1", "2")}
    assert len(traces) == 1


def _fingerprint(hash_seed: str) -> str:
    folders = f"{HERE}:{HERE.parent / 'worlds'}"
    environment = {"PYTHONPATH": folders, "PYTHONHASHSEED": hash_seed, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", _FINGERPRINT], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_script_that_fails_shrinks_to_the_steps_that_make_it_fail() -> None:
    steps = [Step(float(number), "up", (f"web-{number}", "s0.test", "good")) for number in range(40)]

    def tried(script: Script) -> str:
        times, now = {}, 0.0
        for step in script.steps:
            now += step.after
            times[step.args[0]] = now
        return "broken" if times.get("web-33", 0.0) - times.get("web-7", 1e9) == sum(range(8, 34)) else ""

    short = shrunken(Script(1, steps), tried)
    assert [step.args[0] for step in short.steps] == ["web-7", "web-33"]


def test_a_shrunken_script_is_told_as_a_test_that_can_be_pasted() -> None:
    script = Script(5, (Step(0.5, "up", ("web", "s0.test", "good")), Step(1.0, "cut_streams")), is_swarm=True)
    told = as_test(script, "a good site stays")
    scripts: list[Script] = []
    pasted: dict[str, Callable[..., None]] = {}
    exec(told, {"Script": Script, "Step": Step}, pasted)
    pasted["test_a_good_site_stays_5"](scripts.append)
    assert scripts == [Script(5, list(script.steps), is_swarm=True)]


def test_what_breaks_in_a_world_is_told_with_the_world(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulated.invariants.Invariants._wanted", lambda self: {"nobody.test": {"10.0.0.1"}})
    with pytest.raises(Violation, match=r"one bad resource costs only itself: nobody\.test is not served") as caught:
        run(Script(1, (Step(0.0, "up", ("web", "s0.test", "good")),)), registry)
    assert caught.value.world.trace.lines

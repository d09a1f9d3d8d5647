"""The golden files themselves: a changed one fails, and nothing writes them where nobody looks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from golden import SWITCH, Golden, why_not_to_update

HERE = Path(__file__).parent
KINDS = ("conflicts", "policy", "explain", "messages")


@pytest.mark.parametrize("kind", KINDS)
def test_every_input_has_its_golden_file_and_every_golden_file_its_input(kind: str) -> None:
    inputs, expected = ({path.stem for path in (HERE / kind).glob(f"*{end}")} for end in (".toml", ".expected"))
    assert inputs == expected
    assert len(inputs) >= 10


def test_a_golden_file_that_differs_fails_with_the_difference(tmp_path: Path) -> None:
    path = tmp_path / "case.expected"
    path.write_text("a\nb\n")
    with pytest.raises(pytest.fail.Exception, match=r"(?s)case.expected differs.*-b\n\+c"):
        Golden()(path, "a\nc\n")
    assert path.read_text() == "a\nb\n"


def test_a_golden_file_that_is_not_there_fails(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match=f"there is no .*: pytest {SWITCH} writes it"):
        Golden()(tmp_path / "case.expected", "a\n")


def test_the_switch_writes_what_was_made(tmp_path: Path) -> None:
    path = tmp_path / "case.expected"
    for made in ("a\n", "b\n"):
        Golden(update=True)(path, made)
        assert path.read_text() == made


@pytest.mark.parametrize("name", ["CI", "DOCKCADDY_TESTS_NEED_ENGINE"])
def test_the_switch_is_refused_where_nobody_looks(name: str) -> None:
    assert name in why_not_to_update({name: "1"})
    assert why_not_to_update({}) == "" == why_not_to_update({name: ""})


@pytest.fixture
def suite(project: Path, tmp_path: Path) -> Path:
    """A copy of the tests of the policy's golden files, with one case."""
    tests = tmp_path / "tests"
    shutil.copy(project / "pyproject.toml", tmp_path)
    shutil.copytree(project / "tests" / "worlds", tests / "worlds")
    shutil.copy(project / "tests" / "conftest.py", tests)
    (tests / "golden" / "policy").mkdir(parents=True)
    shutil.copy(HERE / "test_policy.py", tests / "golden")
    shutil.copy(HERE / "conftest.py", tests / "golden")
    for path in sorted((HERE / "policy").glob("*"))[:2]:
        shutil.copy(path, tests / "golden" / "policy")
    return tmp_path


def run(suite: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The tests of the copy, in an environment in which somebody looks unless it says otherwise."""
    bare = {name: value for name, value in os.environ.items() if name not in ("CI", "DOCKCADDY_TESTS_NEED_ENGINE")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/golden", *arguments]
    return subprocess.run(
        command, cwd=suite, env=bare | environment, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.process
def test_a_changed_golden_file_fails_the_suite_until_it_is_written_anew(suite: Path) -> None:
    (path,) = suite.glob("tests/golden/policy/*.expected")
    right = path.read_text()
    assert run(suite).returncode == pytest.ExitCode.OK
    path.write_text(right + "changed\n")
    failed = run(suite)
    assert failed.returncode == pytest.ExitCode.TESTS_FAILED and "-changed" in failed.stdout
    refused = run(suite, SWITCH, CI="true")
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR and "CI is set" in refused.stderr
    assert path.read_text() == right + "changed\n"
    assert run(suite, SWITCH).returncode == pytest.ExitCode.OK
    assert path.read_text() == right

"""Completion in shells, signs of life on terminals, and the width of help."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy.cli import COMMANDS
from dockcaddy.cli.progress import Sign, waiting_for
from rich.console import Console

SHELLS = ("bash", "zsh", "fish")


def completed(shell: str, *words: str) -> str:
    """What the shell would be offered for the last word."""
    line = " ".join(["dockcaddy", *words])
    variables = {"COMP_WORDS": line, "COMP_CWORD": words[-1] if shell == "fish" else str(len(words))}
    return called({"_DOCKCADDY_COMPLETE": f"{shell}_complete", **variables})


def called(variables: dict[str, str]) -> str:
    command = [sys.executable, "-c", "from dockcaddy.cli import main\nmain()"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **variables})
    return done.stdout


@pytest.mark.process
@pytest.mark.parametrize("shell", SHELLS)
def test_commands_options_and_choices_are_completed(sandbox: Path, shell: str) -> None:
    assert "check" in completed(shell, "ch") and "render" not in completed(shell, "ch")
    assert "--compose" in completed(shell, "check", "--com")
    assert {"github", "sarif"} <= set(completed(shell, "check", "--format", "").replace(",", " ").split())
    assert {"keep", "page"} <= set(completed(shell, "run", "--when-stopped", "").replace(",", " ").split())
    assert "status" in completed(shell, "help", "st")


@pytest.mark.process
@pytest.mark.parametrize(
    "option", [("check",), ("render", "--compose"), ("diff", "--inventory"), ("run", "--caddyfile-path")]
)
def test_files_are_completed(sandbox: Path, option: tuple[str, ...]) -> None:
    # the shell lists the files itself
    assert completed("bash", *option, "x").startswith("file")


@pytest.mark.process
@pytest.mark.parametrize("shell", SHELLS)
def test_the_documented_line_is_a_script_of_the_shell(sandbox: Path, project: Path, shell: str) -> None:
    line = f"_DOCKCADDY_COMPLETE={shell}_source dockcaddy"
    page = (project / "docs/command-line.md").read_text()
    assert line in page or (shell == "zsh" and "`zsh_source`" in page)
    script = called({"_DOCKCADDY_COMPLETE": f"{shell}_source"})
    assert f"_DOCKCADDY_COMPLETE={shell}_complete" in script
    if program := shutil.which(shell):
        done = subprocess.run([program, "-n", "-c", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_into_80_columns(dockcaddy: Callable, name: str) -> None:
    lines = dockcaddy(name, "--help").out.splitlines()
    # a name longer than its column is not broken
    assert [line for line in lines if len(line) > 80 and " " in line.strip()] == []


def sign(output: io.StringIO) -> Sign:
    return Sign("caddy checks", lambda: Console(file=output, force_terminal=True, width=80))


def test_what_takes_long_says_so_and_the_line_is_gone_afterwards() -> None:
    output = io.StringIO()
    made = sign(output)
    made.show()
    made.hide()
    shown, erased = output.getvalue().rsplit("caddy checks", 1)
    assert shown and "\x1b[2K" in erased and "\x1b[?25h" in erased


def test_what_is_over_is_not_shown_any_more() -> None:
    output = io.StringIO()
    made = sign(output)
    made.hide()
    made.show()
    assert output.getvalue() == ""


def test_nothing_is_shown_in_a_pipe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("dockcaddy.cli.progress.PATIENCE", 0.0)
    monkeypatch.setattr("threading.Timer", lambda *_: pytest.fail("no sign was wanted"))
    with waiting_for("caddy"):
        pass
    assert capsys.readouterr().err == ""

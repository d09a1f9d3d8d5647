"""What a newcomer sees at a terminal that is eighty columns wide."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy import __version__
from dockcaddy.cli import COMMANDS
from dockcaddy.settings.table import OPTIONS

pytestmark = pytest.mark.process

WIDTH = 80
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SITE = {
    "caddy": "a-rather-long-name-of-a-site.example.org",
    "caddy.reverse_proxy": "/some/rather/long/path/* {{upstreams 80}}",
    "caddy.reverse_proxy.header_up": "X-Forwarded-Something {http.request.header.X-Something}",
}


def on_terminal(*arguments: str, columns: str = str(WIDTH)) -> str:
    """What a command writes to a terminal of this width."""
    ours, its = pty.openpty()
    environment = {**os.environ, "COLUMNS": columns, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "dockcaddy", *arguments]
    with subprocess.Popen(command, stdout=its, stderr=its, stdin=its, env=environment):
        os.close(its)
        told = b""
        while True:
            try:
                read = os.read(ours, 65536)
            except OSError:
                break
            if not read:
                break
            told += read
    os.close(ours)
    return told.decode().replace("\r\n", "\n")


def plain(text: str) -> list[str]:
    """The lines without what colours them or moves the cursor."""
    return CONTROL.sub("", text).splitlines()


@pytest.mark.parametrize("arguments", [("functions",), ("plugins",), ("functions", "upstreams"), ("run", "--help")])
def test_nothing_is_wider_than_the_terminal(sandbox: Path, arguments: tuple[str, ...]) -> None:
    lines = plain(on_terminal(*arguments))
    assert lines and max(map(len, lines)) <= WIDTH, max(lines, key=len)


def test_functions_have_headers_and_colour_on_a_terminal_only(sandbox: Path, dockcaddy: Callable) -> None:
    told = on_terminal("functions")
    assert plain(told)[0].split() == ["function", "plugin", "gives"]
    assert COLOUR.search(told)
    assert not COLOUR.search(dockcaddy("functions").out)


def test_explain_is_readable_on_a_terminal(sandbox: Path, snapshot: Callable) -> None:
    path = snapshot(**{"a_container_with_a_long_name": SITE})
    told = on_terminal("explain", SITE["caddy"], "--inventory", path, "--ingress-networks=web")
    lines = plain(told)
    assert max(map(len, lines)) <= WIDTH, told
    assert lines[0].split() == ["line", "made", "by"]
    assert COLOUR.search(told)
    assert any("container a-container-with-a-long-name" in line for line in lines)


def test_the_help_of_run_is_in_groups_with_defaults_and_choices(dockcaddy: Callable) -> None:
    told = dockcaddy("run", "--help").out
    groups = re.findall(r"^(\w[\w ]*):$", told, re.MULTILINE)
    assert {"Docker", "Labels", "Caddy", "Plugins", "Log"} <= set(groups)
    text = " ".join(told.split())
    assert "[default: 30s]" in text and "[default: localhost:2019]" in text
    assert "[caddy|alphabetical]" in text and "[console|json]" in text
    assert "DURATION" in text
    for option in OPTIONS:
        assert option.flag in text
    assert "/var/lib/dockcaddy" in text


@pytest.mark.parametrize("spelled", [("help",), ("--help",), ("-h",)])
def test_help_is_a_command_too(dockcaddy: Callable, spelled: tuple[str, ...]) -> None:
    result = dockcaddy(*spelled)
    assert (result.status, result.err) == (0, "")
    assert "Usage: dockcaddy" in result.out and all(name in result.out for name in COMMANDS)


def test_help_is_had_of_a_command(dockcaddy: Callable) -> None:
    assert dockcaddy("help", "render").out == dockcaddy("render", "--help").out
    result = dockcaddy("help", "rendr")
    assert (result.status, 'no command "rendr", did you mean "render"' in result.err) == (2, True)


def test_version_is_a_command_too(dockcaddy: Callable) -> None:
    assert dockcaddy("version").out == dockcaddy("--version").out == f"dockcaddy {__version__}\n"


@pytest.mark.parametrize("word", ["start", "up", "ps", "frobnicate"])
def test_a_guess_is_only_made_when_it_is_near(dockcaddy: Callable, word: str) -> None:
    result = dockcaddy(word)
    assert result.status == 2
    assert "did you mean" not in result.err
    assert "there are run, render, check" in result.err


@pytest.mark.parametrize(
    ("arguments", "listed"),
    [
        (("functions", "nonsense"), "there are abbrev, "),
        (
            ("explain", "nonsense", "--inventory", "snapshot.json"),
            "there are a-rather-long-name-of-a-site.example.org, web",
        ),
        (("plugins", "--replace", "nonsense"), "there are abbrev, "),
        (("plugins", "--set", "nonsense.x=1"), "there are health, "),
        (("plugins", "--set", "health.nonsense=1"), "there is gate"),
        (("plugins", "--set", "nonsense=1"), "there are mode, "),
    ],
)
def test_every_unknown_name_is_told_with_what_there_is(
    dockcaddy: Callable, snapshot: Callable, arguments: tuple[str, ...], listed: str
) -> None:
    snapshot(web=SITE)
    result = dockcaddy(*arguments)
    assert (result.status, result.err.count("\n")) == (2, 1)
    assert listed in result.err, result.err


PYTHON = re.compile(r"\[Errno|Error: |Error\(|Traceback|KeyError|NoneType|codec|<class|\('|recursion|Expecting")


@pytest.mark.parametrize(
    ("option", "content"),
    [
        ("--envfile", None),
        ("--envfile", b"\xff\xfe"),
        ("--envfile", b"no sign"),
        ("--config", None),
        ("--config", b"\xff"),
        ("--config", b"polling_interval = "),
        ("--config", b"polling_interval = [1, {a = 1}]"),
        ("--config", b"x = " + b"[" * 5000),
        ("--config", b"[labels]\nroute_order = 5"),
        ("--caddyfile-path", None),
        ("--caddyfile-path", b"\xff"),
        ("--caddyfile-path", b"a.example.org {\n"),
        ("--inventory", None),
        ("--inventory", b""),
        ("--inventory", b"\xff"),
        ("--inventory", b"{"),
        ("--inventory", b"[" * 100_000),
        ("--inventory", b"[]"),
        ("--inventory", b'{"version": 7}'),
        ("--inventory", b'{"version": 1, "engines": 5}'),
        ("--inventory", b'{"version": 1, "engines": [{"networks": [{}], "containers": []}]}'),
        ("--plugin", None),
        ("--plugin", b"def"),
    ],
)
def test_an_error_about_a_file_names_it_in_plain_words(
    dockcaddy: Callable, snapshot: Callable, sandbox: Path, option: str, content: bytes | None
) -> None:
    file = sandbox / "thefile"
    if content is not None:
        file.write_bytes(content)
    given = [] if option == "--inventory" else ["--inventory", snapshot()]
    result = dockcaddy("render", *given, option, str(file))
    assert result.status in (0, 2)
    assert result.err.startswith("error: "), result.err
    assert str(file) in result.err
    if option != "--plugin":
        assert not PYTHON.search(result.err), result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("option", ["--envfile", "--config", "--caddyfile-path", "--inventory", "--plugin"])
def test_a_folder_is_no_file(dockcaddy: Callable, snapshot: Callable, sandbox: Path, option: str) -> None:
    given = [] if option == "--inventory" else ["--inventory", snapshot()]
    result = dockcaddy("render", *given, option, str(sandbox))
    assert result.status == 2 and str(sandbox) in result.err
    assert "[Errno" not in result.err and result.err.count("\n") == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_to_be_had(sandbox: Path, shell: str) -> None:
    environment = {**os.environ, "_DOCKCADDY_COMPLETE": f"{shell}_source"}
    code = "import sys; sys.argv = ['dockcaddy']; from dockcaddy.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    # click asks the bash that there is for its version
    assert "dockcaddy" in done.stdout and done.returncode == 0, done.stderr


def test_completion_knows_commands_and_options(sandbox: Path) -> None:
    code = "import sys; sys.argv = ['dockcaddy']; from dockcaddy.cli import main; main()"

    def completed(words: str, place: int) -> list[str]:
        environment = {
            **os.environ,
            "_DOCKCADDY_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(place),
        }
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert completed("dockcaddy re", 1) == ["render"]
    assert "--polling-interval" in completed("dockcaddy run --poll", 2)
    assert json.loads('["caddyfile", "json"]') == completed("dockcaddy render --format ", 3)


def test_upstreams_says_what_it_takes(dockcaddy: Callable) -> None:
    told = dockcaddy("functions", "upstreams").out
    assert told.startswith("upstreams [http|https|h2c] [PORT...]\n")


@pytest.mark.parametrize("columns", ["", "0", "nonsense"])
def test_a_terminal_that_does_not_know_its_width_has_eighty_columns(sandbox: Path, columns: str) -> None:
    lines = plain(on_terminal("functions", columns=columns))
    assert WIDTH - 20 < max(map(len, lines)) <= WIDTH

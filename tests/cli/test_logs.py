"""What the log looks like: one line each, for people or for machines."""

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
from dockcaddy import logs
from dockcaddy.model import Problem

logger = logging.getLogger("dockcaddy")


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """The logger as it was."""
    before = (logger.handlers[:], logger.level, logger.propagate)
    yield
    logger.handlers[:], logger.level, logger.propagate = before


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_has_time_level_and_message() -> None:
    stream = io.StringIO()
    logs.configure("info", "console", stream)
    logger.warning("container %s: paused", "web-1")
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} warning: container web-1: paused\n", stream.getvalue())


def test_a_command_that_ends_has_no_times() -> None:
    stream = io.StringIO()
    logs.configure("info", "console", stream, timed=False)
    logger.error("%s", Problem("container web-1", "caddy.reverse_proxy", 'function "foo" is not defined'))
    assert stream.getvalue() == 'error: container web-1: label caddy.reverse_proxy: function "foo" is not defined\n'


def test_json_has_one_object_a_line_with_the_resource_and_the_label() -> None:
    stream = io.StringIO()
    logs.configure("info", "json", stream)
    logger.error("two\nlines", extra={"resource": "container web-1", "label": "caddy"})
    logger.info("plain")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["message"] == "two\nlines"
    assert (first["level"], first["resource"], first["label"]) == ("error", "container web-1", "caddy")
    assert isinstance(first["time"], float)
    assert "resource" not in second


@pytest.mark.parametrize("text", ["a\nerror: forged", "a\x1b[2Jb", "a\rb", "a\x00b", "a\u2028b", "a\x85b"])
def test_a_message_can_neither_end_its_line_nor_steer_the_terminal(text: str) -> None:
    stream = io.StringIO()
    logs.configure("info", "console", stream, timed=False)
    logger.error(text)
    assert len(stream.getvalue().splitlines()) == 1
    assert stream.getvalue().rstrip("\n").isprintable()


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", "debug info warning error"),
        ("", "info warning error"),
        ("warn", "warning error"),
        ("panic", "error"),
    ],
)
def test_the_level_says_what_is_shown(level: str, shown: str) -> None:
    stream = io.StringIO()
    logs.configure(level, "console", stream, timed=False)
    for say in (logger.debug, logger.info, logger.warning, logger.error):
        say("x")
    assert [line.partition(":")[0] for line in stream.getvalue().splitlines()] == shown.split()


def test_only_a_terminal_gets_colours_and_only_if_it_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, plain = Terminal(), Terminal()
    logs.configure("info", "console", coloured, timed=False)
    logger.error("x")
    monkeypatch.setenv("NO_COLOR", "1")
    logs.configure("info", "console", plain, timed=False)
    logger.error("x")
    assert "\033[31merror\033[0m: x" in coloured.getvalue()
    assert plain.getvalue() == "error: x\n"


def test_configuring_again_does_not_say_things_twice() -> None:
    stream = io.StringIO()
    logs.configure("info", "console", stream, timed=False)
    logs.configure("info", "console", stream, timed=False)
    logger.info("once")
    assert stream.getvalue() == "info: once\n"


def test_caddys_own_lines_are_told_apart() -> None:
    stream = io.StringIO()
    logs.configure("info", "console", stream, timed=False)
    logging.getLogger("dockcaddy.caddy").info("serving")
    assert stream.getvalue() == "info: caddy: serving\n"


def test_a_last_word_has_no_time_either() -> None:
    stream = io.StringIO()
    logs.configure("info", "console", stream)
    logger.error("over", extra={"timed": False})
    assert stream.getvalue() == "error: over\n"

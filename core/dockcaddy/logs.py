"""Logging to standard error, as lines for people or as JSON for machines."""

import json
import logging
import os
import re
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from dockcaddy.errors import own_fault

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_WORDS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}
_COLOURS = {"debug": "\033[2m", "info": "\033[32m", "warning": "\033[33m", "error": "\033[31m"}
_EMPHASIS = "\033[1;32m"
_PLAIN = "\033[0m"
# characters that end the line or control a terminal; labels and responses of servers may contain them
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


def _word(record: logging.LogRecord) -> str:
    return _WORDS.get(record.levelno, "error")


def escaped(text: str) -> str:
    """One line that is safe on a terminal: control characters as `\\n`, `\\x1b`."""
    return _CONTROL.sub(lambda found: repr(found.group())[1:-1], text)


class LineFormatter(logging.Formatter):
    """`12:00:01.123 error: container web-1: label caddy: ...`, without the time if the record has `timed=False`.

    The lines of a record's `example` follow below, ready to be copied. On a terminal (`brief`), the time has no
    milliseconds and lines at info level have no level.
    """

    def __init__(self, *, timed: bool = True, coloured: bool = False, brief: bool = False) -> None:
        super().__init__()
        self._timed = timed
        self._coloured = coloured
        self._brief = brief

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback below it if the record has one."""
        source = "caddy: " if record.name == "dockcaddy.caddy" else ""
        line = f"{self._clock(record)}{self._level(record)}{source}{self._message(record)}"
        line += "".join(f"\n    {escaped(each)}" for each in getattr(record, "example", "").splitlines())
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line

    def _level(self, record: logging.LogRecord) -> str:
        word = _word(record)
        if self._brief and word == "info":
            return ""
        return f"{self._painted(_COLOURS[word], word)}: "

    def _message(self, record: logging.LogRecord) -> str:
        """The message. If the record has an `emphasis` and the message begins with it, that word is coloured."""
        message, emphasis = escaped(record.getMessage()), getattr(record, "emphasis", "")
        if not emphasis or not message.startswith(emphasis):
            return message
        return f"{self._painted(_EMPHASIS, emphasis)}{message.removeprefix(emphasis)}"

    def _clock(self, record: logging.LogRecord) -> str:
        if not (self._timed and getattr(record, "timed", True)):
            return ""
        time_of_day = time.strftime("%H:%M:%S", time.localtime(record.created))
        return (
            f"{self._painted(_COLOURS['debug'], time_of_day)} "
            if self._brief
            else f"{time_of_day}.{int(record.msecs):03d} "
        )

    def _painted(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._coloured else text


class JsonFormatter(logging.Formatter):
    """One object a line: time (seconds since the epoch), level, logger and message.

    If the record has them: resource, label, example, the keys of its `fields`, and a traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry: dict[str, object] = {
            "time": round(record.created, 3),
            "level": _word(record),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for key in ("resource", "label", "example"):
            if getattr(record, key, ""):
                entry[key] = getattr(record, key)
        entry |= getattr(record, "fields", {})
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def report_own_fault(where: str, error: BaseException, name: str = "dockcaddy") -> str:
    """Log a bug in dockcaddy, with its traceback at debug level, and return the message.

    `where` begins the line, `name` is the logger's.
    """
    logger = logging.getLogger(name)
    message = own_fault(error)
    logger.error("%s (--log-level debug shows where)", f"{where}: {message}" if where else message)
    logger.debug("traceback:", exc_info=error)
    return message


@contextmanager
def python_messages_logged() -> Iterator[None]:
    """Log in one line what Python prints itself about threads, finalizers and warnings, which are mostly of plugins."""
    logger = logging.getLogger("dockcaddy")

    def of_thread(given: threading.ExceptHookArgs) -> None:
        error = given.exc_value or given.exc_type()
        name = given.thread.name if given.thread is not None else "unknown"
        logger.error("thread %s ended: %s", name, _last_line(error))
        logger.debug("traceback:", exc_info=error)

    def of_finalizer(given: "sys.UnraisableHookArgs") -> None:
        error = given.exc_value or given.exc_type()
        logger.warning("error in a finalizer: %s", _last_line(error))
        logger.debug("traceback:", exc_info=error)

    def of_warning(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        logger.warning("%s:%d: %s", filename, lineno, message)

    before = threading.excepthook, sys.unraisablehook, warnings.showwarning
    threading.excepthook, sys.unraisablehook, warnings.showwarning = of_thread, of_finalizer, of_warning
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook, warnings.showwarning = before


def _last_line(error: BaseException) -> str:
    """The error as Python shows it, with the file and line that raised it."""
    text = traceback.format_exception_only(error)[-1].strip()
    frames = traceback.extract_tb(error.__traceback__)
    return f"{text} ({frames[-1].filename}:{frames[-1].lineno})" if frames else text


def configure(level: str, style: str, stream: TextIO | None = None, *, timed: bool = True) -> None:
    """Send the program's log to standard error.

    `level` and `style` are the settings `log_level` and `log_format`. Without `timed`, lines have no time of day; a
    command that ends by itself does not need it.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    brief = handler.stream.isatty()
    lines = LineFormatter(timed=timed, coloured=brief and not os.environ.get("NO_COLOR"), brief=brief)
    handler.setFormatter(JsonFormatter() if style == "json" else lines)
    logger = logging.getLogger("dockcaddy")
    logger.handlers[:] = [handler]
    logger.setLevel(_LEVELS.get(level or "info", logging.ERROR))
    logger.propagate = False

"""Logging to standard error: lines for people, or JSON for machines."""

import json
import logging
import sys
import time
from typing import TextIO

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_WORDS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}


class LineFormatter(logging.Formatter):
    """`12:00:01.123 error: container web-1: label caddy: ...`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        source = "caddy: " if record.name == "dockcaddy.caddy" else ""
        return f"{clock}.{int(record.msecs):03d} {_WORDS.get(record.levelno, 'error')}: {source}{record.getMessage()}"


class JsonFormatter(logging.Formatter):
    """One object a line: time (seconds since the epoch), level, message, and the resource and label at fault."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry = {
            "time": round(record.created, 3),
            "level": _WORDS.get(record.levelno, "error"),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for key in ("resource", "label"):
            if getattr(record, key, ""):
                entry[key] = getattr(record, key)
        return json.dumps(entry, ensure_ascii=False)


def configure(level: str, style: str, stream: TextIO | None = None) -> None:
    """Send the program's log to standard error; `level` and `style` are the settings `log_level` and `log_format`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else LineFormatter())
    logger = logging.getLogger("dockcaddy")
    logger.handlers[:] = [handler]
    logger.setLevel(_LEVELS.get(level or "info", logging.ERROR))
    logger.propagate = False

"""An environment file as godotenv, which caddy-docker-proxy uses, reads it (https://github.com/joho/godotenv)."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from dockcaddy.errors import SettingsError
from dockcaddy.files import unreadable

_KEY = re.compile(r"(?:export[ \t]+)?([A-Za-z0-9_.]+)[ \t]*[=:][ \t]*")
_SKIPPED = re.compile(r"(?:\s+|#[^\n]*)+")
_QUOTED = re.compile(r""" "((?:\\.|[^"\\])*)" | '((?:\\'|[^'])*)' """, re.DOTALL | re.VERBOSE)
_COMMENT = re.compile(r"(?:^|\s)#.*")
# a reference, with a backslash in front if it is none
_REFERENCE = re.compile(r"(\\)?\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))")
_ESCAPE = re.compile(r"\\([^$])", re.DOTALL)
_CONTROL = {"n": "\n", "r": "\r"}


def load_environment_file(path: str) -> None:
    """Put the variables of a file into the environment, for Caddy and the engines; what is set already stays.

    Without a path there is none. Raises SettingsError.
    """
    if not path:
        return
    try:
        variables = parse_environment(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--envfile {path}: {unreadable(error)}") from error
    except ValueError as error:
        raise SettingsError(f"--envfile {path}: {error}") from None
    for name, value in variables.items():
        os.environ.setdefault(name, value)


def parse_environment(text: str) -> dict[str, str]:
    """The variables of a file of `KEY=VALUE` lines, with quotes, comments, `export` and references to earlier lines.

    A quoted value may have several lines; between single quotes, nothing is special. Raises ValueError with the line.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    variables: dict[str, str] = {}
    position = _next(text, 0)
    while position < len(text):
        key = _KEY.match(text, position)
        if key is None:
            raise ValueError(f"line {_line(text, position)}: expected KEY=VALUE")
        variables[key[1]], position = _value(text, key.end(), variables)
        position = _next(text, position)
    return variables


def _next(text: str, position: int) -> int:
    found = _SKIPPED.match(text, position)
    return found.end() if found else position


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _value(text: str, position: int, variables: Mapping[str, str]) -> tuple[str, int]:
    """The value at a position, and where it ends."""
    if text[position : position + 1] in ('"', "'"):
        found = _QUOTED.match(text, position)
        if found is None:
            raise ValueError(f"line {_line(text, position)}: the quote is never closed")
        return found[2] if found[1] is None else _expanded(_unescaped(found[1]), variables), found.end()
    end = text.find("\n", position)
    end = len(text) if end < 0 else end
    return _expanded(_COMMENT.sub("", text[position:end]).strip(), variables), end


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: _CONTROL.get(found[1], found[1]), text)


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    return _REFERENCE.sub(lambda found: found[0][1:] if found[1] else variables.get(found[2] or found[3], ""), text)

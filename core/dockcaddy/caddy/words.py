"""Caddy's error texts."""

import os
import re

from dockcaddy.settings import limits

_VARIABLE = re.compile(r"\{(?:\$|env\.)([^{}:]+)")
_LINE = re.compile(r"(?:Caddyfile|(?<![\w.])-):(\d+)")


def refused_line(message: str) -> int | None:
    """The line of the Caddyfile that Caddy's error text names, None if it names none."""
    found = _LINE.search(message)
    return int(found[1]) if found else None


def without_values(message: str, caddyfile: str) -> str:
    """Caddy's error text without the values of environment variables that the Caddyfile refers to."""
    if "{$" not in caddyfile and "{env." not in caddyfile:
        return message
    for name in set(_VARIABLE.findall(caddyfile)):
        value = os.environ.get(name, "")
        if len(value) >= limits.MIN_SECRET:
            message = message.replace(value, f"{{${name}}}")
    return message

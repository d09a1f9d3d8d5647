"""Compose's `${VARIABLE:-default}` in texts. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from dockcaddy.errors import SettingsError

_NAME = re.compile(r"[A-Za-z_]\w*")
_OPERATOR = re.compile(r":?[-?+]")


def interpolated(value: Any, variables: Mapping[str, str], missing: Callable[[str], object]) -> Any:
    """The data with its variables replaced. `missing` is called for each that is not set. Raises SettingsError."""
    if isinstance(value, str):
        return _text(value, variables, missing)
    if isinstance(value, list):
        return [interpolated(each, variables, missing) for each in value]
    if isinstance(value, dict):
        return {key: interpolated(each, variables, missing) for key, each in value.items()}
    return value


def _text(text: str, variables: Mapping[str, str], missing: Callable[[str], object]) -> str:
    head, dollar, rest = text.partition("$")
    if not dollar:
        return head
    if rest.startswith("$"):
        return f"{head}${_text(rest[1:], variables, missing)}"
    if rest.startswith("{"):
        end = _closing(rest)
        value = _braced(rest[1:end], variables, missing)
        return head + value + _text(rest[end + 1 :], variables, missing)
    found = _NAME.match(rest)
    if found is None:
        raise SettingsError(f'invalid variable in "{text}": write $$ for a dollar sign')
    return head + _value(found[0], variables, missing) + _text(rest[found.end() :], variables, missing)


def _closing(text: str) -> int:
    """Where the brace that the text begins with is closed. Raises SettingsError."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if not depth:
            return place
    raise SettingsError(f'"${text}" is not closed: write $$ for a dollar sign')


def _braced(text: str, variables: Mapping[str, str], missing: Callable[[str], object]) -> str:
    found = _NAME.match(text)
    if found is None:
        raise SettingsError(f'invalid variable "${{{text}}}": write $$ for a dollar sign')
    name, rest = found[0], text[found.end() :]
    if not rest:
        return _value(name, variables, missing)
    operator = _OPERATOR.match(rest)
    if operator is None:
        raise SettingsError(f'invalid variable "${{{text}}}": write $$ for a dollar sign')
    argument = rest[operator.end() :]
    is_set = bool(variables.get(name)) if ":" in operator[0] else name in variables
    match operator[0][-1]:
        case "-":
            return variables[name] if is_set else _text(argument, variables, missing)
        case "+":
            return _text(argument, variables, missing) if is_set else ""
    if not is_set:
        raise SettingsError(f'the variable "{name}" is needed: {argument or "it is not set"}')
    return variables[name]


def _value(name: str, variables: Mapping[str, str], missing: Callable[[str], object]) -> str:
    if name not in variables:
        missing(name)
    return variables.get(name, "")

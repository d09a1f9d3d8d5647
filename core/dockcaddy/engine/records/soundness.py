"""Responses whose values have unexpected types: one such container costs no other one anything."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import define, field

from dockcaddy.engine.records.resources import is_as
from dockcaddy.errors import one_line
from dockcaddy.model import Problem

Json = Mapping[str, Any]

# types of values; a list has the type of its items, and "" is every key
_OBJECT: Mapping[str, Any] = {}
_NUMBER = (int, float)
ITEM: Mapping[str, Any] = {
    "Id": str,
    "Names": [str],
    "Labels": _OBJECT,
    "State": str,
    "Created": _NUMBER,
    "Ports": [_OBJECT],
    "Mounts": [_OBJECT],
    "Health": _OBJECT,
    "HostConfig": _OBJECT,
    "NetworkSettings": {"Networks": {"": _OBJECT}},
}
INSPECT: Mapping[str, Any] = {
    "Config": {"Env": [str], "Healthcheck": {"Test": [str]}, "StopTimeout": _NUMBER},
    "HostConfig": _OBJECT,
    "Mounts": [_OBJECT],
    "State": {"Health": _OBJECT},
}


def oddity(value: object, expected: Any, name: str) -> str:
    """The name of the first value of another type than expected, `""` if there is none. Null is none, but in a list."""
    if value is None:
        return ""
    if isinstance(expected, dict):
        return _oddity_in(value, expected) if isinstance(value, dict) else name
    if not isinstance(expected, list):
        return "" if isinstance(value, expected) else name
    if not isinstance(value, list) or None in value:
        return name
    return name if any(oddity(each, expected[0], name) for each in value) else ""


def _oddity_in(value: Json, expected: Mapping[str, Any]) -> str:
    if "" in expected:
        return next((key for key, each in value.items() if oddity(each, expected[""], str(key))), "")
    # there are some for each container at a start, so nothing is called for what is as usual
    for key, kind in expected.items():
        each = value.get(key)
        if each is not None and (found := oddity(each, kind, key)):
            return found
    return ""


@define(eq=False)
class OddContainers:
    """Warnings about containers that the engine lists with unexpected values. `changes` counts changes."""

    changes: int = 0
    problems: dict[str, Problem] = field(factory=dict)

    def sound(self, items: Iterable[Json], known: Callable[[str], Json | None], *, are_all: bool) -> list[Json]:
        """The other containers of a list, and the last `known` items of these. `are_all` if it is a full list."""
        before = dict(self.problems)
        if are_all:
            self.problems.clear()
        made = [self._sound(item, known) for item in items]
        self.changes += self.problems != before
        return [item for item in made if item is not None]

    def _sound(self, item: Json, known: Callable[[str], Json | None]) -> Json | None:
        id = str(item.get("Id") or "") if isinstance(item, Mapping) else ""
        kept = known(id) if id else None
        is_known = kept is not None and is_as(kept, item)
        key = "" if is_known else oddity(item, ITEM, "Id") if id else "Id"
        if not key:
            self.problems.pop(id, None)
            return item
        what = "it is left out" if kept is None else "it stays as it was"
        names = item.get("Names") if isinstance(item, Mapping) else None
        name = names[0].lstrip("/") if names and not oddity(names, [str], "Names") else id[:12]
        message = f'the engine lists it with an unexpected value of "{one_line(key)}", {what}'
        self.problems[id] = Problem(f"container {one_line(name)}", "", message, "warning")
        return kept

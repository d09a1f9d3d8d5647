"""Merging dictionaries, as the Go library mergo does it."""

from collections.abc import Sequence
from typing import Any

from dockcaddy import Context
from dockcaddy.gotemplate import MAP_OF_ANY, FunctionError, Value

from dockcaddy_sprig.go import DEEPEST, dynamic, is_empty


def merged(context: Context, target: Value, sources: Sequence[Value], *, overwrite: bool) -> Value:
    """The target with what the sources have. Raises FunctionError where they are nested too deep."""
    if target.data is None:
        target = Value(MAP_OF_ANY, {} if any(each.data is not None for each in sources) else None)
    for source in sources:
        _merge(context, target.data, source.data or {}, overwrite, 0)
    return target


def _merge(context: Context, target: dict[str, Any], source: dict[str, Any], overwrite: bool, depth: int) -> None:
    if depth > DEEPEST:
        raise FunctionError("the dictionaries are nested too deep to merge")
    context.spend(1 + len(source) // 2)
    for key, item in list(source.items()):
        new, old = dynamic(item), dynamic(target.get(key))
        if new is None:
            if overwrite:
                target[key] = None
            continue
        if new.kind == "map" and old is not None and old.kind == "map":
            _merge_maps(context, target, key, old, new, overwrite, depth)
            continue
        if new.kind == "slice" and old is not None and not is_empty(old) and not overwrite:
            continue
        if overwrite or is_empty(old):
            target[key] = item


def _merge_maps(
    context: Context, target: dict[str, Any], key: str, old: Value, new: Value, overwrite: bool, depth: int
) -> None:
    """A dictionary in both: the nested ones are merged, where the first is not empty."""
    if old.data is not None and new.data is not None and old.data is not new.data:
        _merge(context, old.data, new.data, overwrite, depth + 1)
    if is_empty(old):
        target[key] = new

"""Dictionaries. Those that change one change the very dictionary, as in Go."""

from collections.abc import Callable, Iterator
from typing import Any

from dockcaddy import Context
from dockcaddy.gotemplate import MAP_OF_ANY, FunctionError, Type, Value, typed, value_of

from dockcaddy_sprig.go import (
    DEEPEST,
    MOST_ELEMENTS,
    Any_,
    Dict,
    List,
    Strings,
    dynamic,
    list_of,
    strings_of,
    strval,
    type_of,
)
from dockcaddy_sprig.merging import merged

_NIL_MAP = "assignment to entry in nil map"


def dict_(context: Context, *values: Any_) -> Dict:
    """A dictionary of the keys and values, one after the other."""
    made: dict[str, Any_] = {}
    for place in range(0, len(values), 2):
        made[strval(context, values[place])] = values[place + 1] if place + 1 < len(values) else value_of("")
    return Value(MAP_OF_ANY, made)


def get(context: Context, items: Dict, key: str) -> Any_:
    """The key's value, an empty text where it is missing."""
    return dynamic(items.data[key]) if items.data and key in items.data else value_of("")


def set_(context: Context, items: Dict, key: str, value: Any_) -> Dict:
    """The dictionary with the key set."""
    if items.data is None:
        raise FunctionError(_NIL_MAP)
    if len(items.data) >= MOST_ELEMENTS:
        raise FunctionError(f"the dictionary exceeds the limit of {MOST_ELEMENTS} elements")
    if value is not None and value.data is items.data:
        raise FunctionError("a dictionary cannot hold itself")
    items.data[key] = value
    return items


def unset(context: Context, items: Dict, key: str) -> Dict:
    """The dictionary without the key."""
    if items.data:
        items.data.pop(key, None)
    return items


def has_key(context: Context, items: Dict, key: str) -> bool:
    """Whether the dictionary has the key."""
    return bool(items.data) and key in items.data


def pluck(context: Context, key: str, *dicts: Dict) -> List:
    """The key's values in all dictionaries that have it."""
    return list_of(dynamic(each.data[key]) for each in dicts if each.data and key in each.data)


def keys(context: Context, *dicts: Dict) -> Strings:
    """The keys of all dictionaries, sorted in each."""
    return strings_of(key.data for each in dicts for key, _ in _sorted(each))


def values(context: Context, items: Dict) -> List:
    """The values, sorted by key."""
    return list_of(dynamic(value) for _, value in _sorted(items))


def _sorted(items: Value) -> Iterator[tuple[Value, Value]]:
    return items.map_items() if items.data else iter(())


def pick(context: Context, items: Dict, *names: str) -> Dict:
    """A dictionary of these keys alone."""
    data = items.data or {}
    return Value(MAP_OF_ANY, {name: data[name] for name in names if name in data})


def omit(context: Context, items: Dict, *names: str) -> Dict:
    """A dictionary without these keys."""
    left_out = frozenset(names)
    return Value(MAP_OF_ANY, {key: value for key, value in (items.data or {}).items() if key not in left_out})


def merge(context: Context, target: Dict, *sources: Dict) -> Any_:
    """The first dictionary with what the others have and it has not, changed where it lies."""
    return merged(context, target, sources, overwrite=False)


def merge_overwrite(context: Context, target: Dict, *sources: Dict) -> Any_:
    """The first dictionary with what the others have, changed where it lies; the last one wins."""
    return merged(context, target, sources, overwrite=True)


def dig(context: Context, *arguments: Any_) -> Any_:
    """The value at the keys in nested dictionaries, `dig KEY... DEFAULT DICT`."""
    if len(arguments) < 3:
        raise FunctionError("dig needs at least three arguments")
    *path, otherwise, found = arguments
    found = _asserted(found, "map[string]interface {}")
    names = [_asserted(each, "string").data for each in path]
    for place, name in enumerate(names):
        if not found.data or name not in found.data:
            return otherwise
        step = dynamic(found.data[name])
        if place == len(names) - 1:
            return step
        found = _asserted(step, "map[string]interface {}")
    return otherwise


def _asserted(value: Any_, name: str) -> Value:
    if value is None or value.type.name != name:
        held = "nil" if value is None else type_of(value)
        raise FunctionError(f"interface conversion: interface {{}} is {held}, not {name}")
    return value


def deep_copy(context: Context, value: Any_) -> Any_:
    """A copy of the value and all that is in it."""
    if value is None:
        raise FunctionError("reflect: call of reflect.Value.Type on zero Value")
    return Value(value.type, _copied(context, value.type, value.data, 0))


def _copied(context: Context, type: Type, data: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise FunctionError("the value is nested too deep to copy")
    held = dynamic(data) if type.kind == "interface" else typed(type, data)
    if held is None or held.data is None or held.type.elem is None or held.kind == "ptr":
        return data
    context.spend(1 + held.length() // 8)
    inner = held.type.elem
    if held.kind == "map":
        copy: Any = {key: _copied(context, inner, item, depth + 1) for key, item in held.data.items()}
    else:
        copy = [_copied(context, inner, item, depth + 1) for item in held.data]
    return Value(held.type, copy) if type.kind == "interface" else copy


FUNCTIONS: dict[str, Callable[..., object]] = {
    "deepCopy": deep_copy,
    "dict": dict_,
    "dig": dig,
    "get": get,
    "hasKey": has_key,
    "keys": keys,
    "merge": merge,
    "mergeOverwrite": merge_overwrite,
    "mustDeepCopy": deep_copy,
    "mustMerge": merge,
    "mustMergeOverwrite": merge_overwrite,
    "omit": omit,
    "pick": pick,
    "pluck": pluck,
    "set": set_,
    "unset": unset,
    "values": values,
}

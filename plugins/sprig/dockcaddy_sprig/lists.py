"""Lists."""

from collections.abc import Callable
from typing import Annotated

from dockcaddy import Context
from dockcaddy.gotemplate import SLICE_OF_ANY, FunctionError, Value, slice_of

from dockcaddy_sprig.go import (
    MOST_ELEMENTS,
    NIL_POINTER,
    Any_,
    List,
    contains,
    elements,
    is_empty,
    kind_of,
    list_of,
    to_int,
)

_LISTS = slice_of(SLICE_OF_ANY)
Lists = Annotated[Value, _LISTS]


def list_(context: Context, *values: Any_) -> List:
    """A list of the values."""
    return list_of(values)


def append(context: Context, items: Any_, value: Any_) -> List:
    """The list and one more value."""
    return list_of([*elements(items, "Cannot push on type"), value])


def prepend(context: Context, items: Any_, value: Any_) -> List:
    """One more value, and the list."""
    return list_of([value, *elements(items, "Cannot prepend on type")])


def first(context: Context, items: Any_) -> Any_:
    """The first element, nil where there is none."""
    found = elements(items, "Cannot find first on type")
    return found[0] if found else None


def last(context: Context, items: Any_) -> Any_:
    """The last element, nil where there is none."""
    found = elements(items, "Cannot find last on type")
    return found[-1] if found else None


def rest(context: Context, items: Any_) -> List:
    """All elements but the first."""
    found = elements(items, "Cannot find rest on type")
    return list_of(found[1:]) if found else Value(SLICE_OF_ANY, None)


def initial(context: Context, items: Any_) -> List:
    """All elements but the last."""
    found = elements(items, "Cannot find initial on type")
    return list_of(found[:-1]) if found else Value(SLICE_OF_ANY, None)


def reverse(context: Context, items: Any_) -> List:
    """The elements from last to first."""
    return list_of(elements(items, "Cannot find reverse on type")[::-1])


def compact(context: Context, items: Any_) -> List:
    """The elements that are not empty."""
    return list_of(each for each in elements(items, "Cannot compact on type") if not is_empty(each))


def uniq(context: Context, items: Any_) -> List:
    """The elements, each once."""
    kept: list[Any_] = []
    for each in elements(items, "Cannot find uniq on type"):
        if not contains(context, kept, each):
            kept.append(each)
    return list_of(kept)


def without(context: Context, items: Any_, *values: Any_) -> List:
    """The elements that are none of the values."""
    found = elements(items, "Cannot find without on type")
    return list_of(each for each in found if not contains(context, values, each))


def has(context: Context, value: Any_, items: Any_) -> bool:
    """Whether the value is in the list."""
    return items is not None and contains(context, elements(items, "Cannot find has on type"), value)


def slice_(context: Context, items: Any_, *places: Any_) -> Any_:
    """The elements from START up to END."""
    found = elements(items, "list should be type of slice or array but")
    assert items is not None
    if not found:
        return None
    start = to_int(places[0]) if places else 0
    end = to_int(places[1]) if len(places) > 1 else len(found)
    if items.kind == "array":
        raise FunctionError("reflect.Value.Slice: slice of unaddressable array")
    if not 0 <= start <= end <= len(found):
        raise FunctionError("reflect.Value.Slice: slice index out of bounds")
    return Value(items.type, list(items.data)[start:end])


def concat(context: Context, *lists: Any_) -> Any_:
    """The elements of all lists."""
    made: list[Any_] = []
    for each in lists:
        if each is None:
            raise FunctionError(NIL_POINTER)
        if each.kind not in ("slice", "array"):
            raise FunctionError(f"Cannot concat type {kind_of(each)} as list")
        made += elements(each, "")
        if len(made) > MOST_ELEMENTS:
            raise FunctionError(f"the result exceeds the limit of {MOST_ELEMENTS} elements")
    return Value(SLICE_OF_ANY, made or None)


def chunk(context: Context, size: int, items: Any_) -> Lists:
    """The elements in lists of SIZE."""
    found = elements(items, "Cannot chunk type")
    # sprig's division rounds down: a negative size beyond the last element makes no list
    if size == 0 or (size < 0 and (len(found) - 1) // size != -1):
        raise FunctionError("runtime error: makeslice: len out of range")
    parts = range(0, len(found), size)
    return Value(_LISTS, [list_of(found[place : place + size]) for place in parts])


FUNCTIONS: dict[str, Callable[..., object]] = {
    "append": append,
    "chunk": chunk,
    "compact": compact,
    "concat": concat,
    "first": first,
    "has": has,
    "initial": initial,
    "last": last,
    "list": list_,
    "mustAppend": append,
    "mustChunk": chunk,
    "mustCompact": compact,
    "mustFirst": first,
    "mustHas": has,
    "mustInitial": initial,
    "mustLast": last,
    "mustPrepend": prepend,
    "mustPush": append,
    "mustRest": rest,
    "mustReverse": reverse,
    "mustSlice": slice_,
    "mustUniq": uniq,
    "mustWithout": without,
    "prepend": prepend,
    "push": append,
    "rest": rest,
    "reverse": reverse,
    "slice": slice_,
    "tuple": list_,
    "uniq": uniq,
    "without": without,
}

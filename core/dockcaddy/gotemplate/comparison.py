"""`eq`, `ne`, `lt`, `le`, `gt` and `ge` (https://pkg.go.dev/text/template#hdr-Functions)."""

from collections.abc import Sequence

from dockcaddy.gotemplate.errors import FunctionError
from dockcaddy.gotemplate.limits import Room
from dockcaddy.gotemplate.printf import sprintf
from dockcaddy.gotemplate.values import (
    BOOL,
    COMPLEX_KINDS,
    FLOAT_KINDS,
    INT_KINDS,
    NILABLE_KINDS,
    UINT_KINDS,
    Type,
    Value,
    go_bytes,
    indirect_interface,
)

Arguments = Sequence[Value | None]


def _boolean(answer: bool) -> Value:
    return Value(BOOL, answer)


def _basic_kind(value: Value | None) -> str:
    if value is None:
        return ""
    kind = value.kind
    if kind in INT_KINDS:
        return "int"
    if kind in UINT_KINDS:
        return "uint"
    if kind in FLOAT_KINDS:
        return "float"
    if kind in COMPLEX_KINDS:
        return "complex"
    return kind if kind in ("bool", "string") else ""


def _incompatible(one: Value, other: Value) -> FunctionError:
    return FunctionError(f"incompatible types for comparison: {one.type} and {other.type}")


def equal(arguments: Arguments, room: Room) -> Value | None:
    """`eq A B...`: whether A equals any of the others."""
    first = indirect_interface(arguments[0])
    if len(arguments) == 1:
        raise FunctionError("missing argument for comparison")
    return _boolean(any(_equal(first, indirect_interface(other), room) for other in arguments[1:]))


def _equal(one: Value | None, other: Value | None, room: Room) -> bool:
    kind, other_kind = _basic_kind(one), _basic_kind(other)
    if kind != other_kind:
        if one is None or other is None:
            return False
        if {kind, other_kind} == {"int", "uint"}:
            return bool(one.data == other.data)
        raise _incompatible(one, other)
    if kind:
        assert one is not None and other is not None
        return bool(one.data == other.data)
    return _equal_composites(one, other, room)


def _equal_composites(one: Value | None, other: Value | None, room: Room) -> bool:
    if one is not None and other is not None and one.kind != other.kind:
        shown = (sprintf("%s", [one], room), sprintf("%v", [other], room))
        raise FunctionError(f"non-comparable types {shown[0]}: {one.type}, {other.type}: {shown[1]}")
    if _nil(one) or _nil(other):
        return _nil(one) == _nil(other)
    assert one is not None and other is not None
    if not _comparable(other.type):
        raise FunctionError(f"non-comparable type {sprintf('%s', [other], room)}: {other.type}")
    return one.type.name == other.type.name and _same_data(one, other)


def _nil(value: Value | None) -> bool:
    return value is None or (value.kind in NILABLE_KINDS and value.data is None)


def _comparable(type: Type) -> bool:
    if type.kind == "struct":
        return all(_comparable(each.type) for each in type.fields.values())
    if type.kind == "array":
        return type.elem is not None and _comparable(type.elem)
    return type.kind not in ("map", "slice", "func")


def _same_data(one: Value, other: Value) -> bool:
    if one.kind == "struct":
        return all(_same_field(one.field(each), other.field(each)) for each in one.type.fields.values())
    if one.kind == "array":
        return all(_same_field(one.index(place), other.index(place)) for place in range(one.length()))
    return one.data is other.data if one.kind == "ptr" else bool(one.data == other.data)


def _same_field(one: Value, other: Value) -> bool:
    first, second = indirect_interface(one), indirect_interface(other)
    if first is None or second is None:
        return first is second
    return first.type.name == second.type.name and _same_data(first, second)


def _less(arguments: Arguments) -> bool:
    one, other = indirect_interface(arguments[0]), indirect_interface(arguments[1])
    kind, other_kind = _basic_kind(one), _basic_kind(other)
    if not kind or not other_kind or one is None or other is None:
        raise FunctionError("invalid type for comparison")
    if kind != other_kind and {kind, other_kind} != {"int", "uint"}:
        raise _incompatible(one, other)
    if kind in ("bool", "complex"):
        raise FunctionError("invalid type for comparison")
    if kind == "string":
        return go_bytes(one.data) < go_bytes(other.data)
    return bool(one.data < other.data)


def not_equal(arguments: Arguments, room: Room) -> Value | None:
    """`ne A B`."""
    return _boolean(not _equal(indirect_interface(arguments[0]), indirect_interface(arguments[1]), room))


def less(arguments: Arguments, room: Room) -> Value | None:
    """`lt A B`."""
    return _boolean(_less(arguments))


def less_or_equal(arguments: Arguments, room: Room) -> Value | None:
    """`le A B`."""
    first, second = indirect_interface(arguments[0]), indirect_interface(arguments[1])
    return _boolean(_less(arguments) or _equal(first, second, room))


def greater(arguments: Arguments, room: Room) -> Value | None:
    """`gt A B`."""
    first, second = indirect_interface(arguments[0]), indirect_interface(arguments[1])
    return _boolean(not (_less(arguments) or _equal(first, second, room)))


def greater_or_equal(arguments: Arguments, room: Room) -> Value | None:
    """`ge A B`."""
    return _boolean(not _less(arguments))

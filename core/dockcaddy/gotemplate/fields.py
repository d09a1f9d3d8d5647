"""`.Name`: a method, a struct's field or a map's element (exec.go, evalField)."""

from dockcaddy.gotemplate.arguments import call_arguments
from dockcaddy.gotemplate.calls import protected
from dockcaddy.gotemplate.nodes import Node
from dockcaddy.gotemplate.state import Argument, Missing, Piped, State
from dockcaddy.gotemplate.values import STRING, Type, Value, assignable, find_method, indirect, typed


def evaluate_field(
    state: State,
    dot: Value | None,
    name: str,
    node: Node,
    rest: list[Argument],
    piped: Piped,
    receiver: Value | None,
) -> Value | None:
    """One `.Name`: a method, a struct's field or a map's element (Go's evalField)."""
    if receiver is None:
        return None
    type = receiver.type
    target, is_nil = indirect(receiver)
    if target is not None and target.kind == "interface" and is_nil:
        raise state.error(f"nil pointer evaluating {type}.{name}")
    if target is None:
        return None
    method = find_method(target, name)
    if method is not None:
        found, data = method
        values = call_arguments(state, dot, name, found.signature, rest, piped)
        return protected(
            state, node, name, values, lambda: typed(found.signature.results[0], found.call(data, *values))
        )
    has_arguments = bool(rest) or not isinstance(piped, Missing)
    if target.kind == "struct":
        struct_field = _struct_field(state, target, name, type, has_arguments)
        if struct_field is not None:
            return struct_field
    elif target.kind == "map":
        assert target.type.key is not None
        if assignable(STRING, target.type.key):
            if has_arguments:
                raise state.error(f"{name} is not a method but has arguments")
            return target.map_index(name)
    elif target.kind == "ptr" and target.type.elem is not None and target.type.elem.kind == "struct":
        if is_nil and target.type.elem.promoted(name) is not None:
            raise state.error(f"nil pointer evaluating {type}.{name}")
    raise state.error(f"can't evaluate field {name} in type {type}")


def _struct_field(state: State, target: Value, name: str, type: Type, has_arguments: bool) -> Value | None:
    found = target.type.promoted(name)
    if found is None:
        return None
    last, way = found
    value: Value | None = target
    for embedded in way:
        assert value is not None
        value = value.field(embedded)
        if value.kind == "ptr":
            if value.data is None:
                raise state.error(
                    f"reflect: indirection through nil pointer to embedded struct field {value.type.elem}"
                )
            value = value.elem()
    if not last.exported:
        raise state.error(f"{name} is an unexported field of struct type {type}")
    if has_arguments:
        raise state.error(f"{name} has arguments but cannot be invoked as function")
    assert value is not None
    return value.field(last)

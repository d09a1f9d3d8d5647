"""What a call is given: each argument as the parameter's type asks for it (exec.go, evalArg)."""

from typing import Any

from dockcaddy.gotemplate import nodes
from dockcaddy.gotemplate.builtins import wrapped
from dockcaddy.gotemplate.nodes import Node
from dockcaddy.gotemplate.state import Argument, Evaluate, Missing, Piped, State
from dockcaddy.gotemplate.values import (
    COMPLEX_KINDS,
    ERROR,
    FLOAT_KINDS,
    INT_KINDS,
    NILABLE_KINDS,
    REFLECTED,
    STRING,
    UINT_KINDS,
    Type,
    Value,
    assignable,
    value_of,
)

UNTYPED = Type("untyped", "untyped")


def validate(state: State, value: Value | None, type: Type) -> Value | None:
    """The value as a parameter of the type takes it (Go's validateType). Raises ExecError where it does not."""
    if type is REFLECTED or type is UNTYPED:
        return value
    if value is None:
        if type.kind in NILABLE_KINDS:
            return Value(type, None)
        raise state.error(f"invalid value; expected {type}")
    if assignable(value.type, type):
        return value
    if value.kind == "interface" and value.data is not None:
        held = value_of(value.data)
        if held is not None and assignable(held.type, type):
            return held
        if held is not None and held.kind == "ptr":
            value = held
        elif held is not None:
            # Go names the held value's type here, since it has looked inside
            raise state.error(f"wrong type for value; expected {type}; got {held.type}")
    if value.kind == "ptr" and value.type.elem is not None and assignable(value.type.elem, type):
        if value.data is None:
            raise state.error(f"dereference of nil pointer of type {type}")
        return value.elem()
    raise state.error(f"wrong type for value; expected {type}; got {value.type}")


def validated(node: Node, evaluate: Evaluate) -> Argument:
    """What is evaluated, held against the parameter's type."""

    def argument(state: State, dot: Value | None, type: Type) -> Value | None:
        state.node = node
        return validate(state, evaluate(state, dot), type)

    return argument


def nil_argument(node: nodes.Nil) -> Argument:
    """`nil` takes the type of a parameter that can be nil."""

    def argument(state: State, dot: Value | None, type: Type) -> Value | None:
        state.node = node
        if type is REFLECTED:
            return None
        if type.kind in NILABLE_KINDS:
            return Value(type, None)
        raise state.error(f"cannot assign nil to {type}")

    return argument


def literal(node: Node, ideal: Evaluate) -> Argument:
    """A constant takes the parameter's type where it can."""

    def argument(state: State, dot: Value | None, type: Type) -> Value | None:
        state.node = node
        if type is REFLECTED or type is UNTYPED or (type.kind == "interface" and not type.interface):
            return ideal(state, dot)
        return Value(type, _converted(state, node, type))

    return argument


def _converted(state: State, node: Node, type: Type) -> Any:
    kind = type.kind
    if kind == "bool":
        if isinstance(node, nodes.Bool):
            return node.value
        raise state.error(f"expected bool; found {node}")
    if kind == "string":
        if isinstance(node, nodes.String):
            return node.text
        raise state.error(f"expected string; found {node}")
    number = node if isinstance(node, nodes.Number) else None
    if kind in INT_KINDS:
        if number is not None and number.integer is not None:
            return wrapped(number.integer, kind)
        raise state.error(f"expected integer; found {node}")
    if kind in UINT_KINDS:
        if number is not None and number.unsigned is not None:
            return wrapped(number.unsigned, kind)
        raise state.error(f"expected unsigned integer; found {node}")
    if kind in FLOAT_KINDS:
        if number is not None and number.floating is not None:
            return number.floating
        raise state.error(f"expected float; found {node}")
    if kind in COMPLEX_KINDS:
        if number is not None and number.imaginary is not None:
            return number.imaginary
        raise state.error(f"expected complex; found {node}")
    raise state.error(f"can't handle {node} for arg of type {type}")


def call_arguments(
    state: State, dot: Value | None, name: str, signature: Type, rest: list[Argument], piped: Piped
) -> list[Value | None]:
    """The argument values of a call, checked against its signature (Go's evalCall)."""
    parameters = signature.parameters
    given = len(rest) + (not isinstance(piped, Missing))
    fixed = len(parameters) - signature.variadic
    if signature.variadic:
        if given < fixed - signature.optional:
            raise state.error(
                f"wrong number of args for {name}: want at least {fixed - signature.optional} got {len(rest)}"
            )
    elif not fixed - signature.optional <= given <= fixed:
        raise state.error(f"wrong number of args for {name}: want {fixed} got {given}")
    _must_be_good(state, name, signature)
    rest_type = parameters[-1].elem if signature.variadic else None

    def type_at(place: int) -> Type:
        if place < fixed:
            return parameters[place]
        assert rest_type is not None
        return rest_type

    values = [argument(state, dot, type_at(place)) for place, argument in enumerate(rest)]
    if not isinstance(piped, Missing):
        values.append(validate(state, piped, type_at(len(rest))))
    return values


def _must_be_good(state: State, name: str, signature: Type) -> None:
    results = signature.results
    if len(results) == 1 or (len(results) == 2 and results[1] is ERROR):
        return
    if len(results) == 2:
        reason = f"invalid function signature for {name}: second return value should be error; is {results[1]}"
        raise state.error(reason)
    raise state.error(f"function {name} has {len(results)} return values; should be 1 or 2")


def reflected_arguments(
    state: State,
    dot: Value | None,
    name: str,
    least: int,
    most: int | None,
    rest: list[Argument],
    piped: Piped,
) -> list[Value | None]:
    """The arguments of a predefined function, as they are."""
    given = len(rest) + (not isinstance(piped, Missing))
    if most is not None and given != most:
        raise state.error(f"wrong number of args for {name}: want {most} got {given}")
    if given < least:
        raise state.error(f"wrong number of args for {name}: want at least {least} got {len(rest)}")
    values = []
    for place, argument in enumerate(rest):
        values.append(argument(state, dot, STRING if name == "printf" and not place else REFLECTED))
    if not isinstance(piped, Missing):
        values.append(validate(state, piped, STRING if name == "printf" and not rest else REFLECTED))
    return values

"""Calls of predefined functions, and of values that are functions (exec.go, evalCall)."""

from collections.abc import Callable, Sequence

from dockcaddy.gotemplate import nodes
from dockcaddy.gotemplate.arguments import reflected_arguments
from dockcaddy.gotemplate.builtins import BUILTINS, prepare
from dockcaddy.gotemplate.errors import ExecError, FunctionError
from dockcaddy.gotemplate.limits import ELEMENTS_PER_STEP
from dockcaddy.gotemplate.nodes import Node
from dockcaddy.gotemplate.state import Argument, Missing, Piped, Run, State
from dockcaddy.gotemplate.values import REFLECTED, Value, indirect_interface, truth, typed


def builtin(name: str, identifier: nodes.Identifier, node: Node, rest: list[Argument]) -> Run:
    """A call of a predefined function; `node` is what an error names."""
    least, most, implementation = BUILTINS[name]

    def run(state: State, dot: Value | None, piped: Piped) -> Value | None:
        state.node = identifier
        values = reflected_arguments(state, dot, name, least, most, rest, piped)
        return protected(state, node, name, values, lambda: implementation(values, state.room))

    return run


def short_circuit(name: str, identifier: nodes.Identifier, rest: list[Argument]) -> Run:
    """`and` and `or`: arguments are evaluated up to the one that decides."""
    stops_at = name == "or"

    def run(state: State, dot: Value | None, piped: Piped) -> Value | None:
        state.node = identifier
        if not rest and isinstance(piped, Missing):
            raise state.error(f"wrong number of args for {name}: want at least 1 got 0")
        value: Value | None = None
        state.step(len(rest) // ELEMENTS_PER_STEP)
        for argument in rest:
            value = argument(state, dot, REFLECTED)
            if truth(value) == stops_at:
                return value
        return value if isinstance(piped, Missing) else piped

    return run


def call_value(identifier: nodes.Identifier, node: Node, rest: list[Argument]) -> Run:
    """`call F ARG...`: a value that is a function."""

    def callee(value: Value | None) -> str:
        return str(node.arguments[1]) if isinstance(node, nodes.Command) and rest else _shown(value)

    def run(state: State, dot: Value | None, piped: Piped) -> Value | None:
        state.node = identifier
        values = reflected_arguments(state, dot, "call", 1, None, rest, piped)
        return protected(state, node, "call", values, lambda: _called(callee, values))

    return run


def protected(
    state: State, node: Node, name: str, arguments: Sequence[Value | None], call: Callable[[], Value | None]
) -> Value | None:
    """A call, counted by its weight. Whatever the function raises becomes an error that names it."""
    state.weigh(arguments)
    try:
        value = call()
    except (ExecError, RecursionError):
        raise
    except Exception as error:
        state.node = node
        raise state.error(f"error calling {name}: {error}") from error
    state.weigh((value,))
    return value


def _shown(value: Value | None) -> str:
    if value is None:
        return "<invalid reflect.Value>"
    return str(value.data) if value.type.kind == "string" else f"<{value.type} Value>"


def _called(callee: Callable[[Value | None], str], values: Sequence[Value | None]) -> Value | None:
    """`call F ARG...` (Go's call); errors say what `callee` makes of F."""
    function = indirect_interface(values[0])
    if function is None:
        raise FunctionError("call of nil")
    signature = function.type
    if function.kind != "func":
        raise FunctionError(f"non-function {callee(values[0])} of type {signature}")
    arguments = values[1:]
    parameters = signature.parameters
    if signature.variadic:
        if len(arguments) < len(parameters) - 1:
            wanted = f"got {len(arguments)} want at least {len(parameters) - 1}"
            raise FunctionError(f"wrong number of args for {callee(values[0])}: {wanted}")
    elif len(arguments) != len(parameters):
        wanted = f"got {len(arguments)} want {len(parameters)}"
        raise FunctionError(f"wrong number of args for {callee(values[0])}: {wanted}")
    prepared = []
    for place, argument in enumerate(arguments):
        type = parameters[min(place, len(parameters) - 1)]
        if signature.variadic and place >= len(parameters) - 1:
            assert type.elem is not None
            type = type.elem
        try:
            prepared.append(prepare(indirect_interface(argument), type))
        except FunctionError as error:
            raise FunctionError(f"arg {place}: {error}") from None
    if function.data is None:
        raise FunctionError("reflect.Value.Call: call of nil function")
    return typed(signature.results[0], function.data(*prepared))

"""Nodes to closures, and running them, as Go's text/template executes (exec.go)."""

from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Any

from attrs import define, field, frozen

from dockcaddy.gotemplate import nodes
from dockcaddy.gotemplate.builtins import BUILTINS, prepare, printable, wrapped
from dockcaddy.gotemplate.errors import ExecError, FunctionError
from dockcaddy.gotemplate.formatting import sprint
from dockcaddy.gotemplate.functions import Function
from dockcaddy.gotemplate.nodes import Node
from dockcaddy.gotemplate.quoting import quote
from dockcaddy.gotemplate.values import (
    BOOL,
    COMPLEX128,
    COMPLEX_KINDS,
    ERROR,
    FLOAT64,
    FLOAT_KINDS,
    INT,
    INT_KINDS,
    NILABLE_KINDS,
    REFLECTED,
    STRING,
    UINT_KINDS,
    Type,
    Value,
    assignable,
    find_method,
    go_bytes,
    indirect,
    indirect_interface,
    truth,
    typed,
    value_of,
)

# reading or making so many characters, or looking at so many elements, takes about as long as one step
CHARACTERS_PER_STEP = 32
ELEMENTS_PER_STEP = 8


@frozen
class Limits:
    """What executions may use: characters of output and of any text on the way, steps, nested templates."""

    output: int = 1024 * 1024
    steps: int = 50_000
    depth: int = 2_000


DEFAULT = Limits()


@define
class Usage:
    """What executions have used of the limits that they share."""

    steps: int = 0
    output: int = 0


class _Missing:
    """No value comes through the pipeline."""


MISSING = _Missing()
BREAK, CONTINUE = "break", "continue"

Piped = Value | None | _Missing
Step = Callable[["State", Value | None], str | None]
Evaluate = Callable[["State", Value | None], Value | None]
Run = Callable[["State", Value | None, Piped], Value | None]
Argument = Callable[["State", Value | None, Type], Value | None]


@define(eq=False)
class State:
    """One execution."""

    text: str
    templates: Mapping[str, Step]
    context: object
    limits: Limits
    usage: Usage
    name: str = ""
    node: Node | None = None
    variables: list[tuple[str, Value | None]] = field(factory=list)
    output: list[str] = field(factory=list)
    depth: int = 0

    def error(self, reason: str) -> ExecError:
        """An error at the node that was entered last, located as Go does."""
        if self.node is None:
            return ExecError(f"template: : {reason}", reason)
        before = self.text[: self.node.position]
        line = before.count("\n") + 1
        column = len(go_bytes(before[before.rfind("\n") + 1 :]))
        where = f"template: :{line}:{column}: executing {quote(self.name)} at <{self.node}>"
        return ExecError(f"{where}: {reason}", reason)

    def step(self, count: int = 1) -> None:
        """Count one step, or what takes as long as several."""
        self.usage.steps += count
        if self.usage.steps > self.limits.steps:
            raise self.error(f"the template exceeds the limit of {self.limits.steps} steps")

    def weigh(self, values: Sequence[Value | None]) -> None:
        """Count what handling these values takes: long texts and lists take longer than a step."""
        weight = 0
        for value in values:
            data = None if value is None else value.data
            if isinstance(data, str):
                weight += len(data) // CHARACTERS_PER_STEP
            elif isinstance(data, Sized):
                weight += len(data) // ELEMENTS_PER_STEP
        self.step(weight + len(values) // ELEMENTS_PER_STEP)

    def write(self, text: str) -> None:
        """Append to the output."""
        self.usage.output += len(text)
        if self.usage.output > self.limits.output:
            raise self.error(f"the output exceeds the limit of {self.limits.output} characters")
        self.output.append(text)

    def look_up(self, name: str) -> Value | None:
        """A variable's value."""
        for distance, (known, value) in enumerate(reversed(self.variables)):
            if known == name:
                self.step(distance // ELEMENTS_PER_STEP)
                return value
        raise self.error(f"undefined variable: {name}")

    def assign(self, name: str, value: Value | None) -> None:
        """Set the innermost variable of the name."""
        for place in range(len(self.variables) - 1, -1, -1):
            if self.variables[place][0] == name:
                self.variables[place] = (name, value)
                return
        raise self.error(f"undefined variable: {name}")


def compile_templates(roots: Mapping[str, nodes.ListNode], functions: Mapping[str, Function]) -> dict[str, Step]:
    """A step for each template, by name."""
    compiler = _Compiler(functions)
    return {name: compiler.steps(root) for name, root in roots.items()}


@define
class _Compiler:
    functions: Mapping[str, Function]

    # --- what is walked

    def steps(self, root: nodes.ListNode) -> Step:
        compiled = [self.step(node) for node in root.nodes]

        def walk(state: State, dot: Value | None) -> str | None:
            for step in compiled:
                signal = step(state, dot)
                if signal is not None:
                    return signal
            return None

        return walk

    def step(self, node: Node) -> Step:
        match node:
            case nodes.Text():
                return _write_text(node)
            case nodes.Action():
                return self._action(node)
            case nodes.Branch(word="range"):
                return self._range(node)
            case nodes.Branch():
                return self._if_or_with(node)
            case nodes.TemplateCall():
                return self._template(node)
            case nodes.Break():
                return lambda state, dot: BREAK
            case nodes.Continue():
                return lambda state, dot: CONTINUE
        raise AssertionError(node)

    def _action(self, node: nodes.Action) -> Step:
        evaluate = self.pipe(node.pipe)
        silent = bool(node.pipe.variables)

        def act(state: State, dot: Value | None) -> str | None:
            state.node = node
            value = evaluate(state, dot)
            if not silent:
                state.node = node
                _print(state, node, value)
            return None

        return act

    def _if_or_with(self, node: nodes.Branch) -> Step:
        evaluate, body = self.pipe(node.pipe), self.steps(node.body)
        otherwise = self.steps(node.otherwise) if node.otherwise is not None else None
        is_with = node.word == "with"

        def branch(state: State, dot: Value | None) -> str | None:
            state.node = node
            mark = len(state.variables)
            value = evaluate(state, dot)
            signal = None
            if truth(value):
                signal = body(state, value if is_with else dot)
            elif otherwise is not None:
                signal = otherwise(state, dot)
            del state.variables[mark:]
            return signal

        return branch

    def _template(self, node: nodes.TemplateCall) -> Step:
        evaluate = self.pipe(node.pipe) if node.pipe is not None else None

        def call(state: State, dot: Value | None) -> str | None:
            state.node = node
            template = state.templates.get(node.name)
            if template is None:
                raise state.error(f"template {quote(node.name)} not defined")
            if state.depth >= state.limits.depth:
                raise state.error(f"exceeded maximum template depth ({state.limits.depth})")
            state.step()
            argument = evaluate(state, dot) if evaluate is not None else None
            kept = state.variables, state.name
            state.variables, state.name = [("$", argument)], node.name
            state.depth += 1
            template(state, argument)
            state.depth -= 1
            state.variables, state.name = kept
            return None

        return call

    def _range(self, node: nodes.Branch) -> Step:
        evaluate, body = self.pipe(node.pipe), self.steps(node.body)
        otherwise = self.steps(node.otherwise) if node.otherwise is not None else None
        declared, assigns = [each.names[0] for each in node.pipe.variables], node.pipe.assigns

        def bind(state: State, key: Value | None, item: Value | None) -> None:
            if assigns:
                state.assign(declared[0], key if len(declared) > 1 else item)
                if len(declared) > 1:
                    state.assign(declared[1], item)
            else:
                state.variables[-1] = (state.variables[-1][0], item)
                if len(declared) > 1:
                    state.variables[-2] = (state.variables[-2][0], key)

        def loop(state: State, dot: Value | None) -> str | None:
            state.node = node
            start = len(state.variables)
            value, _ = indirect(evaluate(state, dot))
            mark = len(state.variables)
            ran = False
            for key, item in _iterated(state, value, len(declared)):
                ran = True
                state.step()
                if declared:
                    bind(state, key, item)
                signal = body(state, item)
                del state.variables[mark:]
                if signal == BREAK:
                    break
            if not ran and otherwise is not None:
                signal = otherwise(state, dot)
                del state.variables[start:]
                # a break there ends this very range, as Go recovers it
                return None if signal == BREAK else signal
            del state.variables[start:]
            return None

        return loop

    # --- what is evaluated

    def pipe(self, node: nodes.Pipe) -> Evaluate:
        commands = [self.command(command) for command in node.commands]
        declared, assigns = [each.names[0] for each in node.variables], node.assigns

        def evaluate(state: State, dot: Value | None) -> Value | None:
            state.node = node
            state.step()
            value: Piped = MISSING
            for command in commands:
                value = command(state, dot, value)
                if value is not None and value.type.kind == "interface" and not value.type.interface:
                    value = value_of(value.data)
            assert not isinstance(value, _Missing)
            for name in declared:
                if assigns:
                    state.assign(name, value)
                else:
                    state.variables.append((name, value))
            return value

        return evaluate

    def command(self, node: nodes.Command) -> Run:
        first = node.arguments[0]
        rest = [self.argument(each) for each in node.arguments[1:]]
        match first:
            case nodes.Identifier():
                return self._call(first, node, rest)
            case nodes.FieldNode() | nodes.Chain() | nodes.Variable():
                return self._chain(first, rest)
            case nodes.Pipe():
                inner = self.pipe(first)
                return _not_called(first, rest, inner, enters=False)
            case nodes.Nil():
                return _not_called(first, rest, _nil_command)
        return _not_called(first, rest, self.constant(first))

    def constant(self, node: Node) -> Evaluate:
        """A literal or the dot, as it is where no type is asked for."""
        match node:
            case nodes.Dot():
                return lambda state, dot: dot
            case nodes.Bool():
                truth_value = Value(BOOL, node.value)
                return lambda state, dot: truth_value
            case nodes.String():
                text = Value(STRING, node.text)
                return lambda state, dot: text
            case nodes.Number():
                return _ideal(node)
        raise AssertionError(node)

    def _chain(self, node: Node, rest: list[Argument]) -> Run:
        """Fields one after the other, the last one perhaps a method with arguments."""
        receiver, names = self._receiver(node)

        def run(state: State, dot: Value | None, piped: Piped) -> Value | None:
            state.node = node
            value = receiver(state, dot)
            if not names:
                _must_not_be_called(state, node, rest, piped)
                return value
            for name in names[:-1]:
                value = _field(state, dot, name, node, [], MISSING, value)
            return _field(state, dot, names[-1], node, rest, piped, value)

        return run

    def _receiver(self, node: Node) -> tuple[Evaluate, list[str]]:
        if isinstance(node, nodes.FieldNode):
            return (lambda state, dot: dot), node.names
        if isinstance(node, nodes.Variable):
            variable = node.names[0]
            return (lambda state, dot: state.look_up(variable)), node.names[1:]
        assert isinstance(node, nodes.Chain)
        if isinstance(node.node, nodes.Nil):
            raise AssertionError("the parser refuses a field of nil")
        inner = self.argument(node.node)
        return (lambda state, dot: inner(state, dot, _UNTYPED)), node.names

    def _call(self, identifier: nodes.Identifier, node: Node, rest: list[Argument]) -> Run:
        name = identifier.name
        function = self.functions.get(name)
        if function is not None:
            signature = function.signature

            def run(state: State, dot: Value | None, piped: Piped) -> Value | None:
                state.node = identifier
                arguments = _arguments(state, dot, name, signature, rest, piped)
                return _protected(state, node, name, arguments, lambda: function.call(state.context, arguments))

            return run
        if name in ("and", "or"):
            return _short_circuit(name, identifier, rest)
        if name == "call":
            return self._call_value(identifier, node, rest)
        return _builtin(name, identifier, node, rest)

    def _call_value(self, identifier: nodes.Identifier, node: Node, rest: list[Argument]) -> Run:
        callee = str(node.arguments[1]) if isinstance(node, nodes.Command) and rest else ""

        def run(state: State, dot: Value | None, piped: Piped) -> Value | None:
            state.node = identifier
            values = _reflected(state, dot, "call", 1, None, rest, piped)
            return _protected(state, node, "call", values, lambda: _called(callee or _shown(values[0]), values))

        return run

    def argument(self, node: Node) -> Argument:
        """An operand in the place of a parameter."""
        match node:
            case nodes.Dot():
                evaluate: Evaluate = lambda state, dot: dot  # noqa: E731
                return _validated(node, evaluate)
            case nodes.FieldNode() | nodes.Variable() | nodes.Chain():
                run = self._chain(node, [])
                return _validated(node, lambda state, dot: run(state, dot, MISSING))
            case nodes.Pipe():
                return _validated(node, self.pipe(node))
            case nodes.Identifier():
                call = self._call(node, node, [])
                return _validated(node, lambda state, dot: call(state, dot, MISSING))
            case nodes.Nil():
                return _nil_argument(node)
        return _literal(node, self.constant(node))


_UNTYPED = Type("untyped", "untyped")


def _write_text(node: nodes.Text) -> Step:
    def write(state: State, dot: Value | None) -> str | None:
        state.node = node
        state.write(node.text)
        return None

    return write


def _print(state: State, node: Node, value: Value | None) -> None:
    if value is not None and value.type is STRING:
        state.write(value.data)
        return
    shown = printable(value)
    if shown is None:
        assert value is not None
        raise state.error(f"can't print {node} of type {value.type}")
    try:
        state.write(sprint([shown], state.limits.output))
    except FunctionError as error:
        raise state.error(str(error)) from None


def _iterated(state: State, value: Value | None, declared: int) -> Any:
    if value is None:
        return ()
    kind = value.type.kind
    if kind in ("slice", "array"):
        return ((Value(INT, place), value.index(place)) for place in range(value.length()))
    if kind in INT_KINDS or kind in UINT_KINDS:
        if declared > 1:
            raise state.error(f"can't use {value.data} to iterate over more than one variable")
        return ((None, Value(value.type, place)) for place in range(value.data))
    if kind == "map":
        # they are sorted first
        state.weigh((value,))
        return value.map_items() if value.data else ()
    raise state.error(f"range can't iterate over {sprint([value], state.limits.output)}")


def _ideal(node: nodes.Number) -> Evaluate:
    """A number where nothing says which type it has."""
    text = node.text
    hexadecimal = len(text) > 2 and text[0] == "0" and text[1] in "xX" and not any(each in text for each in "pP")
    constant: Value | None = None
    if node.imaginary is not None:
        constant = Value(COMPLEX128, node.imaginary)
    elif (
        node.floating is not None
        and not hexadecimal
        and not text.startswith("'")
        and any(each in text for each in ".eEpP")
    ):
        constant = Value(FLOAT64, node.floating)
    elif node.integer is not None:
        constant = Value(INT, node.integer)

    def evaluate(state: State, dot: Value | None) -> Value | None:
        if constant is None:
            state.node = node
            raise state.error(f"{text} overflows int")
        return constant

    return evaluate


def _nil_command(state: State, dot: Value | None) -> Value | None:
    raise state.error("nil is not a command")


def _not_called(node: Node, rest: list[Argument], evaluate: Evaluate, *, enters: bool = True) -> Run:
    def run(state: State, dot: Value | None, piped: Piped) -> Value | None:
        if enters:
            state.node = node
        _must_not_be_called(state, node, rest, piped)
        return evaluate(state, dot)

    return run


def _must_not_be_called(state: State, node: Node, rest: list[Argument], piped: Piped) -> None:
    if rest or not isinstance(piped, _Missing):
        raise state.error(f"can't give argument to non-function {node}")


# --- arguments


def _validate(state: State, value: Value | None, type: Type) -> Value | None:
    """Go's validateType."""
    if type is REFLECTED or type is _UNTYPED:
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
            raise state.error(
                f"wrong type for value; expected {type}; got {value.type if not held else _told(value, held)}"
            )
    if value.kind == "ptr" and value.type.elem is not None and assignable(value.type.elem, type):
        if value.data is None:
            raise state.error(f"dereference of nil pointer of type {type}")
        return value.elem()
    raise state.error(f"wrong type for value; expected {type}; got {value.type}")


def _told(value: Value, held: Value) -> Type:
    """Go names the held value's type here, since it has looked inside."""
    return held.type


def _validated(node: Node, evaluate: Evaluate) -> Argument:
    def argument(state: State, dot: Value | None, type: Type) -> Value | None:
        state.node = node
        return _validate(state, evaluate(state, dot), type)

    return argument


def _nil_argument(node: nodes.Nil) -> Argument:
    def argument(state: State, dot: Value | None, type: Type) -> Value | None:
        state.node = node
        if type is REFLECTED:
            return None
        if type.kind in NILABLE_KINDS:
            return Value(type, None)
        raise state.error(f"cannot assign nil to {type}")

    return argument


def _literal(node: Node, ideal: Evaluate) -> Argument:
    """A constant takes the parameter's type where it can."""

    def argument(state: State, dot: Value | None, type: Type) -> Value | None:
        state.node = node
        if type is REFLECTED or type is _UNTYPED or (type.kind == "interface" and not type.interface):
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


def _arguments(
    state: State, dot: Value | None, name: str, signature: Type, rest: list[Argument], piped: Piped
) -> list[Value | None]:
    """The argument values of a call, checked against its signature (Go's evalCall)."""
    parameters = signature.parameters
    given = len(rest) + (not isinstance(piped, _Missing))
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
    if not isinstance(piped, _Missing):
        values.append(_validate(state, piped, type_at(len(rest))))
    return values


def _must_be_good(state: State, name: str, signature: Type) -> None:
    results = signature.results
    if len(results) == 1 or (len(results) == 2 and results[1] is ERROR):
        return
    if len(results) == 2:
        reason = f"invalid function signature for {name}: second return value should be error; is {results[1]}"
        raise state.error(reason)
    raise state.error(f"function {name} has {len(results)} return values; should be 1 or 2")


def _reflected(
    state: State,
    dot: Value | None,
    name: str,
    least: int,
    most: int | None,
    rest: list[Argument],
    piped: Piped,
) -> list[Value | None]:
    """The arguments of a predefined function, as they are."""
    given = len(rest) + (not isinstance(piped, _Missing))
    if most is not None and given != most:
        raise state.error(f"wrong number of args for {name}: want {most} got {given}")
    if given < least:
        raise state.error(f"wrong number of args for {name}: want at least {least} got {len(rest)}")
    values = []
    for place, argument in enumerate(rest):
        values.append(argument(state, dot, STRING if name == "printf" and not place else REFLECTED))
    if not isinstance(piped, _Missing):
        values.append(_validate(state, piped, STRING if name == "printf" and not rest else REFLECTED))
    return values


# --- calls


def _builtin(name: str, identifier: nodes.Identifier, node: Node, rest: list[Argument]) -> Run:
    least, most, implementation = BUILTINS[name]

    def run(state: State, dot: Value | None, piped: Piped) -> Value | None:
        state.node = identifier
        values = _reflected(state, dot, name, least, most, rest, piped)
        return _protected(state, node, name, values, lambda: implementation(values, state.limits.output))

    return run


def _short_circuit(name: str, identifier: nodes.Identifier, rest: list[Argument]) -> Run:
    stops_at = name == "or"

    def run(state: State, dot: Value | None, piped: Piped) -> Value | None:
        state.node = identifier
        if not rest and isinstance(piped, _Missing):
            raise state.error(f"wrong number of args for {name}: want at least 1 got 0")
        value: Value | None = None
        state.step(len(rest) // ELEMENTS_PER_STEP)
        for argument in rest:
            value = argument(state, dot, REFLECTED)
            if truth(value) == stops_at:
                return value
        return value if isinstance(piped, _Missing) else piped

    return run


def _protected(
    state: State, node: Node, name: str, arguments: Sequence[Value | None], call: Callable[[], Value | None]
) -> Value | None:
    """A call, counted by its weight. Whatever the function raises becomes an error that names it."""
    state.weigh(arguments)
    try:
        value = call()
    except ExecError:
        raise
    except RecursionError:
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


def _called(callee: str, values: Sequence[Value | None]) -> Value | None:
    """`call F ARG...` (Go's call)."""
    function = indirect_interface(values[0])
    if function is None:
        raise FunctionError("call of nil")
    signature = function.type
    if function.kind != "func":
        raise FunctionError(f"non-function {callee} of type {signature}")
    arguments = values[1:]
    parameters = signature.parameters
    if signature.variadic:
        if len(arguments) < len(parameters) - 1:
            raise FunctionError(
                f"wrong number of args for {callee}: got {len(arguments)} want at least {len(parameters) - 1}"
            )
    elif len(arguments) != len(parameters):
        raise FunctionError(f"wrong number of args for {callee}: got {len(arguments)} want {len(parameters)}")
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


def _field(
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
    if type.kind == "interface" and target.kind != "ptr":
        target.addressable = target.addressable
    method = _method(receiver, target, name)
    if method is not None:
        found, data = method
        values = _arguments(state, dot, name, found.signature, rest, piped)
        return _protected(
            state, node, name, values, lambda: typed(found.signature.results[0], found.call(data, *values))
        )
    has_arguments = bool(rest) or not isinstance(piped, _Missing)
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


def _method(receiver: Value, target: Value, name: str) -> tuple[Any, Any] | None:
    """A method of the value or of the pointer it was reached through."""
    if target.kind == "ptr":
        return find_method(target, name)
    return find_method(target, name)


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

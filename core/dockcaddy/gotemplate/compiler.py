"""Nodes to closures that run as Go's text/template executes them (exec.go)."""

from collections.abc import Mapping
from typing import Any

from attrs import define

from dockcaddy.gotemplate import nodes
from dockcaddy.gotemplate.arguments import (
    UNTYPED,
    call_arguments,
    literal,
    nil_argument,
    validated,
)
from dockcaddy.gotemplate.builtins import printable
from dockcaddy.gotemplate.calls import builtin, call_value, protected, short_circuit
from dockcaddy.gotemplate.errors import FunctionError
from dockcaddy.gotemplate.fields import evaluate_field
from dockcaddy.gotemplate.formatting import sprint
from dockcaddy.gotemplate.functions import FunctionTable
from dockcaddy.gotemplate.nodes import Node
from dockcaddy.gotemplate.quoting import quote
from dockcaddy.gotemplate.state import BREAK, CONTINUE, MISSING, Argument, Evaluate, Missing, Piped, Run, State, Step
from dockcaddy.gotemplate.values import (
    BOOL,
    COMPLEX128,
    FLOAT64,
    INT,
    INT_KINDS,
    STRING,
    UINT_KINDS,
    Value,
    indirect,
    truth,
    value_of,
)


def compile_templates(roots: Mapping[str, nodes.ListNode], functions: FunctionTable) -> dict[str, Step]:
    """A step for each template, by name."""
    compiler = _Compiler(functions)
    return {name: compiler.steps(root) for name, root in roots.items()}


@define
class _Compiler:
    functions: FunctionTable

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
            assert not isinstance(value, Missing)
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
        steps = max(len(names) - 1, 0)

        def run(state: State, dot: Value | None, piped: Piped) -> Value | None:
            state.node = node
            state.step(steps)
            value = receiver(state, dot)
            if not names:
                _must_not_be_called(state, node, rest, piped)
                return value
            for name in names[:-1]:
                value = evaluate_field(state, dot, name, node, [], MISSING, value)
            return evaluate_field(state, dot, names[-1], node, rest, piped, value)

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
        return (lambda state, dot: inner(state, dot, UNTYPED)), node.names

    def _call(self, identifier: nodes.Identifier, node: Node, rest: list[Argument]) -> Run:
        name = identifier.name
        function = self.functions.get(name)
        if function is not None:
            signature = function.signature

            def run(state: State, dot: Value | None, piped: Piped) -> Value | None:
                state.node = identifier
                arguments = call_arguments(state, dot, name, signature, rest, piped)
                return protected(state, node, name, arguments, lambda: function.call(state.context, arguments))

            return run
        if name in ("and", "or"):
            return short_circuit(name, identifier, rest)
        if name == "call":
            return call_value(identifier, node, rest)
        return builtin(name, identifier, node, rest)

    def argument(self, node: Node) -> Argument:
        """An operand in the place of a parameter."""
        match node:
            case nodes.Dot():
                evaluate: Evaluate = lambda state, dot: dot  # noqa: E731
                return validated(node, evaluate)
            case nodes.FieldNode() | nodes.Variable() | nodes.Chain():
                run = self._chain(node, [])
                return validated(node, lambda state, dot: run(state, dot, MISSING))
            case nodes.Pipe():
                return validated(node, self.pipe(node))
            case nodes.Identifier():
                call = self._call(node, node, [])
                return validated(node, lambda state, dot: call(state, dot, MISSING))
            case nodes.Nil():
                return nil_argument(node)
        return literal(node, self.constant(node))


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
        state.write(sprint([shown], state.room))
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
            shown = sprint([value], state.room)
            raise state.error(f"can't use {shown} to iterate over more than one variable")
        if value.data > state.limits.steps:
            # of hundreds that come together none is begun only to be given up
            state.step(value.data)
        return ((None, Value(value.type, place)) for place in range(value.data))
    if kind == "map":
        # they are sorted first
        state.weigh((value,))
        return value.map_items() if value.data else ()
    raise state.error(f"range can't iterate over {sprint([value], state.room)}")


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
    if rest or not isinstance(piped, Missing):
        raise state.error(f"can't give argument to non-function {node}")

"""Templates ready to run."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from attrs import frozen

from dockcaddy.gotemplate import nodes
from dockcaddy.gotemplate.builtins import BUILTINS
from dockcaddy.gotemplate.compiler import compile_templates
from dockcaddy.gotemplate.errors import ExecError, ParseError
from dockcaddy.gotemplate.functions import FunctionTable
from dockcaddy.gotemplate.limits import DEFAULT, FRAMES, MAX_TEMPLATE_TEXT, Limits
from dockcaddy.gotemplate.parse import parse
from dockcaddy.gotemplate.state import State, Step, Usage
from dockcaddy.gotemplate.values import value_of


@frozen(eq=False)
class Template:
    """A parsed template. `has_control_flow` tells whether `if`, `with` or `range` stands in it outside definitions."""

    text: str
    steps: Mapping[str, Step]
    has_control_flow: bool

    def execute(
        self, data: object, context: object = None, limits: Limits = DEFAULT, usage: Usage | None = None
    ) -> str:
        """The text that the template makes of `data`; `context` goes to every function. Raises ExecError.

        `usage` is what executions that share the limits have used before, and is counted up.
        """
        usage = usage or Usage()
        before = usage.output
        try:
            return self._executed(data, context, limits, usage)
        except RecursionError:
            usage.output = before
        try:
            with _room_for_depth():
                return self._executed(data, context, limits, usage)
        except RecursionError:
            raise ExecError("template: : the template is nested too deep", "the template is nested too deep") from None

    def _executed(self, data: object, context: object, limits: Limits, usage: Usage) -> str:
        state = State(self.text, self.steps, context, limits, usage)
        root = value_of(data)
        state.variables.append(("$", root))
        self.steps[""](state, root)
        return "".join(state.output)


def compile(text: str, functions: FunctionTable) -> Template:
    """Parse the text and bind its function names. Raises ParseError."""
    if len(text) > MAX_TEMPLATE_TEXT:
        raise ParseError(1, f"the template exceeds the limit of {MAX_TEMPLATE_TEXT} characters")
    known = functions.functions.keys() | BUILTINS.keys()
    try:
        return _compiled(text, known, functions)
    except RecursionError:
        try:
            with _room_for_depth():
                return _compiled(text, known, functions)
        except RecursionError:
            raise ParseError(1, "max expression depth exceeded") from None


def _compiled(text: str, known: set[str], functions: FunctionTable) -> Template:
    roots = parse(text, known)
    control = any(isinstance(node, nodes.Branch) for node in roots[""].nodes)
    return Template(text, compile_templates(roots, functions), control)


@contextmanager
def _room_for_depth() -> Iterator[None]:
    """A higher recursion limit for one deep template. Frames of Python functions take no C stack (Python 3.11)."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)

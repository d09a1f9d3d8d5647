"""One execution: what it has used of its limits, its variables, its output, and where an error is."""

from collections.abc import Callable, Mapping, Sequence, Sized

from attrs import define, field

from dockcaddy.gotemplate.errors import ExecError
from dockcaddy.gotemplate.limits import CHARACTERS_PER_STEP, ELEMENTS_PER_STEP, Limits, Room
from dockcaddy.gotemplate.nodes import Node
from dockcaddy.gotemplate.quoting import quote
from dockcaddy.gotemplate.values import Type, Value, go_bytes


@define
class Usage:
    """What executions have used of the limits that they share."""

    steps: int = 0
    output: int = 0


class Missing:
    """No value comes through the pipeline."""


MISSING = Missing()
BREAK, CONTINUE = "break", "continue"

Piped = Value | None | Missing
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

    @property
    def room(self) -> Room:
        """What making one text may take."""
        # not kept: it refers to this state, which would then stay until Python looks for cycles
        return Room(self.limits.output, self.step)

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
            data: object = value
            while isinstance(data, Value):
                # an interface holds another value
                data = data.data
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

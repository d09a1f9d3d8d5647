"""The parsed template. `str(node)` is Go's canonical form, which its error texts quote."""

from attrs import define, field

from dockcaddy.gotemplate.quoting import quote


@define(eq=False)
class Node:
    """Anything parsed; `position` counts characters from the start of the text."""

    position: int


@define(eq=False)
class Text(Node):
    text: str

    def __str__(self) -> str:
        return self.text


@define(eq=False)
class Dot(Node):
    def __str__(self) -> str:
        return "."


@define(eq=False)
class Nil(Node):
    def __str__(self) -> str:
        return "nil"


@define(eq=False)
class Bool(Node):
    value: bool

    def __str__(self) -> str:
        return "true" if self.value else "false"


@define(eq=False)
class String(Node):
    quoted: str
    text: str

    def __str__(self) -> str:
        return self.quoted


@define(eq=False)
class Number(Node):
    """A number constant: which kinds it can be, and its value as each of them."""

    text: str
    integer: int | None = None
    unsigned: int | None = None
    floating: float | None = None
    imaginary: complex | None = None

    def __str__(self) -> str:
        return self.text


@define(eq=False)
class FieldNode(Node):
    names: list[str]

    def __str__(self) -> str:
        return "".join("." + name for name in self.names)


@define(eq=False)
class Variable(Node):
    names: list[str]

    def __str__(self) -> str:
        return ".".join(self.names)


@define(eq=False)
class Identifier(Node):
    name: str

    def __str__(self) -> str:
        return self.name


@define(eq=False)
class Chain(Node):
    node: Node
    names: list[str] = field(factory=list)

    def __str__(self) -> str:
        inner = f"({self.node})" if isinstance(self.node, Pipe) else str(self.node)
        return inner + "".join("." + name for name in self.names)


@define(eq=False)
class Command(Node):
    arguments: list[Node] = field(factory=list)

    def __str__(self) -> str:
        return " ".join(f"({each})" if isinstance(each, Pipe) else str(each) for each in self.arguments)


@define(eq=False)
class Pipe(Node):
    assigns: bool = False
    variables: list[Variable] = field(factory=list)
    commands: list[Command] = field(factory=list)

    def __str__(self) -> str:
        head = ", ".join(map(str, self.variables))
        sign = " = " if self.assigns else " := "
        return (head + sign if head else "") + " | ".join(map(str, self.commands))


@define(eq=False)
class Action(Node):
    pipe: Pipe

    def __str__(self) -> str:
        return "{{" + str(self.pipe) + "}}"


@define(eq=False)
class ListNode(Node):
    nodes: list[Node] = field(factory=list)

    def __str__(self) -> str:
        return "".join(map(str, self.nodes))


@define(eq=False)
class Branch(Node):
    """`if`, `with` or `range` (in `word`)."""

    word: str
    pipe: Pipe
    body: ListNode
    otherwise: ListNode | None = None

    def __str__(self) -> str:
        otherwise = "{{else}}" + str(self.otherwise) if self.otherwise is not None else ""
        return "{{" + f"{self.word} {self.pipe}" + "}}" + str(self.body) + otherwise + "{{end}}"


@define(eq=False)
class Break(Node):
    def __str__(self) -> str:
        return "{{break}}"


@define(eq=False)
class Continue(Node):
    def __str__(self) -> str:
        return "{{continue}}"


@define(eq=False)
class TemplateCall(Node):
    name: str
    pipe: Pipe | None = None

    def __str__(self) -> str:
        argument = f" {self.pipe}" if self.pipe is not None else ""
        return "{{template " + quote(self.name) + argument + "}}"


@define(eq=False)
class End(Node):
    def __str__(self) -> str:
        return "{{end}}"


@define(eq=False)
class Else(Node):
    def __str__(self) -> str:
        return "{{else}}"

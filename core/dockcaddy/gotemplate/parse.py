"""Items to nodes, as Go's text/template/parse does it, with its error texts."""

from collections.abc import Collection
from difflib import get_close_matches

from attrs import define, field

from dockcaddy.gotemplate.errors import ParseError
from dockcaddy.gotemplate.lex import Item, Lexer
from dockcaddy.gotemplate.limits import MAX_NESTING, MAX_VARIABLES
from dockcaddy.gotemplate.nodes import (
    Action,
    Bool,
    Branch,
    Break,
    Chain,
    Command,
    Continue,
    Dot,
    Else,
    End,
    FieldNode,
    Identifier,
    ListNode,
    Nil,
    Node,
    Number,
    Pipe,
    String,
    TemplateCall,
    Text,
    Variable,
)
from dockcaddy.gotemplate.numbers import parse_number
from dockcaddy.gotemplate.quoting import quote, unquote
from dockcaddy.gotemplate.tokens import Tokens

_OPERANDS = frozenset(
    [
        "bool",
        "char constant",
        "complex",
        "dot",
        "field",
        "identifier",
        "number",
        "nil",
        "raw string",
        "string",
        "variable",
        "left paren",
    ]
)


def parse(text: str, functions: Collection[str]) -> dict[str, ListNode]:
    """The templates that the text defines by name; its own is `""`. Raises ParseError."""
    templates: dict[str, ListNode] = {}
    lexer = Lexer(text, "break" not in functions, "continue" not in functions)
    _Parser(Tokens(lexer), functions, templates).parse_all()
    return templates


@define(eq=False)
class _Parser:
    """One tree being parsed; a definition inside is another parser on the same lexer."""

    tokens: Tokens
    functions: Collection[str]
    templates: dict[str, ListNode]
    variables: list[str] = field(factory=lambda: ["$"])
    range_depth: int = 0
    depth: int = 0
    action_line: int = 0

    # --- complaints

    def _error(self, reason: str, suggestion: str = "") -> ParseError:
        return ParseError(self.tokens.line, reason, suggestion)

    def _unexpected(self, token: Item, context: str) -> ParseError:
        if token.kind == "error":
            extra = ""
            if self.action_line and self.action_line != token.line:
                extra = f" in action started at :{self.action_line}"
                if token.value.endswith(" action"):
                    extra = extra.removeprefix(" in action")
            return self._error(f"{token}{extra}")
        return self._error(f"unexpected {token} in {context}")

    def _expect(self, context: str, *kinds: str) -> Item:
        token = self.tokens.next_non_space()
        if token.kind not in kinds:
            raise self._unexpected(token, context)
        return token

    # --- templates

    def parse_all(self) -> None:
        """The whole text, with the definitions in it."""
        root = ListNode(self.tokens.peek().position)
        while self.tokens.peek().kind != "eof":
            if self.tokens.peek().kind == "left":
                left = self.tokens.next()
                if self.tokens.next_non_space().kind == "define":
                    _Parser(Tokens(self.tokens.lexer), self.functions, self.templates).parse_definition()
                    continue
                self.tokens.backup(left)
            node = self._text_or_action()
            if isinstance(node, End | Else):
                raise self._error(f"unexpected {node}")
            root.nodes.append(node)
        self._add("", root)

    def parse_definition(self) -> None:
        """`{{define "name"}} ... {{end}}`, from the name on."""
        context = "define clause"
        name = self._unquoted(self._expect(context, "string", "raw string"))
        self._expect(context, "right")
        root, end = self._item_list()
        if not isinstance(end, End):
            raise self._error(f"unexpected {end} in {context}")
        self._add(name, root)

    def _add(self, name: str, root: ListNode) -> None:
        before = self.templates.get(name)
        if before is None or _is_empty(before):
            self.templates[name] = root
        elif not _is_empty(root):
            raise self._error(f"template: multiple definition of template {quote(name)}")

    def _unquoted(self, token: Item) -> str:
        try:
            return unquote(token.value)
        except ValueError as error:
            raise self._error(str(error)) from None

    def _item_list(self) -> tuple[ListNode, Node]:
        found = ListNode(self.tokens.peek_non_space().position)
        while self.tokens.peek_non_space().kind != "eof":
            node = self._text_or_action()
            if isinstance(node, End | Else):
                return found, node
            found.nodes.append(node)
        raise self._error("unexpected EOF")

    def _text_or_action(self) -> Node:
        token = self.tokens.next_non_space()
        if token.kind == "text":
            return Text(token.position, token.value)
        if token.kind == "left":
            self.action_line = token.line
            try:
                return self._action()
            finally:
                self.action_line = 0
        raise self._unexpected(token, "input")

    def _action(self) -> Node:
        token = self.tokens.next_non_space()
        match token.kind:
            case "block":
                return self._block()
            case "break" | "continue":
                return self._loop_control(token)
            case "else":
                return self._else()
            case "end":
                return End(self._expect("end", "right").position)
            case "if" | "range" | "with":
                return self._branch(token.kind)
            case "template":
                return self._template_call()
        self.tokens.backup()
        return Action(self.tokens.peek().position, self._pipeline("command", "right"))

    def _loop_control(self, token: Item) -> Node:
        shown = "{{" + token.kind + "}}"
        following = self.tokens.next_non_space()
        if following.kind != "right":
            raise self._unexpected(following, shown)
        if not self.range_depth:
            raise self._error(f"{shown} outside {{{{range}}}}")
        return Break(token.position) if token.kind == "break" else Continue(token.position)

    def _else(self) -> Node:
        following = self.tokens.peek_non_space()
        if following.kind in ("if", "with"):
            return Else(following.position)
        return Else(self._expect("else", "right").position)

    def _branch(self, word: str) -> Branch:
        self._deeper()
        kept = len(self.variables)
        pipe = self._pipeline(word, "right")
        self.range_depth += word == "range"
        body, end = self._item_list()
        self.range_depth -= word == "range"
        otherwise: ListNode | None = None
        if isinstance(end, Else):
            otherwise = self._otherwise(word, end)
        del self.variables[kept:]
        self.depth -= 1
        return Branch(pipe.position, word, pipe, body, otherwise)

    def _otherwise(self, word: str, end: Else) -> ListNode:
        if word in ("if", "with") and self.tokens.peek().kind == word:
            self.tokens.next()
            return ListNode(end.position, [self._branch(word)])
        otherwise, closing = self._item_list()
        if not isinstance(closing, End):
            raise self._error(f"expected end; found {closing}")
        return otherwise

    def _block(self) -> Node:
        context = "block clause"
        token = self.tokens.next_non_space()
        name = self._template_name(token, context)
        pipe = self._pipeline(context, "right")
        inner = _Parser(Tokens(self.tokens.lexer), self.functions, self.templates, depth=self.depth)
        inner._deeper()
        root, end = inner._item_list()
        if not isinstance(end, End):
            raise self._error(f"unexpected {end} in {context}")
        inner._add(name, root)
        return TemplateCall(token.position, name, pipe)

    def _template_call(self) -> Node:
        context = "template clause"
        token = self.tokens.next_non_space()
        name = self._template_name(token, context)
        pipe = None
        if self.tokens.next_non_space().kind != "right":
            self.tokens.backup()
            pipe = self._pipeline(context, "right")
        return TemplateCall(token.position, name, pipe)

    def _template_name(self, token: Item, context: str) -> str:
        if token.kind not in ("string", "raw string"):
            raise self._unexpected(token, context)
        return self._unquoted(token)

    # --- pipelines

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self._error("max expression depth exceeded")

    def _pipeline(self, context: str, end: str) -> Pipe:
        self._deeper()
        pipe = Pipe(self.tokens.peek_non_space().position)
        while self._declares(pipe, context):
            pass
        while True:
            token = self.tokens.next_non_space()
            if token.kind == end:
                self._check(pipe, context)
                self.depth -= 1
                return pipe
            if token.kind not in _OPERANDS:
                raise self._unexpected(token, context)
            self.tokens.backup()
            pipe.commands.append(self._command())

    def _declares(self, pipe: Pipe, context: str) -> bool:
        """Read one `$x :=`, `$x =` or `$x,` at the start of a pipeline; whether another may follow."""
        variable = self.tokens.peek_non_space()
        if variable.kind != "variable":
            return False
        self.tokens.next()
        adjacent = self.tokens.peek()
        following = self.tokens.peek_non_space()
        if following.kind in ("assign", "declare"):
            pipe.assigns = following.kind == "assign"
            self.tokens.next_non_space()
            self._declare(pipe, variable)
            return False
        if following.kind == "char" and following.value == ",":
            self.tokens.next_non_space()
            self._declare(pipe, variable)
            if context == "range" and len(pipe.variables) < 2:
                if self.tokens.peek_non_space().kind in ("variable", "right", "right paren"):
                    return True
                raise self._error("range can only initialize variables")
            raise self._error(f"too many declarations in {context}")
        if adjacent.kind == "space":
            self.tokens.backup(variable, adjacent)
        else:
            self.tokens.backup(variable)
        return False

    def _declare(self, pipe: Pipe, variable: Item) -> None:
        if len(self.variables) >= MAX_VARIABLES:
            raise self._error(f"more than {MAX_VARIABLES} variables in one scope")
        pipe.variables.append(Variable(variable.position, variable.value.split(".")))
        self.variables.append(variable.value)

    def _check(self, pipe: Pipe, context: str) -> None:
        if not pipe.commands:
            raise self._error(f"missing value for {context}")
        for stage, command in enumerate(pipe.commands[1:], 2):
            if isinstance(command.arguments[0], Bool | Dot | Nil | Number | String):
                raise self._error(f"non executable command in pipeline stage {stage}")

    def _command(self) -> Command:
        command = Command(self.tokens.peek_non_space().position)
        while True:
            self.tokens.peek_non_space()
            operand = self._operand()
            if operand is not None:
                command.arguments.append(operand)
            token = self.tokens.next()
            if token.kind == "space":
                continue
            if token.kind in ("right", "right paren"):
                self.tokens.backup()
            elif token.kind != "pipe":
                raise self._unexpected(token, "operand")
            break
        if not command.arguments:
            raise self._error("empty command")
        return command

    def _operand(self) -> Node | None:
        node = self._term()
        if node is None or self.tokens.peek().kind != "field":
            return node
        chain = Chain(self.tokens.peek().position, node)
        while self.tokens.peek().kind == "field":
            chain.names.append(self.tokens.next().value[1:])
        if isinstance(node, FieldNode):
            return FieldNode(chain.position, node.names + chain.names)
        if isinstance(node, Variable):
            return Variable(chain.position, node.names + chain.names)
        if isinstance(node, Bool | String | Number | Nil | Dot):
            raise self._error(f"unexpected . after term {quote(str(node))}")
        return chain

    def _term(self) -> Node | None:
        token = self.tokens.next_non_space()
        position, value = token.position, token.value
        match token.kind:
            case "identifier":
                if value not in self.functions:
                    raise self._error(f"function {quote(value)} not defined", _nearest(value, self.functions))
                return Identifier(position, value)
            case "dot":
                return Dot(position)
            case "nil":
                return Nil(position)
            case "variable":
                if value not in self.variables:
                    raise self._error(f"undefined variable {quote(value)}")
                return Variable(position, [value])
            case "field":
                return FieldNode(position, [value[1:]])
            case "bool":
                return Bool(position, value == "true")
            case "char constant" | "complex" | "number":
                try:
                    return parse_number(position, value, token.kind)
                except ValueError as error:
                    raise self._error(str(error)) from None
            case "left paren":
                return self._pipeline("parenthesized pipeline", "right paren")
            case "string" | "raw string":
                return String(position, value, self._unquoted(token))
        self.tokens.backup()
        return None


def _nearest(word: str, known: Collection[str]) -> str:
    """The known name that was probably meant: first one of the same letters, then the most alike."""
    swapped = next((each for each in sorted(known) if sorted(each) == sorted(word)), "")
    return swapped or next(iter(get_close_matches(word, sorted(known), n=1, cutoff=0.75)), "")


def _is_empty(root: ListNode) -> bool:
    """Go's IsEmptyTree: nothing but white space."""
    return all(isinstance(node, Text) and not node.text.strip() for node in root.nodes)

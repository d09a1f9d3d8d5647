"""Template text to items, on demand, as Go's text/template/parse lexer gives them."""

from attrs import define, field, frozen

from dockcaddy.gotemplate.quoting import is_printable, quote
from dockcaddy.gotemplate.values import byte_length

LEFT, RIGHT = "{{", "}}"
SPACES = " \t\r\n"
KEYWORDS = frozenset(("block", "break", "continue", "define", "else", "end", "if", "range", "nil", "template", "with"))
_TERMINATORS = frozenset(".,|:()")


@frozen
class Item:
    """One item; `kind` is a keyword itself or one of the lexer's kinds (`field`, `space`, `left`, ...)."""

    kind: str
    position: int
    value: str
    line: int

    def __str__(self) -> str:
        if self.kind == "eof":
            return "EOF"
        if self.kind == "error":
            return self.value
        if self.kind in KEYWORDS or self.kind == "dot":
            return f"<{self.value}>"
        return quote(self.value[:10]) + "..." if byte_length(self.value) > 10 else quote(self.value)


class _Wrong(Exception):
    """What the lexer cannot read."""


@define(eq=False)
class Lexer:
    """Gives items one by one; after an error it gives nothing more."""

    text: str
    break_is_keyword: bool = True
    continue_is_keyword: bool = True
    position: int = 0
    start: int = 0
    line: int = 1
    parentheses: int = 0
    inside: bool = False
    _queue: list[Item] = field(factory=list)
    _broken: bool = False

    def next_item(self) -> Item:
        """The next item; `eof` at the end, and for ever after an error."""
        while not self._queue:
            if self._broken:
                return Item("eof", self.position, "EOF", self.line)
            try:
                self._advance()
            except _Wrong as wrong:
                self._broken = True
                return Item("error", self.start, str(wrong), self._line_of_start())
        return self._queue.pop(0)

    def _line_of_start(self) -> int:
        return self.line

    def _emit(self, kind: str) -> None:
        value = self.text[self.start : self.position]
        self._queue.append(Item(kind, self.start, value, self.line))
        self._skip()

    def _skip(self) -> None:
        self.line += self.text.count("\n", self.start, self.position)
        self.start = self.position

    def _peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def _advance(self) -> None:
        if self.inside:
            self._inside_action()
        else:
            self._outside()

    def _outside(self) -> None:
        left = self.text.find(LEFT, self.position)
        if left < 0:
            self.position = len(self.text)
            if self.position > self.start:
                self._emit("text")
            self._queue.append(Item("eof", self.position, "", self.line))
            self._broken = True
            return
        if left > self.position:
            self.position = left
            if _left_trims(self.text, left + 2):
                self.position = max(self.start, len(self.text[:left].rstrip(SPACES)))
            if self.position > self.start:
                self._emit("text")
            self.position = left
            self._skip()
        self._left_delimiter()

    def _left_delimiter(self) -> None:
        self.position += 2
        marker = 2 if _left_trims(self.text, self.position) else 0
        if self.text.startswith("/*", self.position + marker):
            self.position += marker
            self._skip()
            self._comment()
            return
        self._emit("left")
        self.position += marker
        self._skip()
        self.inside, self.parentheses = True, 0

    def _comment(self) -> None:
        end = self.text.find("*/", self.position + 2)
        if end < 0:
            raise _Wrong("unclosed comment")
        self.position = end + 2
        closes, trims = self._at_right()
        if not closes:
            raise _Wrong("comment ends before closing delimiter")
        self.position += 4 if trims else 2
        if trims:
            self._trim_after()
        self._skip()

    def _trim_after(self) -> None:
        while self._peek() and self._peek() in SPACES:
            self.position += 1

    def _at_right(self) -> tuple[bool, bool]:
        if _right_trims(self.text, self.position) and self.text.startswith(RIGHT, self.position + 2):
            return True, True
        return self.text.startswith(RIGHT, self.position), False

    def _right_delimiter(self) -> None:
        _, trims = self._at_right()
        if trims:
            self.position += 2
            self._skip()
        self.position += 2
        self._emit("right")
        if trims:
            self._trim_after()
            self._skip()
        self.inside = False

    def _inside_action(self) -> None:
        closes, _ = self._at_right()
        if closes:
            if self.parentheses:
                raise _Wrong("unclosed left paren")
            self._right_delimiter()
            return
        character = self._peek()
        if not character:
            raise _Wrong("unclosed action")
        if character in SPACES:
            self._space()
        elif character in "\"`'":
            self._quoted(character)
        elif character in "$.":
            self._dotted(character)
        elif character in "+-" or "0" <= character <= "9":
            self._number()
        elif _is_word(character):
            self._identifier()
        else:
            self._sign(character)

    def _sign(self, character: str) -> None:
        self.position += 1
        if character == "=":
            self._emit("assign")
        elif character == ":":
            if self._peek() != "=":
                raise _Wrong("expected :=")
            self.position += 1
            self._emit("declare")
        elif character == "|":
            self._emit("pipe")
        elif character == "(":
            self._emit("left paren")
            self.parentheses += 1
        elif character == ")":
            self.parentheses -= 1
            if self.parentheses < 0:
                raise _Wrong("unexpected right paren")
            self._emit("right paren")
        elif character.isascii() and is_printable(character):
            self._emit("char")
        else:
            raise _Wrong(f"unrecognized character in action: {_shown(character)}")

    def _space(self) -> None:
        while self._peek() and self._peek() in SPACES:
            self.position += 1
        last = self.position - 1
        if _right_trims(self.text, last) and self.text.startswith(RIGHT, last + 2):
            self.position = last
            if self.position == self.start:
                self._right_delimiter()
                return
        self._emit("space")

    def _identifier(self) -> None:
        self._word()
        word = self.text[self.start : self.position]
        self._must_end()
        keyword = word in KEYWORDS
        if word == "break":
            keyword = self.break_is_keyword
        elif word == "continue":
            keyword = self.continue_is_keyword
        self._emit(word if keyword else "bool" if word in ("true", "false") else "identifier")

    def _dotted(self, sign: str) -> None:
        self.position += 1
        if sign == "." and (not self._peek() or "0" <= self._peek() <= "9"):
            self.position -= 1
            self._number()
            return
        if self._ends_here():
            self._emit("variable" if sign == "$" else "dot")
            return
        self._word()
        self._must_end()
        self._emit("variable" if sign == "$" else "field")

    def _word(self) -> None:
        while _is_word(self._peek()):
            self.position += 1

    def _ends_here(self) -> bool:
        following = self._peek()
        return (
            not following
            or following in SPACES
            or following in _TERMINATORS
            or self.text.startswith(RIGHT, self.position)
        )

    def _must_end(self) -> None:
        if not self._ends_here():
            raise _Wrong(f"bad character {_shown(self._peek())}")

    def _quoted(self, mark: str) -> None:
        names = {'"': "quoted string", "`": "raw quoted string", "'": "character constant"}
        self.position += 1
        while True:
            character = self._peek()
            self.position += 1
            if mark != "`" and character == "\\":
                if self._peek() in ("", "\n"):
                    raise _Wrong(f"unterminated {names[mark]}")
                self.position += 1
            elif not character or (mark != "`" and character == "\n"):
                raise _Wrong(f"unterminated {names[mark]}")
            elif character == mark:
                break
        self._emit({'"': "string", "`": "raw string", "'": "char constant"}[mark])

    def _number(self) -> None:
        good = self._scan_number()
        if good and self._peek() in ("+", "-"):
            good = self._scan_number() and self.text[self.position - 1] == "i"
            if good:
                self._emit("complex")
                return
        if not good:
            raise _Wrong(f"bad number syntax: {quote(self.text[self.start : self.position])}")
        self._emit("number")

    def _scan_number(self) -> bool:
        self._accept("+-")
        digits = "0123456789_"
        if self._accept("0"):
            if self._accept("xX"):
                digits = "0123456789abcdefABCDEF_"
            elif self._accept("oO"):
                digits = "01234567_"
            elif self._accept("bB"):
                digits = "01_"
        self._accept_run(digits)
        if self._accept("."):
            self._accept_run(digits)
        exponent = {11: "eE", 23: "pP"}.get(len(digits))
        if exponent and self._accept(exponent):
            self._accept("+-")
            self._accept_run("0123456789_")
        self._accept("i")
        if _is_word(self._peek()):
            self.position += 1
            return False
        return True

    def _accept(self, characters: str) -> bool:
        if self._peek() and self._peek() in characters:
            self.position += 1
            return True
        return False

    def _accept_run(self, characters: str) -> None:
        while self._accept(characters):
            pass


def _left_trims(text: str, position: int) -> bool:
    return text[position : position + 1] == "-" and text[position + 1 : position + 2] in tuple(SPACES)


def _right_trims(text: str, position: int) -> bool:
    return text[position : position + 1] in tuple(SPACES) and text[position + 1 : position + 2] == "-"


def _is_word(character: str) -> bool:
    return character == "_" or character.isalpha() or character.isdecimal()


def _shown(character: str) -> str:
    """Go's %#U. At the end of the text Go's lexer shows the code point -1."""
    if not character:
        return "U+FFFFFFFFFFFFFFFF"
    code = f"U+{ord(character):04X}"
    return f"{code} '{character}'" if is_printable(character) else code

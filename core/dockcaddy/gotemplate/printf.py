"""Go's fmt: printf (https://pkg.go.dev/fmt)."""

from collections.abc import Sequence

from attrs import Factory, define

from dockcaddy.gotemplate.errors import FunctionError
from dockcaddy.gotemplate.formatting import Flags, Printer, bounded
from dockcaddy.gotemplate.limits import MAX_PRINT_WIDTH, Room
from dockcaddy.gotemplate.values import INT_KINDS, UINT_KINDS, Value, value_of


def sprintf(template: str, values: Sequence[Value | None], room: Room) -> str:
    """`fmt.Sprintf`, with its complaints (`%!d(string=x)`, `%!(EXTRA ...)`, ...)."""
    return _Format(template, values, room).run()


@define
class _Format:
    template: str
    values: Sequence[Value | None]
    room: Room
    position: int = 0
    argument: int = 0
    reordered: bool = False
    good_index: bool = True
    last_bracket: int = Factory(lambda self: self.template.rfind("]"), takes_self=True)

    def run(self) -> str:
        pieces: list[str] = []
        size = 0
        while self.position < len(self.template):
            percent = self.template.find("%", self.position)
            end = len(self.template) if percent < 0 else percent
            piece = self.template[self.position : end]
            self.position = end
            if percent >= 0:
                self.position += 1
                piece += self._directive()
            pieces.append(piece)
            size += len(piece)
            if size > self.room.characters:
                raise FunctionError(f"the result exceeds the limit of {self.room.characters} characters")
        if not self.reordered and self.argument < len(self.values):
            pieces.append(self._extra())
        return bounded("".join(pieces), self.room.characters)

    def _extra(self) -> str:
        shown = []
        for value in self.values[self.argument :]:
            held = None if value is None else _held(value)
            shown.append("<nil>" if held is None else f"{held.type}={Printer(self.room).value(held, 'v')}")
        return "%!(EXTRA " + ", ".join(shown) + ")"

    def _directive(self) -> str:
        self.room.spend(1)
        flags = Flags()
        self.good_index = True
        after_index = False
        self._flags(flags)
        after_index = self._index(after_index)
        complaint, after_index = self._width(flags, after_index)
        text, after_index = self._precision(flags, after_index)
        complaint += text
        if not after_index:
            after_index = self._index(after_index)
        if self.position >= len(self.template):
            return complaint + "%!(NOVERB)"
        verb = self.template[self.position]
        self.position += 1
        if verb == "%":
            return complaint + "%"
        if not self.good_index:
            return complaint + f"%!{verb}(BADINDEX)"
        if self.argument >= len(self.values):
            return complaint + f"%!{verb}(MISSING)"
        value = self.values[self.argument]
        self.argument += 1
        if verb in "vw":
            # `#` and `+` mean another form of the whole value there, not of the numbers in it
            flags.plus_v, flags.sharp_v, flags.plus, flags.sharp = flags.plus, flags.sharp, False, False
        if verb == "w":
            return complaint + Printer(self.room, flags).bad(value if value is None else _held(value), verb)
        return complaint + Printer(self.room, flags).value(value, verb)

    def _flags(self, flags: Flags) -> None:
        while self.position < len(self.template):
            match self.template[self.position]:
                case "#":
                    flags.sharp = True
                case "0":
                    flags.zero = True
                case "+":
                    flags.plus = True
                case "-":
                    flags.minus = True
                case " ":
                    flags.space = True
                case _:
                    return
            self.position += 1

    def _index(self, after_index: bool) -> bool:
        """Read an explicit argument index `[n]`; whether one was read."""
        if self.template[self.position : self.position + 1] != "[":
            return after_index
        self.reordered = True
        close = self.template.find("]", self.position) if self.position < self.last_bracket else -1
        if close < 0 or self.position + 2 >= len(self.template):
            self.good_index = False
            self.position += 1
            return False
        number = self.template[self.position + 1 : close]
        self.position = close + 1
        is_number = number.isascii() and number.isdecimal() and len(number) <= 7
        if is_number and 1 <= int(number) <= len(self.values):
            self.argument = int(number) - 1
            return True
        self.good_index = False
        return is_number

    def _width(self, flags: Flags, after_index: bool) -> tuple[str, bool]:
        if self.template[self.position : self.position + 1] == "*":
            self.position += 1
            width = self._starred()
            if width is None:
                return "%!(BADWIDTH)", False
            if width < 0:
                flags.minus, flags.zero, width = True, False, -width
            flags.width = width
            return "", False
        flags.width, found = self._digits()
        if after_index and found:
            self.good_index = False
        return "", after_index

    def _precision(self, flags: Flags, after_index: bool) -> tuple[str, bool]:
        if self.template[self.position : self.position + 1] != ".":
            return "", after_index
        self.position += 1
        if after_index:
            self.good_index = False
        after_index = self._index(False)
        if self.template[self.position : self.position + 1] == "*":
            self.position += 1
            precision = self._starred()
            if precision is None or precision < 0:
                return "%!(BADPREC)", False
            flags.precision = precision
            return "", False
        precision, found = self._digits()
        flags.precision = precision if found else 0
        return "", after_index

    def _digits(self) -> tuple[int | None, bool]:
        start = self.position
        while self.template[self.position : self.position + 1].isdigit() and self.template[self.position].isascii():
            self.position += 1
        if start == self.position:
            return None, False
        number = self.template[start : self.position]
        if len(number) > 7 or int(number) > MAX_PRINT_WIDTH:
            return None, False
        return self._affordable(int(number)), True

    def _affordable(self, size: int) -> int:
        if size > self.room.characters:
            raise FunctionError(f"the width {size} exceeds the limit of {self.room.characters} characters")
        return size

    def _starred(self) -> int | None:
        if self.argument >= len(self.values):
            return None
        value = self.values[self.argument]
        self.argument += 1
        value = None if value is None else _held(value)
        if value is None or (value.kind not in INT_KINDS and value.kind not in UINT_KINDS):
            return None
        number: int = value.data
        if abs(number) > MAX_PRINT_WIDTH:
            return None
        self._affordable(abs(number))
        return number


def _held(value: Value) -> Value | None:
    return value_of(value.data) if value.kind == "interface" else value

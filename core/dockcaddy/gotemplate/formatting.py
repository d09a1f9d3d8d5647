"""Go's fmt: one value as text by a verb, print and println (https://pkg.go.dev/fmt)."""

import math
from collections.abc import Sequence
from typing import Any

from attrs import define, evolve, field

from dockcaddy.gotemplate.errors import FunctionError
from dockcaddy.gotemplate.floats import format_float
from dockcaddy.gotemplate.limits import CHARACTERS_PER_STEP, COMPOSITE_STEPS, MAX_PRINT_DEPTH, Room
from dockcaddy.gotemplate.quoting import quote, quote_raw, quote_rune
from dockcaddy.gotemplate.values import (
    COMPLEX_KINDS,
    FLOAT_KINDS,
    INT_KINDS,
    UINT_KINDS,
    Value,
    find_method,
    go_bytes,
    go_string,
    indirect_interface,
)

_BASES = {"b": 2, "o": 8, "O": 8, "d": 10, "x": 16, "X": 16}
_DIGITS = "0123456789abcdef"


def sprint(values: Sequence[Value | None], room: Room) -> str:
    """`fmt.Sprint`: a space between two operands when neither is a string."""
    pieces: list[str] = []
    was_string = True
    for position, value in enumerate(map(indirect_interface, values)):
        is_string = value is not None and value.kind == "string"
        if position and not is_string and not was_string:
            pieces.append(" ")
        pieces.append(Printer(room).value(value, "v"))
        was_string = is_string
    return bounded("".join(pieces), room.characters)


def sprintln(values: Sequence[Value | None], room: Room) -> str:
    """`fmt.Sprintln`: always a space between, a line break at the end."""
    return bounded(" ".join(Printer(room).value(value, "v") for value in values) + "\n", room.characters)


def bounded(text: str, limit: int) -> str:
    """The text itself. Raises FunctionError where it is longer than the output may be."""
    if len(text) > limit:
        raise FunctionError(f"the result exceeds the limit of {limit} characters")
    return text


@define
class Flags:
    """What stands between `%` and the verb."""

    plus: bool = False
    minus: bool = False
    sharp: bool = False
    space: bool = False
    zero: bool = False
    plus_v: bool = False
    sharp_v: bool = False
    width: int | None = None
    precision: int | None = None


@define
class Printer:
    """Formats one value with one set of flags. Within a complaint no method speaks for a value."""

    room: Room
    flags: Flags = field(factory=Flags)
    depth: int = 0
    complaining: bool = False
    written: int = 0

    def value(self, value: Value | None, verb: str) -> str:
        """The value by the verb, padded."""
        if value is not None and value.kind == "interface":
            value = value.elem()
        if value is None:
            return self._padded("<nil>") if verb in "Tv" else self.bad(None, verb)
        if verb == "T":
            return Printer(self.room, self.flags).text(value.type.name, "s")
        if verb == "p":
            return self._pointer(value, verb)
        return self._account(self._print(value, verb))

    def _account(self, text: str) -> str:
        self.written += len(text)
        if self.written > self.room.characters:
            raise FunctionError(f"the result exceeds the limit of {self.room.characters} characters")
        self.room.spend(1 + len(text) // CHARACTERS_PER_STEP)
        return text

    def _print(self, value: Value, verb: str) -> str:
        if self.depth > MAX_PRINT_DEPTH:
            raise FunctionError("the value is nested too deep to print")
        spoken = self._spoken(value, verb)
        if spoken is not None:
            return spoken
        kind, data = value.type.kind, value.data
        if kind == "bool":
            return self._padded("true" if data else "false") if verb in "tv" else self.bad(value, verb)
        if kind in INT_KINDS or kind in UINT_KINDS:
            return self.integer(value, verb)
        if kind in FLOAT_KINDS or kind in COMPLEX_KINDS:
            return self._floating(value, verb)
        if kind == "string":
            return self.text(data, verb) if verb in "vsxXq" else self.bad(value, verb)
        return self._composite(value, verb)

    def _spoken(self, value: Value, verb: str) -> str | None:
        """What the value's own Error or String method says, where the verb is for text."""
        if self.complaining or verb not in "vsxXq" or (self.flags.sharp_v and verb == "v"):
            return None
        # fmt is given copies, which cannot be addressed
        value = Value(value.type, value.data)
        found = find_method(value, "Error") or find_method(value, "String")
        if found is None or found[0].signature.parameters or value.kind == "func":
            return None
        if value.kind == "ptr" and value.data is None:
            return self._padded("<nil>")
        said = found[0].call(found[1])
        return self.text(said.data if isinstance(said, Value) else str(said), verb)

    # --- scalars

    def integer(self, value: Value, verb: str) -> str:
        """An integer of any kind."""
        number: int = value.data
        if verb == "v":
            if self.flags.sharp_v and value.type.kind in UINT_KINDS:
                return self._address(number)
            verb = "d"
        if verb in _BASES:
            return self._based(number, verb)
        if verb == "c":
            return self._padded(_character(number))
        if verb == "q":
            return self._padded(quote_rune(number, ascii_only=self.flags.plus))
        if verb == "U":
            return self._unicode(number)
        return self.bad(value, verb)

    def _based(self, number: int, verb: str) -> str:
        flags = self.flags
        digits = _in_base(abs(number), _BASES[verb])
        if flags.precision is not None:
            if flags.precision == 0 and number == 0:
                return " " * (flags.width or 0)
            digits = digits.rjust(flags.precision, "0")
        elif flags.zero and not flags.minus and flags.width is not None:
            digits = digits.rjust(flags.width - (1 if number < 0 or flags.plus or flags.space else 0), "0")
        if flags.sharp:
            octal = "0" if not digits.startswith("0") else ""
            prefix = {"b": "0b", "o": octal, "O": octal, "x": "0x", "X": "0x"}.get(verb, "")
            digits = prefix + digits
        if verb == "O":
            digits = "0o" + digits
        if verb == "X":
            digits = digits.upper()
        sign = "-" if number < 0 else "+" if flags.plus else " " if flags.space else ""
        return self._pad_with(sign + digits, " ")

    def _address(self, number: int, *, sharp: bool = True) -> str:
        return Printer(self.room, evolve(self.flags, sharp=sharp))._based(number, "x")

    def _unicode(self, number: int) -> str:
        text = f"U+{number & 0xFFFFFFFFFFFFFFFF:0{max(self.flags.precision or 0, 4)}X}"
        if self.flags.sharp and 0 <= number <= 0x10FFFF and chr(number).isprintable():
            text += f" '{chr(number)}'"
        return self._pad_with(text, " ")

    def _floating(self, value: Value, verb: str) -> str:
        if verb not in "vbgGxXfFeE" or not verb:
            return self.bad(value, verb)
        bits = 32 if value.type.kind in ("float32", "complex64") else 64
        if value.type.kind in COMPLEX_KINDS:
            signed = Printer(self.room, evolve(self.flags, plus=True))
            return f"({self._float(value.data.real, verb, bits)}{signed._float(value.data.imag, verb, bits)}i)"
        return self._float(value.data, verb, bits)

    def _float(self, number: float, verb: str, bits: int) -> str:
        flags = self.flags
        body = format_float(number, verb, flags.precision, bits, flags.sharp)
        signed = body if body.startswith("-") else ("+" + body if flags.plus else " " + body if flags.space else body)
        if flags.plus and body == "+Inf":
            signed = body
        elif not flags.plus and body == "+Inf":
            signed = " Inf" if flags.space else "+Inf"
        if flags.zero and not flags.minus and flags.width is not None and math.isfinite(number):
            sign, digits = (signed[0], signed[1:]) if signed[0] in "+- " else ("", signed)
            return sign + digits.rjust(flags.width - len(sign), "0")
        return self._pad_with(signed, " ")

    def text(self, data: str, verb: str) -> str:
        """A string by %s, %v, %q, %x, %X."""
        flags = self.flags
        if flags.precision is not None and verb in "svq":
            data = data[: flags.precision]
        if verb == "q" or (verb == "v" and flags.sharp_v):
            quoted = quote_raw if verb == "q" and flags.sharp else quote
            return self._padded(quoted(data, ascii_only=flags.plus and verb == "q"))
        if verb in "xX":
            return self._padded(self._hexadecimal(go_bytes(data), verb))
        return self._padded(data)

    def _hexadecimal(self, data: bytes, verb: str) -> str:
        if self.flags.precision is not None:
            data = data[: self.flags.precision]
        pairs = [f"{byte:02x}" for byte in data]
        prefix = "0x" if self.flags.sharp else ""
        if self.flags.space:
            joined = " ".join(prefix + pair for pair in pairs)
        else:
            joined = prefix + "".join(pairs) if pairs else ""
        return joined.upper() if verb == "X" else joined

    # --- composites

    def _composite(self, value: Value, verb: str) -> str:
        kind = value.type.kind
        self.room.spend(COMPOSITE_STEPS)
        if kind in ("slice", "array"):
            return self._sequence(value, verb)
        if kind == "map":
            return self._map(value, verb)
        if kind == "struct":
            return self._struct(value, verb)
        if kind == "ptr":
            return self._reference(value, verb)
        return self._pointer(value, verb)

    def _sequence(self, value: Value, verb: str) -> str:
        elem = value.type.elem
        assert elem is not None
        if elem.kind == "uint8" and verb in "sqxX":
            return self.text(go_string(bytes(native_byte(item) for item in value.data or ())), verb)
        if self.flags.sharp_v and verb == "v":
            # Go's fmt knows bytes by this name, but not inside of something
            name = "[]byte" if self.depth == 0 and str(value.type) == "[]uint8" else str(value.type)
            if value.data is None:
                return f"{name}(nil)"
            return f"{name}{{" + ", ".join(self._inside(value, verb)) + "}"
        return "[" + " ".join(self._inside(value, verb)) + "]"

    def _inside(self, value: Value, verb: str) -> list[str]:
        return [self._nested(value.index(position), verb) for position in range(value.length())]

    def _nested(self, value: Value | None, verb: str) -> str:
        if value is not None and value.kind == "interface":
            if value.data is None:
                return f"{value.type}(nil)" if self.flags.sharp_v and verb == "v" else "<nil>"
            value = value.elem()
        if value is None:
            return "<nil>"
        self.depth += 1
        try:
            return self._account(self._print(value, verb))
        finally:
            self.depth -= 1

    def _map(self, value: Value, verb: str) -> str:
        sharp = self.flags.sharp_v and verb == "v"
        if sharp and value.data is None:
            return f"{value.type}(nil)"
        pairs = [] if value.data is None else list(value.map_items())
        shown = [f"{self._nested(key, verb)}:{self._nested(item, verb)}" for key, item in pairs]
        return f"{value.type}{{" + ", ".join(shown) + "}" if sharp else "map[" + " ".join(shown) + "]"

    def _struct(self, value: Value, verb: str) -> str:
        sharp = self.flags.sharp_v and verb == "v"
        named = sharp or (self.flags.plus_v and verb == "v")
        if not value.type.fields and value.data is not None and not isinstance(value.data, dict):
            return self._padded(str(value.data))
        shown = []
        for name, found in value.type.fields.items():
            inner = self._nested(value.field(found), verb)
            shown.append(f"{name}:{inner}" if named else inner)
        return f"{value.type}{{" + ", ".join(shown) + "}" if sharp else "{" + " ".join(shown) + "}"

    def _reference(self, value: Value, verb: str) -> str:
        target = value.type.elem
        assert target is not None
        if value.data is not None and self.depth == 0 and target.kind in ("array", "slice", "struct", "map"):
            return "&" + self._nested(value.elem(), verb)
        return self._pointer(value, verb)

    def _pointer(self, value: Value, verb: str) -> str:
        if value.kind not in ("ptr", "func", "map", "slice", "chan"):
            return self.bad(value, verb)
        number = 0 if value.data is None else 0xC000000000 + id(value.data) % 0xFFFFFFFF
        if verb == "v" and self.flags.sharp_v:
            return f"({value.type})({self._address(number) if number else 'nil'})"
        if verb == "v" and not number:
            return self._padded("<nil>")
        if verb in "vp":
            return self._address(number, sharp=not self.flags.sharp)
        return self._based(number, verb) if verb in "bodxX" else self.bad(value, verb)

    # --- padding and complaints

    def _padded(self, text: str) -> str:
        return self._pad_with(text, "0" if self.flags.zero and not self.flags.minus else " ")

    def _pad_with(self, text: str, filler: str) -> str:
        width = self.flags.width
        if width is None or len(text) >= width:
            return text
        return text.ljust(width) if self.flags.minus else text.rjust(width, filler)

    def bad(self, value: Value | None, verb: str) -> str:
        """Go's complaint about a verb that does not fit the value."""
        if value is None:
            return f"%!{verb}(<nil>)"
        shown = Printer(self.room, self.flags, complaining=True)._print(value, "v")
        return f"%!{verb}({value.type}={shown})"


def native_byte(item: Any) -> int:
    """A byte out of a slice's data."""
    byte: int = item.data if isinstance(item, Value) else item
    return byte


def _character(number: int) -> str:
    return chr(number) if 0 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "�"


def _in_base(number: int, base: int) -> str:
    if base == 10:
        return str(number)
    digits = ""
    while number or not digits:
        number, digit = divmod(number, base)
        digits = _DIGITS[digit] + digits
    return digits

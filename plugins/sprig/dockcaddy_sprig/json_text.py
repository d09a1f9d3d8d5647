"""JSON, read and written as Go's encoding/json does."""

import base64
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from attrs import define
from dockcaddy import Context
from dockcaddy.gotemplate import (
    FLOAT_KINDS,
    INT_KINDS,
    UINT_KINDS,
    FunctionError,
    Room,
    Value,
    find_method,
    go_bytes,
    quote,
    sprintf,
)

from dockcaddy_sprig.go import (
    CHARACTERS_PER_STEP,
    COMPOSITE_STEPS,
    DEEPEST,
    LONGEST,
    MOST_ELEMENTS,
    Any_,
    bounded,
    dynamic,
)
from dockcaddy_sprig.strings import runes

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"', re.ASCII)
# a character of a string or an escape, and an escape that only lacks its end
_ESCAPE = re.compile(r'[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})', re.ASCII)
_UNFINISHED = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?")
_WORDS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}


def from_json(context: Context, text: str) -> Any_:
    """What the JSON text says, nil where it is wrong; every number is a float, 0 where it is too large for one."""
    bounded(len(text))
    try:
        return dynamic(_Reader(text).whole())
    except FunctionError as error:
        if "limit" in str(error):
            raise
        return None


def must_from_json(context: Context, text: str) -> Any_:
    """What the JSON text says; every number is a float."""
    bounded(len(text))
    reader = _Reader(text)
    made = reader.whole()
    if reader.too_large:
        raise FunctionError(f"json: cannot unmarshal number {reader.too_large} into Go value of type float64")
    return dynamic(made)


def _shown(letter: str) -> str:
    if letter == "'":
        return r"'\''"
    return "'\"'" if letter == '"' else "'" + quote(letter)[1:-1] + "'"


@define
class _Reader:
    """Reads one JSON text, with Go's words where it is wrong."""

    text: str
    at: int = 0
    elements: int = 0
    # the first number that no float can be; Go reads on
    too_large: str = ""

    def whole(self) -> object:
        made = self.value("looking for beginning of value", 0)
        self.space()
        if self.at < len(self.text):
            raise self.wrong("after top-level value")
        return made

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\r\n":
            self.at += 1

    def peek(self) -> str:
        self.space()
        if self.at >= len(self.text):
            raise FunctionError("unexpected end of JSON input")
        return self.text[self.at]

    def wrong(self, where: str) -> FunctionError:
        if self.at >= len(self.text):
            return FunctionError("unexpected end of JSON input")
        return FunctionError(f"invalid character {_shown(self.text[self.at])} {where}")

    def value(self, where: str, depth: int) -> object:
        letter = self.peek()
        self.elements += 1
        if depth > DEEPEST or self.elements > MOST_ELEMENTS:
            raise FunctionError(f"the JSON text exceeds the limit of {MOST_ELEMENTS} elements, {DEEPEST} deep")
        if letter == "{":
            return self.mapping(depth)
        if letter == "[":
            return self.array(depth)
        if letter == '"':
            return self.string()
        if letter in _WORDS:
            return self.word(*_WORDS[letter])
        if letter == "-" or letter in "0123456789":
            return self.number()
        raise self.wrong(where)

    def word(self, word: str, value: object) -> object:
        for _place, letter in enumerate(word):
            if not self.text.startswith(letter, self.at):
                raise self.wrong(f"in literal {word} (expecting {_shown(letter)})")
            self.at += 1
        return value

    def number(self) -> float:
        found = _NUMBER.match(self.text, self.at)
        if found is None:
            self.at += 1
            raise self.wrong("in numeric literal")
        self.at = found.end()
        rest = self.text[self.at : self.at + 1]
        if rest == "." and "." not in found[0] and "e" not in found[0].lower():
            self.at += 1
            raise self.wrong("in numeric literal")
        if rest in ("e", "E") and "e" not in found[0].lower():
            self.at += 1
            if self.text[self.at : self.at + 1] in ("+", "-"):
                self.at += 1
            raise self.wrong("in numeric literal")
        number = float(found[0])
        if math.isinf(number):
            self.too_large = self.too_large or found[0]
            return 0.0
        return number

    def string(self) -> str:
        found = _STRING.match(self.text, self.at)
        if found is None:
            raise self.bad_string()
        self.at = found.end()
        made: str = json.loads(runes(found[0]))
        return "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in made)

    def bad_string(self) -> FunctionError:
        self.at += 1
        while self.at < len(self.text) and self.text[self.at] != '"':
            if self.text[self.at] < " ":
                return self.wrong("in string")
            escape = _ESCAPE.match(self.text, self.at)
            if escape is None:
                return self.bad_escape()
            self.at = escape.end()
        return FunctionError("unexpected end of JSON input")

    def bad_escape(self) -> FunctionError:
        """What is wrong behind a backslash; Go quotes it by bytes, and so may cut a letter."""
        rest = self.text[self.at : self.at + 6].encode("utf-8", "surrogateescape")
        if _UNFINISHED.fullmatch(rest):
            return FunctionError("unexpected end of JSON input")
        wrong = rest[: 6 if rest[1:2] == b"u" else 2].decode("utf-8", "surrogateescape")
        bare = wrong.replace("\\", "").replace('"', "")
        plain = quote(bare) == f'"{bare}"' and not set("` \ufffd") & set(bare)
        return FunctionError(f"invalid escape sequence {f'`{wrong}`' if plain else quote(wrong)} in string")

    def mapping(self, depth: int) -> dict[str, object]:
        made: dict[str, object] = {}
        self.at += 1
        if self.peek() == "}":
            self.at += 1
            return made
        while True:
            if self.peek() != '"':
                raise self.wrong("looking for beginning of object key string")
            key = self.string()
            if self.peek() != ":":
                raise self.wrong("after object key")
            self.at += 1
            made[key] = self.value("looking for beginning of value", depth + 1)
            if self.ended("}", "after object key:value pair"):
                return made

    def array(self, depth: int) -> list[object]:
        made: list[object] = []
        self.at += 1
        if self.peek() == "]":
            self.at += 1
            return made
        while True:
            made.append(self.value("looking for beginning of value", depth + 1))
            if self.ended("]", "after array element"):
                return made

    def ended(self, closing: str, where: str) -> bool:
        """Whether the list ends here, not goes on."""
        letter = self.peek()
        if letter not in (closing, ","):
            raise self.wrong(where)
        self.at += 1
        return letter == closing


@define
class _Writer:
    """Writes one value; `html` escapes what HTML would read."""

    spend: Callable[[int], None]
    html: bool = True
    indent: str = ""
    written: int = 0

    def value(self, value: Any_, depth: int = 0) -> str:
        if depth > DEEPEST:
            raise FunctionError("json: unsupported value: encountered a cycle")
        is_composite = value is not None and value.kind in ("map", "slice", "struct")
        self.spend(COMPOSITE_STEPS if is_composite else 1)
        text = self.plain(value, depth)
        self.write(2 if is_composite else len(text))
        return text

    def write(self, length: int) -> None:
        """Count characters of the result, which are made once."""
        self.written += length
        self.spend(length // CHARACTERS_PER_STEP)
        if self.written > LONGEST:
            raise FunctionError(f"the result exceeds the limit of {LONGEST} characters")

    def plain(self, value: Any_, depth: int) -> str:
        if value is None or (value.kind in ("ptr", "interface", "map", "slice") and value.data is None):
            return "null"
        marshals = find_method(value, "MarshalJSON")
        if marshals is not None:
            return self.string(str(marshals[0].call(marshals[1])))
        if value.kind == "bool":
            return "true" if value.data else "false"
        if value.kind in INT_KINDS or value.kind in UINT_KINDS:
            return str(value.data)
        if value.kind in FLOAT_KINDS:
            return _number(self.float(value))
        if value.kind == "string":
            return self.string(value.data)
        return self.composite(value, depth)

    def composite(self, value: Value, depth: int) -> str:
        if value.kind == "ptr":
            return self.value(value.elem(), depth)
        if value.kind == "map":
            pairs = [(self.key(value, key), dynamic(item)) for key, item in value.map_items()]
            return self.pairs(sorted(pairs, key=lambda pair: go_bytes(pair[0])), depth)
        if value.kind == "struct":
            return self.pairs(_fields(value), depth)
        if value.type.kind == "slice" and value.type.elem is not None and value.type.elem.kind == "uint8":
            data = bytes(value.index(place).data for place in range(value.length()))
            return self.string(base64.b64encode(data).decode())
        if value.kind in ("slice", "array"):
            items = [self.value(dynamic(value.index(place)), depth + 1) for place in range(value.length())]
            return self.enclosed("[]", items, depth)
        raise FunctionError(f"json: unsupported type: {value.type}")

    def key(self, of: Value, key: Value) -> str:
        """A key as the name that JSON has for it."""
        if key.kind in FLOAT_KINDS:
            return _number(self.float(key))
        if key.kind == "string" or key.kind in INT_KINDS or key.kind in UINT_KINDS:
            return str(key.data)
        raise FunctionError(f"json: unsupported type: {of.type}")

    def float(self, value: Value) -> float:
        """The number; of a float32 the shortest text that reads back."""
        if value.kind == "float64":
            return float(value.data)
        return float(sprintf("%v", [value], Room(LONGEST, self.spend)))

    def pairs(self, pairs: Iterable[tuple[str, Any_]], depth: int) -> str:
        space = " " if self.indent else ""
        made = []
        for key, item in pairs:
            name = self.string(key)
            self.write(len(name))
            made.append(f"{name}:{space}{self.value(item, depth + 1)}")
        return self.enclosed("{}", made, depth)

    def enclosed(self, brackets: str, items: list[str], depth: int) -> str:
        if not items or not self.indent:
            return brackets[0] + ",".join(items) + brackets[1]
        inner = "\n" + self.indent * (depth + 1)
        return f"{brackets[0]}{inner}{f',{inner}'.join(items)}\n{self.indent * depth}{brackets[1]}"

    def string(self, text: str) -> str:
        return '"' + "".join(map(self.letter, text)) + '"'

    def letter(self, letter: str) -> str:
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if "\udc80" <= letter <= "\udcff":
            return "\ufffd"
        if letter < " " or letter in "\u2028\u2029" or (self.html and letter in "<>&"):
            return f"\\u{ord(letter):04x}"
        return letter


def _fields(value: Value) -> Iterator[tuple[str, Any_]]:
    """The fields of a struct; those of an embedded one are among its own."""
    for name, found in value.type.fields.items():
        if found.embedded and found.type.kind == "struct":
            yield from _fields(value.field(found))
        elif found.exported:
            yield name, dynamic(value.field(found))


def _number(number: float) -> str:
    """A float as encoding/json writes it."""
    if not math.isfinite(number):
        word = "NaN" if math.isnan(number) else "+Inf" if number > 0 else "-Inf"
        raise FunctionError(f"json: unsupported value: {word}")
    if number != 0 and not 1e-6 <= abs(number) < 1e21:
        mantissa, _, exponent = f"{number!r}".partition("e")
        if not exponent:
            mantissa, _, exponent = f"{number:.16e}".partition("e")
        sign = "-" if exponent.startswith("-") else "+"
        digits = exponent.lstrip("+-").lstrip("0")
        return f"{mantissa.removesuffix('.0')}e{sign}{digits}"
    return f"{Decimal(repr(number)):f}".removesuffix(".0")


def must_to_json(context: Context, value: Any_) -> str:
    """The value as JSON."""
    return _Writer(context.spend).value(value)


def must_to_pretty_json(context: Context, value: Any_) -> str:
    """The value as JSON, indented."""
    return _Writer(context.spend, indent="  ").value(value)


def to_raw_json(context: Context, value: Any_) -> str:
    """The value as JSON, with nothing escaped for HTML."""
    return _Writer(context.spend, html=False).value(value)


def to_json(context: Context, value: Any_) -> str:
    """The value as JSON, empty where it cannot be."""
    return _or_nothing(must_to_json, context, value)


def to_pretty_json(context: Context, value: Any_) -> str:
    """The value as JSON, indented; empty where it cannot be."""
    return _or_nothing(must_to_pretty_json, context, value)


def _or_nothing(write: Callable[[Context, Any_], str], context: Context, value: Any_) -> str:
    try:
        return write(context, value)
    except FunctionError as error:
        if str(error).startswith("json:"):
            return ""
        raise


FUNCTIONS: dict[str, Callable[..., object]] = {
    "fromJson": from_json,
    "mustFromJson": must_from_json,
    "mustToJson": must_to_json,
    "mustToPrettyJson": must_to_pretty_json,
    "mustToRawJson": to_raw_json,
    "toJson": to_json,
    "toPrettyJson": to_pretty_json,
    "toRawJson": to_raw_json,
}

"""Go's predefined template functions (https://pkg.go.dev/text/template#hdr-Functions)."""

from collections.abc import Callable, Mapping
from urllib.parse import quote_plus

from dockcaddy.gotemplate.comparison import Arguments, equal, greater, greater_or_equal, less, less_or_equal, not_equal
from dockcaddy.gotemplate.errors import FunctionError
from dockcaddy.gotemplate.formatting import bounded, sprint, sprintln
from dockcaddy.gotemplate.limits import Room
from dockcaddy.gotemplate.printf import sprintf
from dockcaddy.gotemplate.quoting import is_printable
from dockcaddy.gotemplate.values import (
    BOOL,
    COMPLEX_KINDS,
    FLOAT_KINDS,
    INT,
    INT_KINDS,
    NILABLE_KINDS,
    STRING,
    UINT_KINDS,
    Type,
    Value,
    assignable,
    capacity,
    find_method,
    go_bytes,
    go_string,
    indirect,
    indirect_interface,
    pointer_to,
    truth,
    typed,
    window,
)

Builtin = Callable[[Arguments, Room], Value | None]


def index(arguments: Arguments, room: Room) -> Value | None:
    """`index X 1 2`: `X[1][2]`."""
    item = indirect_interface(arguments[0])
    if item is None:
        raise FunctionError("index of untyped nil")
    for argument in arguments[1:]:
        key = indirect_interface(argument)
        found, is_nil = indirect(item)
        if is_nil or found is None:
            raise FunctionError("index of nil pointer")
        if found.kind in ("slice", "array", "string"):
            length = found.length()
            position = _position(key, length)
            if position == length:
                kinds = {"slice": "slice", "array": "array", "string": "string"}
                raise FunctionError(f"reflect: {kinds[found.kind]} index out of range")
            item = found.index(position)
        elif found.kind == "map":
            item = _map_element(found, key)
        else:
            raise FunctionError(f"can't index item of type {found.type}")
    return item


def _map_element(item: Value, key: Value | None) -> Value | None:
    assert item.type.key is not None and item.type.elem is not None
    prepared = prepare(key, item.type.key)
    found = item.map_index(prepared.data)
    return found if found is not None else typed(item.type.elem, zero(item.type.elem))


def zero(type: Type) -> object:
    """The data of a type's zero value."""
    if type.kind == "string":
        return ""
    if type.kind == "bool":
        return False
    if type.kind in INT_KINDS or type.kind in UINT_KINDS:
        return 0
    if type.kind in FLOAT_KINDS:
        return 0.0
    if type.kind in COMPLEX_KINDS:
        return 0j
    return {} if type.kind == "struct" else None


def _position(key: Value | None, bound: int) -> int:
    if key is None:
        raise FunctionError("cannot index slice/array with nil")
    if key.kind not in INT_KINDS and key.kind not in UINT_KINDS:
        raise FunctionError(f"cannot index slice/array with type {key.type}")
    position = wrapped(key.data, "int")
    if not 0 <= position <= bound:
        raise FunctionError(f"index out of range: {position}")
    return position


def prepare(value: Value | None, type: Type) -> Value:
    """An argument for a parameter of the type, converted where both are whole numbers."""
    if value is None:
        if type.kind not in NILABLE_KINDS:
            raise FunctionError(f"value is nil; should be of type {type}")
        return Value(type, None)
    if assignable(value.type, type):
        return value
    whole = INT_KINDS | UINT_KINDS
    if value.kind in whole and type.kind in whole:
        return Value(type, wrapped(value.data, type.kind))
    raise FunctionError(f"value has type {value.type}; should be {type}")


def wrapped(number: int, kind: str) -> int:
    """A number cut to an integer kind's bits, as reflect's SetInt does."""
    bits = int(kind.lstrip("uint") or 64) if kind != "uintptr" else 64
    number &= (1 << bits) - 1
    return number - (1 << bits) if kind in INT_KINDS and number >> (bits - 1) else number


def slice_(arguments: Arguments, room: Room) -> Value | None:
    """`slice X 1 2`: `X[1:2]`. Unlike those of `index`, the indexes are not taken out of interfaces."""
    item = indirect_interface(arguments[0])
    if item is None:
        raise FunctionError("slice of untyped nil")
    item, is_nil = indirect(item)
    if is_nil or item is None:
        raise FunctionError("slice of nil pointer")
    indexes = arguments[1:]
    if len(indexes) > 3:
        raise FunctionError(f"too many slice indexes: {len(indexes)}")
    if item.kind == "string":
        if len(indexes) == 3:
            raise FunctionError("cannot 3-index slice a string")
        bound = item.length()
    elif item.kind in ("slice", "array"):
        bound = capacity(item.data)
    else:
        raise FunctionError(f"can't slice item of type {item.type}")
    limits = [0, item.length(), bound]
    for place, argument in enumerate(indexes):
        limits[place] = _position(argument, bound)
    if limits[0] > limits[1]:
        raise FunctionError(f"invalid slice index: {limits[0]} > {limits[1]}")
    if len(indexes) == 3 and limits[1] > limits[2]:
        raise FunctionError(f"invalid slice index: {limits[1]} > {limits[2]}")
    if item.kind == "string":
        return Value(item.type, go_string(go_bytes(item.data)[limits[0] : limits[1]]))
    if item.kind == "array" and not item.addressable:
        raise FunctionError("reflect.Value.Slice: slice of unaddressable array")
    return _sliced(item, limits, three=len(indexes) == 3)


def _sliced(item: Value, limits: list[int], *, three: bool) -> Value:
    assert item.type.elem is not None
    type = item.type if item.kind == "slice" else Type("slice", f"[]{item.type.elem}", elem=item.type.elem)
    part = window(item.data, limits[0], limits[1])
    if three:
        whole = part.items[: part.start - limits[0] + limits[2]]
        part.items = whole
    return Value(type, part)


def length(arguments: Arguments, room: Room) -> Value | None:
    """`len X`."""
    item, is_nil = indirect(arguments[0])
    if is_nil:
        raise FunctionError("len of nil pointer")
    if item is None:
        raise FunctionError("reflect: call of reflect.Value.Type on zero Value")
    if item.kind not in ("array", "map", "slice", "string", "chan"):
        raise FunctionError(f"len of type {item.type}")
    return Value(INT, item.length())


def not_(arguments: Arguments, room: Room) -> Value | None:
    """`not X`."""
    return Value(BOOL, not truth(arguments[0]))


# --- text


def printable(value: Value | None) -> Value | None:
    """What fmt is given for a value: pointers followed, the method that speaks for it within reach; None: no value."""
    if value is not None and value.kind == "ptr":
        value, _ = indirect(value)
    if value is None:
        return Value(STRING, "<no value>")
    found = find_method(value, "Error") or find_method(value, "String")
    if found is None:
        return None if value.kind in ("func", "chan") else value
    return Value(pointer_to(value.type), value.data) if found[0].on_pointer else value


def print_(arguments: Arguments, room: Room) -> Value | None:
    """`print`, Go's fmt.Sprint."""
    return Value(STRING, sprint(arguments, room))


def println(arguments: Arguments, room: Room) -> Value | None:
    """`println`, Go's fmt.Sprintln."""
    return Value(STRING, sprintln(arguments, room))


def printf(arguments: Arguments, room: Room) -> Value | None:
    """`printf`, Go's fmt.Sprintf."""
    template = arguments[0]
    assert template is not None
    return Value(STRING, sprintf(template.data, arguments[1:], room))


def _joined(arguments: Arguments, room: Room) -> str:
    first = arguments[0] if len(arguments) == 1 else None
    if first is not None:
        held = indirect_interface(first)
        if held is not None and held.type is STRING:
            return str(held.data)
    shown = []
    for argument in arguments:
        held = indirect_interface(argument)
        # a function is given a copy, which cannot be addressed
        speaking = printable(held and Value(held.type, held.data))
        shown.append(held if speaking is None else speaking)
    return sprint(shown, room)


_HTML = str.maketrans({'"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "�"})
_JS = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "<": "\\u003C",
    ">": "\\u003E",
    "&": "\\u0026",
    "=": "\\u003D",
}


def html(arguments: Arguments, room: Room) -> Value | None:
    """`html`: escaped for HTML."""
    return Value(STRING, bounded(_joined(arguments, room).translate(_HTML), room.characters))


def js(arguments: Arguments, room: Room) -> Value | None:
    """`js`: escaped for a JavaScript string."""
    return Value(STRING, bounded("".join(map(_js_escaped, _joined(arguments, room))), room.characters))


def _js_escaped(character: str) -> str:
    if character in _JS:
        return _JS[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        # a byte that is not UTF-8 is no letter that Go would escape
        return character
    if code < 32:
        return f"\\u{code:04X}"
    return character if code < 128 or is_printable(character) else f"\\u{code:04X}"


def urlquery(arguments: Arguments, room: Room) -> Value | None:
    """`urlquery`: escaped for a URL's query."""
    return Value(STRING, bounded(quote_plus(go_bytes(_joined(arguments, room)), safe=""), room.characters))


def unused(arguments: Arguments, room: Room) -> Value | None:
    """`and`, `or` and `call` are evaluated by the executor itself."""
    raise AssertionError("evaluated by the executor")


# name -> (least arguments, most arguments or None, implementation)
BUILTINS: Mapping[str, tuple[int, int | None, Builtin]] = {
    "and": (1, None, unused),
    "or": (1, None, unused),
    "call": (1, None, unused),
    "not": (1, 1, not_),
    "len": (1, 1, length),
    "index": (1, None, index),
    "slice": (1, None, slice_),
    "print": (0, None, print_),
    "println": (0, None, println),
    "printf": (1, None, printf),
    "html": (0, None, html),
    "js": (0, None, js),
    "urlquery": (0, None, urlquery),
    "eq": (1, None, equal),
    "ne": (2, 2, not_equal),
    "lt": (2, 2, less),
    "le": (2, 2, less_or_equal),
    "gt": (2, 2, greater),
    "ge": (2, 2, greater_or_equal),
}

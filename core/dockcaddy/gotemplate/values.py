"""Go values for Python: a static type beside plain data, as Go's reflect package shows them to a template.

Plain Python data becomes what `encoding/json` would make of it: `str`, `bool`, `int`, `float64`, `[]interface {}`,
`map[string]interface {}`, nil. Everything else is a `Value` of a declared `Type`. Go's strings are bytes; here they are
`str` with surrogate escapes for what is not UTF-8.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from attrs import field, frozen

INT_KINDS = frozenset(("int", "int8", "int16", "int32", "int64"))
UINT_KINDS = frozenset(("uint", "uint8", "uint16", "uint32", "uint64", "uintptr"))
FLOAT_KINDS = frozenset(("float32", "float64"))
COMPLEX_KINDS = frozenset(("complex64", "complex128"))
NILABLE_KINDS = frozenset(("interface", "map", "ptr", "slice", "func", "chan"))


@frozen(eq=False)
class Field:
    """A struct's field. `read` takes the struct's data and gives the field's data, only when it is asked for."""

    type: "Type"
    read: Callable[[Any], Any]
    exported: bool = True
    embedded: bool = False


@frozen(eq=False)
class Method:
    """A method: `call(receiver_data, *arguments)`; with `on_pointer` only where the value can be addressed."""

    signature: "Type"
    call: Callable[..., Any]
    on_pointer: bool = False


@frozen(eq=False)
class Type:
    """A Go type. `name` is how Go prints it; types are equal when their names are."""

    kind: str
    name: str
    elem: "Type | None" = None
    key: "Type | None" = None
    fields: Mapping[str, Field] = field(factory=dict)
    methods: Mapping[str, Method] = field(factory=dict)
    parameters: "tuple[Type, ...]" = ()
    results: "tuple[Type, ...]" = ()
    variadic: bool = False
    optional: int = 0
    interface: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name

    def promoted(self, name: str) -> "tuple[Field, tuple[Field, ...]] | None":
        """The field of that name and the embedded structs on the way to it, as Go promotes fields."""
        own = self.fields.get(name)
        if own is not None:
            return own, ()
        for embedded in self.fields.values():
            if embedded.embedded:
                target = embedded.type.elem if embedded.type.kind == "ptr" else embedded.type
                deeper = target.promoted(name) if target is not None and target.kind == "struct" else None
                if deeper is not None:
                    return deeper[0], (embedded, *deeper[1])
        return None


def _basic(name: str) -> Type:
    return Type(name, name)


BOOL, INT, STRING = _basic("bool"), _basic("int"), _basic("string")
INT8, INT16, INT32, INT64 = _basic("int8"), _basic("int16"), _basic("int32"), _basic("int64")
UINT, UINT8, UINT16, UINT32, UINT64 = (_basic(name) for name in ("uint", "uint8", "uint16", "uint32", "uint64"))
UINTPTR, FLOAT32, FLOAT64 = _basic("uintptr"), _basic("float32"), _basic("float64")
COMPLEX64, COMPLEX128 = _basic("complex64"), _basic("complex128")
ANY = Type("interface", "interface {}")
ERROR = Type("interface", "error", interface=("Error",))
REFLECTED = Type("struct", "reflect.Value")


def slice_of(elem: Type) -> Type:
    """The type `[]elem`."""
    return Type("slice", f"[]{elem.name}", elem=elem)


def map_of(key: Type, elem: Type) -> Type:
    """The type `map[key]elem`."""
    return Type("map", f"map[{key.name}]{elem.name}", elem=elem, key=key)


def pointer_to(elem: Type) -> Type:
    """The type `*elem`."""
    return Type("ptr", f"*{elem.name}", elem=elem)


SLICE_OF_ANY, SLICE_OF_STRING = slice_of(ANY), slice_of(STRING)
MAP_OF_ANY, MAP_OF_STRING = map_of(STRING, ANY), map_of(STRING, STRING)


class Value:
    """A value as reflect shows it: its static type and its data (nil is None)."""

    __slots__ = ("addressable", "data", "type")

    def __init__(self, type: Type, data: Any, addressable: bool = False) -> None:
        self.type = type
        self.data = data
        self.addressable = addressable

    @property
    def kind(self) -> str:
        """The type's kind."""
        return self.type.kind

    def is_nil(self) -> bool:
        """Whether a nilable value is nil."""
        return self.data is None

    def elem(self) -> "Value | None":
        """What an interface holds or a pointer points at."""
        if self.type.kind == "interface":
            return value_of(self.data)
        assert self.type.elem is not None
        return typed(self.type.elem, self.data, addressable=True)

    def index(self, position: int) -> "Value":
        """One element of a slice or array, one byte of a string."""
        if self.type.kind == "string":
            return Value(UINT8, go_bytes(self.data)[position])
        assert self.type.elem is not None
        return typed(self.type.elem, self.data[position], addressable=self.type.kind == "slice" or self.addressable)

    def length(self) -> int:
        """Of a string in bytes, of a nil slice or map 0."""
        if self.data is None:
            return 0
        return byte_length(self.data) if self.type.kind == "string" else len(self.data)

    def field(self, found: Field) -> "Value":
        """A struct's field."""
        return typed(found.type, found.read(self.data), addressable=self.addressable)

    def map_index(self, key: Any) -> "Value | None":
        """A map's element, None where the key is missing."""
        if self.data is None or key not in self.data:
            return None
        assert self.type.elem is not None
        return typed(self.type.elem, self.data[key])

    def map_items(self) -> Iterator[tuple["Value", "Value"]]:
        """Keys and elements in the order in which Go prints and ranges."""
        assert self.type.elem is not None and self.type.key is not None
        for key in sorted(self.data, key=_map_order):
            yield typed(self.type.key, key), typed(self.type.elem, self.data[key])


def _map_order(key: Any) -> tuple[int, Any]:
    plain = key.data if isinstance(key, Value) else key
    if plain is None:
        return (0, 0)
    if isinstance(plain, str):
        return (3, go_bytes(plain))
    return (1, plain) if isinstance(plain, bool | int | float) else (4, str(plain))


def typed(type: Type, data: Any, *, addressable: bool = False) -> Value:
    """A value of a static type; what an interface holds stays as it is."""
    if isinstance(data, Value) and type.kind != "interface":
        data = data.data
    return Value(type, data, addressable)


class Window(Sequence[Any]):
    """A part of a slice that still reaches to the end of the whole, as Go's capacity does."""

    __slots__ = ("items", "start", "stop")

    def __init__(self, items: Sequence[Any], start: int, stop: int) -> None:
        self.items, self.start, self.stop = items, start, stop

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, position: Any) -> Any:
        if not 0 <= position < len(self):
            raise IndexError(position)
        return self.items[self.start + position]


def capacity(data: Any) -> int:
    """How far a slice may be re-sliced."""
    return len(data.items) - data.start if isinstance(data, Window) else len(data or ())


def window(data: Any, start: int, stop: int) -> Window:
    """`data[start:stop]` within its capacity."""
    if isinstance(data, Window):
        return Window(data.items, data.start + start, data.start + stop)
    return Window(data or (), start, stop)


def value_of(data: Any) -> Value | None:
    """The dynamic value of Python data; None for nil."""
    if isinstance(data, str):
        return Value(STRING, data)
    if data is None or isinstance(data, Value):
        return None if isinstance(data, Value) and data.kind == "interface" and data.data is None else data
    kind = _PLAIN.get(type(data))
    if kind is not None:
        return Value(kind, data)
    if isinstance(data, bytes):
        return Value(slice_of(UINT8), list(data))
    if isinstance(data, Mapping):
        return Value(MAP_OF_ANY, data)
    if isinstance(data, Sequence):
        return Value(SLICE_OF_ANY, data)
    return Value(Type("struct", type(data).__name__), data)


_PLAIN: Mapping[type, Type] = {
    bool: BOOL,
    int: INT,
    float: FLOAT64,
    complex: COMPLEX128,
    list: SLICE_OF_ANY,
    tuple: SLICE_OF_ANY,
    dict: MAP_OF_ANY,
}


def native(value: Value | None) -> Any:
    """The plain data of a value, for a Python function: what pointers and interfaces hold is taken out."""
    while value is not None and value.kind == "interface":
        value = value.elem()
    if value is None:
        return None
    data = value.data
    if isinstance(data, Window):
        return list(data)
    return data


def go_bytes(text: str) -> bytes:
    """A Go string's bytes."""
    return text.encode("utf-8", "surrogateescape")


def go_string(data: bytes) -> str:
    """A Go string of bytes, valid UTF-8 or not."""
    return data.decode("utf-8", "surrogateescape")


def byte_length(text: str) -> int:
    """What Go's len gives."""
    return len(text) if text.isascii() else len(go_bytes(text))


def indirect(value: Value | None) -> tuple[Value | None, bool]:
    """What pointers and interfaces lead to, and whether the way ended at nil."""
    while value is not None and value.type.kind in ("ptr", "interface"):
        if value.data is None:
            return value, True
        value = value.elem()
    return value, False


def indirect_interface(value: Value | None) -> Value | None:
    """What an interface holds; None for a nil one."""
    while value is not None and value.type.kind == "interface":
        if value.data is None:
            return None
        value = value.elem()
    return value


def truth(value: Value | None) -> bool:
    """Go's truth: whether the value is not the zero of its kind; a struct is always true."""
    value = indirect_interface(value)
    if value is None:
        return False
    kind = value.type.kind
    if kind in ("array", "map", "slice", "string"):
        return bool(value.data is not None and len(value.data) > 0)
    if kind == "struct":
        return True
    if kind in NILABLE_KINDS:
        return value.data is not None
    return bool(value.data)


def assignable(source: Type, target: Type) -> bool:
    """Go's assignability, as far as templates meet it."""
    if source is target or source.name == target.name:
        return True
    if target.kind == "interface":
        return all(implements(source, name) for name in target.interface)
    unnamed = target.name.startswith(("[", "map[", "func(", "*")) or source.name.startswith(("[", "map[", "func(", "*"))
    return source.kind == target.kind and unnamed and _same_underlying(source, target)


def _same_underlying(source: Type, target: Type) -> bool:
    def same(one: Type | None, other: Type | None) -> bool:
        return (one is None and other is None) or (one is not None and other is not None and one.name == other.name)

    return (
        source.kind not in ("struct", "func", "ptr")
        and same(source.elem, target.elem)
        and same(source.key, target.key)
        and (source.elem is not None)
    )


def implements(type: Type, method: str) -> bool:
    """Whether values of the type have a method of that name without being addressed."""
    if type.kind == "ptr" and type.elem is not None:
        return method in type.elem.methods
    found = type.methods.get(method)
    return method in type.interface or (found is not None and not found.on_pointer)


def find_method(value: Value, name: str) -> tuple[Method, Any] | None:
    """A method callable on the value, and the receiver's data."""
    kind = value.type.kind
    if kind == "interface":
        return None
    holder = value.type.elem if kind == "ptr" else value.type
    assert holder is not None
    found = holder.methods.get(name)
    if found is None or (found.on_pointer and kind != "ptr" and not value.addressable):
        return None
    return found, value.data

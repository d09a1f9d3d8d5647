"""The data of the conformance vectors: JSON values, and Go values by their description in kinds.json."""

import re
from collections.abc import Mapping
from typing import Any

from dockcaddy.gotemplate import Field, Method, Type, Value, function_type, map_of, pointer_to, slice_of
from dockcaddy.gotemplate.values import (
    ANY,
    ERROR,
    FLOAT64,
    INT,
    MAP_OF_ANY,
    SLICE_OF_ANY,
    STRING,
    native,
)

BASICS = [
    "bool",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "uintptr",
    "float32",
    "float64",
    "complex64",
    "complex128",
    "string",
]


def json_value(data: Any) -> Any:
    """JSON as the Go test program decodes it."""
    if isinstance(data, dict):
        return Value(MAP_OF_ANY, {key: json_value(item) for key, item in data.items()})
    if isinstance(data, list):
        return Value(SLICE_OF_ANY, [json_value(item) for item in data])
    return data


class Record(dict[str, Any]):
    """A struct's data; can be a map's key."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted((key, str(value)) for key, value in self.items())))

    def __lt__(self, other: "Record") -> bool:
        return list(self.values()) < list(other.values())


class Types:
    """The types that a description names."""

    def __init__(self) -> None:
        self.known: dict[str, Type] = {name: Type(name, name) for name in BASICS}
        self.known |= {"interface {}": ANY, "error": ERROR, "string": STRING, "int": INT, "float64": FLOAT64}
        self.known["fmt.Stringer"] = Type("interface", "fmt.Stringer", interface=("String",))
        self.spoken: dict[tuple[str, Any], str] = {}

    def learn(self, described: Mapping[str, Any]) -> None:
        """Take over every named type of a description."""
        name, kind = described.get("type", ""), described.get("kind", "")
        if kind == "struct" or (kind in BASICS and name not in BASICS):
            self._learn_named(described, name, kind)
        if kind == "ptr" and described.get("nil") and "fields_of_type" in described:
            elem = name[1:]
            if elem not in self.known:
                fields = {
                    each: Field(ANY, lambda data: None, each[:1].isupper()) for each in described["fields_of_type"]
                }
                self.known[elem] = Type("struct", elem, fields=fields, methods={})
            self._methods(self.known[elem], described.get("methods", {}), pointer=False, keep=True)
        for item in described.get("items", ()):
            for part in item if isinstance(item, list) else [item]:
                self.learn(part)
        for part in ("to", "holds"):
            if described.get(part):
                self.learn(described[part])

    def _learn_named(self, described: Mapping[str, Any], name: str, kind: str) -> None:
        known = self.known.get(name)
        if known is None or (kind == "struct" and described.get("fields") and not known.fields):
            known = self.known[name] = Type(kind, name, fields={}, methods={})
        fields: dict[str, Field] = known.fields  # type: ignore[assignment]
        for each in described.get("fields", ()):
            inner = each.get("value")
            if inner is not None:
                self.learn(inner)
            type_name = inner["type"] if inner is not None else each["type"]
            exported, embedded = each.get("exported", False), each.get("embedded", False)
            if each["name"] not in fields or fields[each["name"]].type is ANY:
                fields[each["name"]] = Field(self.named(type_name), reader(each["name"]), exported, embedded)
        self._methods(known, described.get("methods", {}), pointer=False)
        self._methods(known, described.get("pointer_methods", {}), pointer=True)
        for key in ("prints_as", "pointer_prints_as"):
            if key in described:
                self.spoken[name, plain(described)] = described[key]

    def _methods(self, type: Type, signatures: Mapping[str, str], *, pointer: bool, keep: bool = False) -> None:
        methods: dict[str, Method] = type.methods  # type: ignore[assignment]
        for name, signature in signatures.items():
            if keep and name in methods:
                continue
            methods[name] = LateMethod(self, type.name, name, signature, pointer).method()

    def named(self, name: str) -> Type:
        """The type that Go prints so."""
        if name in self.known:
            return self.known[name]
        made = self._composed(name)
        self.known[name] = made
        return made

    def _composed(self, name: str) -> Type:
        if name.startswith("*"):
            return pointer_to(self.named(name[1:]))
        if name.startswith("[]"):
            return slice_of(self.named(name[2:]))
        if array := re.match(r"\[\d+\]", name):
            return Type("array", name, elem=self.named(name[array.end() :]))
        if name.startswith("map["):
            depth, place = 1, 4
            while depth:
                depth += {"[": 1, "]": -1}.get(name[place], 0)
                place += 1
            return map_of(self.named(name[4 : place - 1]), self.named(name[place:]))
        if name.startswith("func("):
            return self.function(name)
        return Type("struct", name)

    def function(self, signature: str) -> Type:
        """The type of `func(int, ...string) (string, error)`."""
        match = re.fullmatch(r"func\((.*?)\)\s*(?:\((.*)\)|(.*))", signature)
        assert match is not None
        inner = [part for part in re.split(r", ", match[1]) if part]
        variadic = bool(inner) and inner[-1].startswith("...")
        parameters = [slice_of(self.named(part[3:])) if part.startswith("...") else self.named(part) for part in inner]
        results = [self.named(part) for part in re.split(r", ", match[2] or match[3] or "") if part]
        return function_type(parameters, results, variadic=variadic)


def reader(name: str) -> Any:
    return lambda data: (data or {}).get(name)


def plain(described: Mapping[str, Any]) -> Any:
    """Data of a description that can be compared."""
    if described.get("kind") == "struct":
        return tuple(str(plain(each["value"])) if "value" in each else "?" for each in described["fields"])
    return described.get("value")


# of the methods that are called on nil pointers, those that Go calls on the value itself
VALUE_METHODS = frozenset((("container.Summary", "IsRunning"), ("sample.Point", "Add")))


class LateMethod:
    """A method whose signature may name types that are learned later."""

    def __init__(self, types: Types, owner: str, name: str, signature: str, pointer: bool) -> None:
        self.types, self.owner, self.name, self.text, self.pointer = types, owner, name, signature, pointer

    def method(self) -> Method:
        from conformance_functions import METHODS

        behaviour = METHODS.get((self.owner, self.name)) or METHODS.get(("", self.name))

        def call(data: Any, *arguments: Value) -> Any:
            if behaviour is None:
                raise RuntimeError(f"no method {self.owner}.{self.name}")
            if data is None and (self.owner, self.name) in VALUE_METHODS:
                short = self.owner.rpartition(".")[2]
                raise RuntimeError(f"value method {self.owner}.{self.name} called using nil *{short} pointer")
            try:
                return behaviour(self.types, self.owner, data, *arguments)
            except TypeError:
                raise RuntimeError("runtime error: invalid memory address or nil pointer dereference") from None

        types, text = self.types, self.text

        class Lazy(Method):
            @property
            def signature(self) -> Type:  # type: ignore[override]
                return types.function(text)

        made = object.__new__(Lazy)
        object.__setattr__(made, "call", call)
        object.__setattr__(made, "on_pointer", self.pointer)
        return made


def kind_value(name: str, kinds: Mapping[str, Any]) -> Value:
    """The value of a kind. A nil pointer's type is described where another kind has a value of it."""
    types = Types()
    for each in sorted((each["typed"] for each in kinds.values()), key=lambda each: bool(each.get("nil"))):
        types.learn(each)
    described = kinds[name]["typed"]
    made = Value(types.named(described["type"]), data_of(described, types))
    return made


def data_of(described: Mapping[str, Any], types: Types) -> Any:
    """The data of a description, as the engine keeps it."""
    from conformance_functions import FUNCTION_FIELDS

    kind = described["kind"]
    if described.get("nil"):
        return None
    if kind == "interface":
        held = described["holds"]
        return Value(types.named(held["type"]), data_of(held, types))
    if kind == "ptr":
        return data_of(described["to"], types)
    if kind in ("slice", "array"):
        return [data_of(item, types) for item in described["items"]]
    if kind == "map":
        return {data_of(key, types): data_of(item, types) for key, item in described["items"]}
    if kind == "struct":
        record = Record()
        for each in described["fields"]:
            if "value" in each:
                inner = each["value"]
                if inner["kind"] == "func" and not inner.get("nil"):
                    record[each["name"]] = FUNCTION_FIELDS[each["name"]]
                else:
                    record[each["name"]] = data_of(inner, types)
            elif each["type"] == "string":
                record[each["name"]] = ""
            else:
                record[each["name"]] = [int(octet) for octet in described["prints_as"].split(".")]
        for key in ("prints_as", "pointer_prints_as"):
            if key in described:
                record.spoken = described[key]  # type: ignore[attr-defined]
        return record
    if kind.startswith("complex"):
        return complex(*described["value"])
    if kind == "func":
        return lambda *arguments: None
    return described["value"]


__all__ = ["Record", "Types", "json_value", "kind_value", "native"]

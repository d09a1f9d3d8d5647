"""The func sets of the conformance vectors, and what the methods of their Go values do."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from conformance_values import Record, Types
from dockcaddy import testing
from dockcaddy.compile.rendering import ResourceContext
from dockcaddy.gotemplate import Field, Function, Method, Type, Value, function_type, pointer_to
from dockcaddy.gotemplate.builtins import wrapped
from dockcaddy.gotemplate.formatting import sprint
from dockcaddy.gotemplate.limits import Room
from dockcaddy.gotemplate.printf import sprintf
from dockcaddy.gotemplate.values import (
    ANY,
    BOOL,
    ERROR,
    FLOAT32,
    FLOAT64,
    INT,
    INT8,
    INT32,
    INT64,
    MAP_OF_ANY,
    SLICE_OF_ANY,
    SLICE_OF_STRING,
    STRING,
    UINT,
    UINT8,
    slice_of,
    value_of,
)
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.plugins.registry import Registry
from dockcaddy_sprig.durations import DURATION

ROOM = Room(10**6, lambda steps: None)
ENVIRONMENT = {
    "DOMAIN_NAME": "example.org",
    "SUBDOMAIN": "api",
    "PORT": "8443",
    "EMPTY": "",
    "QUOTED": 'a "b" c',
    "TLS_EMAIL": "ops@example.org",
}


def _read(name: str) -> Callable[[Any], Any]:
    return lambda data: (data or {}).get(name, 0)


def _add(data: Any, amount: Value) -> Any:
    if data is None:
        raise RuntimeError("value method sample.Point.Add called using nil *Point pointer")
    return Record(X=data["X"] + amount.data, Y=data["Y"] + amount.data)


POINT = Type("struct", "sample.Point", fields={"X": Field(INT, _read("X")), "Y": Field(INT, _read("Y"))}, methods={})
POINT.methods["Add"] = Method(function_type([INT], [POINT]), _add)  # type: ignore[index]
COLOR = Type(
    "int",
    "sample.Color",
    methods={"String": Method(function_type([], [STRING]), lambda data: ["red", "green", "blue"][data])},
)
MODE = Type("string", "sample.Mode")


def shown(value: Value | None, verb: str = "%v") -> str:
    return sprintf(verb, [value], ROOM)


def dynamic(value: Value | None) -> Value | None:
    return value_of(value.data) if value is not None and value.kind == "interface" else value


def raise_(error: str) -> Any:
    raise RuntimeError(error)


def make(
    name: str,
    parameters: Sequence[Type],
    result: Type,
    call: Callable[..., Any],
    *,
    variadic: bool = False,
    fails: bool = False,
) -> Function:
    """A function of Values; `...` takes the last parameter's type for the rest."""
    given = list(parameters)
    if variadic:
        given[-1] = slice_of(given[-1])
    signature = function_type(given, [result, ERROR] if fails else [result], variadic=variadic)

    def run(context: object, arguments: Sequence[Value | None]) -> Value | None:
        answer = call(*arguments)
        if isinstance(answer, Value):
            # a result cannot be addressed
            answer = Value(answer.type, answer.data)
        if isinstance(answer, Value) and result is not ANY:
            answer = answer.data
        return Value(result, answer)

    return Function(name, signature, run)


def upstreams(*arguments: Value | None) -> str:
    targets = ["172.18.0.2", "172.18.0.3"]
    for argument in map(dynamic, arguments):
        if argument is None:
            continue
        if argument.type is STRING:
            targets = [f"{argument.data}://{target}" for target in targets]
        elif argument.type.name == "int":
            targets = [f"{target}:{argument.data}" for target in targets]
    return " ".join(sorted(targets))


def make_map(*arguments: Value | None) -> dict[str, Any]:
    if len(arguments) % 2:
        raise RuntimeError("mkMap needs pairs")
    made = {}
    for key, item in zip(arguments[::2], arguments[1::2], strict=True):
        held = dynamic(key)
        if held is None or held.type is not STRING:
            raise RuntimeError(f"mkMap key {shown(held)} is not a string")
        made[held.data] = dynamic(item)
    return made


def takes_any(value: Value | None) -> str:
    held = dynamic(value)
    return f"any:{shown(held, '%T')}:{shown(held)}"


def test_set() -> dict[str, Function]:
    """The func set `test` of the vectors' README."""
    adder = function_type([INT, INT], [INT])
    joiner = function_type([STRING, slice_of(STRING)], [STRING], variadic=True)
    failer = function_type([], [STRING, ERROR])
    nothing = function_type([], [STRING])
    boolean = make("_", [], BOOL, lambda: True)
    del boolean
    made = [
        make("upstreams", [ANY], STRING, upstreams, variadic=True),
        make("http", [], STRING, lambda: "http"),
        make("https", [], STRING, lambda: "https"),
        make("h2c", [], STRING, lambda: "h2c"),
        make("env", [STRING], STRING, lambda key: ENVIRONMENT.get(key.data, "")),
        make("hasEnv", [STRING], BOOL, lambda key: key.data in ENVIRONMENT),
        make("isHealthy", [], BOOL, lambda: True),
        make("isPaused", [], BOOL, lambda: False),
        make("networks", [], SLICE_OF_STRING, lambda: ["bridge", "caddy_net", "ingress"]),
        make("failing", [], STRING, lambda: raise_("this function always fails"), fails=True),
        make("failWith", [STRING], STRING, lambda text: raise_(text.data), fails=True),
        make(
            "failIf",
            [BOOL, ANY],
            ANY,
            lambda fails, value: raise_(f"refused {shown(dynamic(value))}") if fails.data else dynamic(value),
            fails=True,
        ),
        make("panics", [], STRING, lambda: raise_("deliberate panic")),
        make("panicErr", [], STRING, lambda: raise_("deliberate panic error")),
        make("takesInt", [INT], STRING, lambda n: f"int:{n.data}"),
        make("takesInt8", [INT8], STRING, lambda n: f"int8:{n.data}"),
        make("takesInt64", [INT64], STRING, lambda n: f"int64:{n.data}"),
        make("takesUint", [UINT], STRING, lambda n: f"uint:{n.data}"),
        make("takesUint8", [UINT8], STRING, lambda n: f"uint8:{n.data}"),
        make("takesFloat", [FLOAT64], STRING, lambda n: f"float64:{shown(n)}"),
        make("takesBool", [BOOL], STRING, lambda b: f"bool:{shown(b)}"),
        make("takesString", [STRING], STRING, lambda s: f"string:{s.data}"),
        make("takesAny", [ANY], STRING, takes_any),
        make("takesMap", [MAP_OF_ANY], STRING, lambda m: f"map:{len(m.data or ())}"),
        make("takesList", [SLICE_OF_ANY], STRING, lambda m: f"list:{len(m.data or ())}"),
        make("takesStrs", [SLICE_OF_STRING], STRING, lambda m: f"strs:{len(m.data or ())}"),
        make("takesErr", [ERROR], STRING, lambda e: f"error:{shown(dynamic(e))}"),
        make("takesPoint", [POINT], STRING, lambda p: f"point:{p.data['X']},{p.data['Y']}"),
        make("pair", [STRING, INT], STRING, lambda s, n: f"{s.data}={n.data}"),
        make("triple", [ANY] * 3, STRING, lambda *each: "<" + "|".join(shown(dynamic(one)) for one in each) + ">"),
        make("joinWith", [STRING, STRING], STRING, lambda s, *r: s.data.join(one.data for one in r), variadic=True),
        make("sum", [INT], INT, lambda *numbers: wrapped(sum(one.data for one in numbers), "int"), variadic=True),
        make("count", [ANY], INT, lambda *each: len(each), variadic=True),
        make("mkList", [ANY], SLICE_OF_ANY, lambda *each: [dynamic(one) for one in each], variadic=True),
        make("mkMap", [ANY], MAP_OF_ANY, make_map, variadic=True, fails=True),
        make("ok", [ANY], ANY, dynamic, fails=True),
        make("retNil", [], ANY, lambda: None),
        make("retNilMap", [], MAP_OF_ANY, lambda: None),
        make("retNilStrs", [], SLICE_OF_STRING, lambda: None),
        make("retNilPoint", [], pointer_to(POINT), lambda: None),
        make("retNilFunc", [], nothing, lambda: None),
        make("retPoint", [], POINT, lambda: Record(X=3, Y=4)),
        make("retPointPtr", [], pointer_to(POINT), lambda: Record(X=5, Y=6)),
        make("retInt8", [], INT8, lambda: -8),
        make("retInt64", [], INT64, lambda: 64),
        make("retUint8", [], UINT8, lambda: 200),
        make("retUint", [], UINT, lambda: 7),
        make("retFloat32", [], FLOAT32, lambda: 0.10000000149011612),
        make("retRune", [], INT32, lambda: ord("é")),
        make("retBytes", [], slice_of(UINT8), lambda: list(b"bytes")),
        make("retColor", [], COLOR, lambda: 1),
        make("retMode", [], MODE, lambda: "rw"),
        make("retAdder", [], adder, lambda: lambda a, b: a.data + b.data),
        make("retJoiner", [], joiner, lambda: lambda s, *r: s.data.join(one.data for one in r)),
        make("retFailer", [], failer, lambda: lambda: raise_("inner failure")),
        make("größe", [STRING], INT, lambda s: len(s.data)),
        make("_private", [], STRING, lambda: "underscore"),
        make("f2b", [], STRING, lambda: "digit"),
    ]
    return {each.name: each for each in made}


@cache
def bundled() -> Registry:
    """The bundled plugins."""
    return testing.registry_with()


def context() -> ResourceContext:
    """What the functions of one execution are given."""
    container = testing.container()
    engine = EngineInventory(container.engine, (container,), (), None)
    return ResourceContext(container, engine, bundled(), {}, Inventory((engine,)))


@cache
def sprig_set() -> Mapping[str, Callable[..., object]]:
    """The func set `sprig`: the plugin's functions alone, through the guard as labels call them."""
    registry = bundled()
    own = {name for name, entry in registry.functions.items() if entry.plugin == "sprig"}
    return {name: call for name, call in registry.callables().items() if name in own}


def function_sets() -> Mapping[str, Mapping[str, Any]]:
    """The known func sets by name."""
    return {"test": test_set(), "sprig": sprig_set()}


# --- methods of kinds.json's types


def _spoken(types: Types, owner: str, data: Any) -> str:
    told = getattr(data, "spoken", None)
    return told if told is not None else types.spoken[owner, data]


def _duration(unit: float) -> Callable[..., Any]:
    return lambda types, owner, data: data / unit


def _label(types: Types, owner: str, data: Any, key: Value) -> str:
    if key.data not in data["Labels"]:
        raise RuntimeError(f'no label "{key.data}"')
    return data["Labels"][key.data]


def _port_at(types: Types, owner: str, data: Any, place: Value) -> Any:
    ports = data["Ports"]
    if not 0 <= place.data < len(ports):
        bad = f"[{place.data}]" if place.data < 0 else f"[{place.data}] with length {len(ports)}"
        raise RuntimeError(f"runtime error: index out of range {bad}")
    return ports[place.data]


METHODS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("container.Summary", "From"): lambda types, owner, data: f"from {data['Origin']['CreatedBy']}",
    ("container.Origin", "From"): lambda types, owner, data: f"from {data['CreatedBy']}",
    ("swarm.Service", "From"): lambda types, owner, data: f"from {data['CreatedBy']}",
    ("container.Summary", "IsRunning"): lambda types, owner, data: data["State"] == "running",
    ("container.Summary", "Name"): lambda types, owner, data: data["Names"][0].removeprefix("/"),
    ("container.Summary", "Label"): _label,
    ("container.Summary", "LabelOr"): lambda t, o, data, key, other: data["Labels"].get(key.data, other.data),
    ("container.Summary", "PortAt"): _port_at,
    ("container.Summary", "JoinNames"): lambda t, o, data, sep, *r: sep.data.join(
        [*data["Names"], *(x.data for x in r)]
    ),
    ("container.Summary", "Scale"): lambda t, o, data, factor: data["Weight"] * factor.data,
    ("container.Summary", "Describe"): lambda t, o, data, value: (
        f"{data['Names'][0].removeprefix('/')}/{shown(dynamic(value), '%T')}/{shown(dynamic(value))}"
    ),
    ("container.Summary", "Self"): lambda t, o, data: data,
    ("container.Summary", "NoEndpoint"): lambda t, o, data: None,
    ("container.Summary", "Fail"): lambda t, o, data: raise_("container is broken"),
    ("container.Summary", "Explode"): lambda t, o, data: raise_("container exploded"),
    ("container.Health", "Check"): lambda t, o, data: "checked",
    ("container.Addr", "IsValid"): lambda t, o, data: _spoken(t, o, data) != "0.0.0.0",
    ("", "String"): _spoken,
    ("", "Error"): _spoken,
    ("", "Add"): lambda t, o, data, amount: Record(X=data["X"] + amount.data, Y=data["Y"] + amount.data),
    ("time.Duration", "Hours"): _duration(3.6e12),
    ("time.Duration", "Minutes"): _duration(6e10),
    ("time.Duration", "Seconds"): _duration(1e9),
    ("time.Duration", "Milliseconds"): lambda t, o, data: data // 10**6,
    ("time.Duration", "Microseconds"): lambda t, o, data: data // 10**3,
    ("time.Duration", "Nanoseconds"): lambda t, o, data: data,
    ("time.Duration", "Abs"): lambda t, o, data: abs(data),
    ("time.Duration", "String"): lambda t, o, data: DURATION.methods["String"].call(data),
    ("time.Duration", "Round"): lambda t, o, data, unit: DURATION.methods["Round"].call(data, unit),
    ("time.Duration", "Truncate"): lambda t, o, data, unit: DURATION.methods["Truncate"].call(data, unit),
}

FUNCTION_FIELDS: Mapping[str, Callable[..., Any]] = {
    "OnStop": lambda text: f"stopped: {text.data}",
    "Add": lambda a, b: a.data + b.data,
    "Greet": lambda name: f"hi {name.data}" if name.data else raise_("failure 1"),
    "Cat": lambda *each: f"{len(each)} {sprint([Value(SLICE_OF_STRING, [one.data for one in each])], ROOM)}",
    "Hello": lambda: "hello",
}

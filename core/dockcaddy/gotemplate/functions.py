"""The functions a template may call: Python callables with Go signatures."""

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from attrs import define, field, frozen

from dockcaddy.gotemplate.values import (
    ANY,
    BOOL,
    FLOAT64,
    INT,
    MAP_OF_ANY,
    MAP_OF_STRING,
    SLICE_OF_ANY,
    SLICE_OF_STRING,
    STRING,
    Type,
    Value,
    indirect_interface,
    native,
    slice_of,
    typed,
)


@frozen(eq=False)
class Function:
    """A function and its Go signature. `call(context, arguments)` takes and gives Values."""

    name: str
    signature: Type
    call: Callable[[object, Sequence[Value | None]], Value | None]


def function_type(
    parameters: Sequence[Type], results: Sequence[Type], *, variadic: bool = False, optional: int = 0
) -> Type:
    """The type `func(parameters) results`; the last `optional` parameters may be left out."""
    shown = [each.name for each in parameters]
    if variadic:
        elem = parameters[-1].elem
        shown[-1] = f"...{elem}"
    answer = [each.name for each in results]
    tail = f" ({', '.join(answer)})" if len(answer) > 1 else "".join(f" {each}" for each in answer)
    name = f"func({', '.join(shown)}){tail}"
    return Type(
        "func", name, parameters=tuple(parameters), results=tuple(results), variadic=variadic, optional=optional
    )


def from_callable(name: str, call: Callable[..., object]) -> Function:
    """A function of `call(context, *arguments)`; its annotations say which Go types the arguments have.

    `Annotated[..., INT64]` is Go's int64. A parameter that is a `Value` (or `Value | None`) gets the value with its type.
    """
    hints = _hints(call)
    parameters: list[Type] = []
    variadic, optional = False, 0
    for parameter in list(inspect.signature(call).parameters.values())[1:]:
        kind = type_of_annotation(hints.get(parameter.name, object))
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            variadic = True
            parameters.append(slice_of(kind))
        elif parameter.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD):
            optional += parameter.default is not inspect.Parameter.empty
            parameters.append(kind)
    result = annotated_result(call)
    signature = function_type(parameters, [result], variadic=variadic, optional=optional)
    given = [indirect_interface if kind else native for kind in _wants_values(call, hints)]

    def run(context: object, arguments: Sequence[Value | None]) -> Value | None:
        last = len(given) - 1
        passed = [given[min(place, last)](argument) for place, argument in enumerate(arguments)]
        return typed(result, call(context, *passed))

    return Function(name, signature, run)


def _wants_values(call: Callable[..., object], hints: Mapping[str, Any]) -> list[bool]:
    """For each parameter after the context: whether it is annotated as a `Value`, with Go's type, or takes plain data."""
    names = list(inspect.signature(call).parameters)[1:]
    return [Value in (_bare(hints.get(name)), *typing.get_args(_bare(hints.get(name)))) for name in names]


def _bare(annotation: Any) -> Any:
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is Annotated else annotation


def annotated_result(call: Callable[..., object]) -> Type:
    """The Go type of what the function gives, by its annotation; `interface {}` where it has none."""
    return type_of_annotation(_hints(call).get("return", object))


def _hints(call: Callable[..., object]) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(call, include_extras=True)
    except Exception:  # annotations that only a type checker can resolve
        return {}


_BY_ANNOTATION: Mapping[Any, Type] = {
    str: STRING,
    int: INT,
    float: FLOAT64,
    bool: BOOL,
    list: SLICE_OF_ANY,
    tuple: SLICE_OF_ANY,
    Sequence: SLICE_OF_ANY,
    dict: MAP_OF_ANY,
    Mapping: MAP_OF_ANY,
}


def type_of_annotation(annotation: Any) -> Type:
    """The Go type of a Python annotation; `interface {}` for what has none."""
    for extra in getattr(annotation, "__metadata__", ()):
        if isinstance(extra, Type):
            return extra
    annotation = _bare(annotation)
    origin = typing.get_origin(annotation)
    if origin in (list, tuple, Sequence) and str in typing.get_args(annotation):
        return SLICE_OF_STRING
    if origin in (dict, Mapping) and typing.get_args(annotation) == (str, str):
        return MAP_OF_STRING
    return _BY_ANNOTATION.get(origin or annotation, ANY)


@define(eq=False)
class FunctionTable:
    """Names bound to functions. The signature of a function is derived when a template first uses it."""

    functions: Mapping[str, Callable[..., object] | Function]
    _bound: dict[str, Function] = field(init=False, factory=dict)

    def get(self, name: str) -> Function | None:
        """The function of this name, None if there is none."""
        if name not in self._bound and name in self.functions:
            call = self.functions[name]
            self._bound[name] = call if isinstance(call, Function) else from_callable(name, call)
        return self._bound.get(name)

"""Template functions return plain data. Anything else is reported before it is used."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dockcaddy.gotemplate import Value
from dockcaddy.gotemplate.functions import annotated_result
from dockcaddy.gotemplate.values import ANY, INT_KINDS, NILABLE_KINDS, STRING, Type, value_of
from dockcaddy.plugins.guard import Unfit
from dockcaddy.settings import limits

# what Go's integers hold, signed or unsigned
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_WANTED = "expected text, a number, true or false, a list or a mapping"


def result_of(function: Callable[..., object]) -> Callable[[object], object]:
    """A check of the function's results: plain data that match its annotation. It raises Unfit."""
    declared = annotated_result(function)

    def check(given: object) -> object:
        if type(given) is str and declared is STRING and len(given) <= limits.MAX_RESULT_TEXT:
            return given
        plain = _Plain().of(given)
        if declared is ANY:
            return plain
        if not _is_of(plain, declared):
            raise Unfit(f"returns {named(given)}, its annotation says {_annotation(function)}")
        return float(plain) if declared.kind == "float64" and isinstance(plain, int) else plain

    return check


def _annotation(function: Callable[..., object]) -> str:
    return inspect.formatannotation(inspect.signature(function).return_annotation)


def _is_of(plain: Any, declared: Type) -> bool:
    if plain is None:
        return declared.kind in NILABLE_KINDS
    value = value_of(plain)
    kind = value.type.kind if value is not None else ""
    if kind == "int" and (declared.kind == "float64" or declared.kind in INT_KINDS):
        return True
    if kind != declared.kind:
        return False
    inner = declared.elem if declared.elem is STRING else None
    elements = plain.values() if isinstance(plain, Mapping) else plain if kind == "slice" else ()
    return inner is None or isinstance(plain, Value) or all(isinstance(each, str) for each in elements)


def named(given: object) -> str:
    """`None`, `a list`, `an object`: how errors name a result."""
    if given is None:
        return "None"
    name = type(given).__name__
    return f"an {name}" if name[:1] in "aeiouAEIOU" else f"a {name}"


class _Plain:
    """Makes plain data of what a function gave, with as many elements as may be."""

    def __init__(self) -> None:
        self._left = limits.MAX_RESULT_ELEMENTS

    def of(self, given: object, depth: int = 0) -> object:
        """The same as plain data. Raises Unfit, and whatever the plugin's own classes raise."""
        if given is None or isinstance(given, bool | Value):
            return given
        if isinstance(given, str):
            return _text(str.__str__(given))
        if isinstance(given, int):
            return _number(int.__int__(given))
        if isinstance(given, float):
            return float.__float__(given)
        if depth > limits.MAX_RESULT_DEPTH:
            raise Unfit(f"returns data that is nested deeper than {limits.MAX_RESULT_DEPTH} levels")
        if isinstance(given, Mapping):
            # keys of a mapping that the plugin made itself may be anything, and as many
            return {self._key(key): self.of(given[key], depth + 1) for key in self._counted(given)}
        if isinstance(given, Sequence) and not isinstance(given, bytes | bytearray | memoryview):
            return [self.of(each, depth + 1) for each in self._counted(given)]
        return _spoken(given)

    def _key(self, given: object) -> object:
        if isinstance(given, str | int | float):
            return self.of(given)
        raise Unfit(f"returns a mapping with {named(given)} as a key, expected text")

    def _counted(self, given: Any) -> Any:
        for each in given:
            self._left -= 1
            if self._left < 0:
                raise Unfit(f"returns more than {limits.MAX_RESULT_ELEMENTS} elements")
            yield each


def _text(text: str) -> str:
    if len(text) > limits.MAX_RESULT_TEXT:
        raise Unfit(f"returns a text longer than {limits.MAX_RESULT_TEXT} characters")
    return text


def _number(number: int) -> int:
    if not _SMALLEST <= number <= _LARGEST:
        raise Unfit("returns a number of more than 64 bits")
    return number


def _spoken(given: object) -> str:
    """What an object says of itself (an address, a path, a date); most have nothing to say."""
    speaks = type(given).__str__
    silent = (object, set, frozenset, bytes, bytearray, memoryview, type, complex)
    if inspect.isawaitable(given) or isinstance(given, silent[1:]) or speaks is object.__str__:
        raise Unfit(f"returns {named(given)}, {_WANTED}")
    return _text(str.__str__(str(given)))

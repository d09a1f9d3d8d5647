"""Lists of strings."""

from collections.abc import Callable, Iterable

from dockcaddy import Context
from dockcaddy.gotemplate import SLICE_OF_STRING, Value, go_bytes

from dockcaddy_sprig.go import CHARACTERS_PER_STEP, Any_, Strings, bounded, dynamic, strings_of, strval


def texts(context: Context, value: Any_) -> list[str]:
    """The elements as texts, nil left out; anything but a list is its only element."""
    if value is None:
        return []
    if value.kind not in ("slice", "array"):
        return [strval(context, value)]
    held = (dynamic(value.index(place)) for place in range(value.length()))
    return [strval(context, each) for each in held if each is not None]


def to_strings(context: Context, value: Any_) -> Strings:
    """The elements as texts, nil left out."""
    if value is not None and value.type.name == "[]string":
        return value
    return strings_of(texts(context, value))


def join(context: Context, separator: str, value: Any_) -> str:
    """The elements joined by the separator, nil left out."""
    parts = texts(context, value)
    bounded(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def _parts(separator: str, text: str, most: int = -1) -> list[str]:
    if most == 0:
        return []
    if separator:
        return text.split(separator, most - 1 if most > 0 else -1)
    letters = list(text)
    return letters if most < 0 or len(letters) <= most else [*letters[: most - 1], "".join(letters[most - 1 :])]


def _numbered(parts: Iterable[str]) -> dict[str, str]:
    return {f"_{place}": part for place, part in enumerate(strings_of(parts).data)}


def split(context: Context, separator: str, text: str) -> dict[str, str]:
    """The parts between the separators, as `_0`, `_1` and so on."""
    return _numbered(_parts(separator, text))


def splitn(context: Context, separator: str, count: int, text: str) -> dict[str, str]:
    """At most COUNT parts, as `_0`, `_1` and so on."""
    return _numbered(_parts(separator, text, count))


def split_list(context: Context, separator: str, text: str) -> Strings:
    """The parts between the separators, as a list."""
    return strings_of(_parts(separator, text))


def sort_alpha(context: Context, value: Any_) -> Strings:
    """The elements as texts, sorted by their bytes."""
    parts = texts(context, value) if value is not None else ["<nil>"]
    context.spend(len(parts) + sum(map(len, parts)) // CHARACTERS_PER_STEP)
    if value is not None and value.type.name == "[]string" and isinstance(value.data, list):
        # Go sorts this one where it lies
        value.data.sort(key=go_bytes)
        return value
    return Value(SLICE_OF_STRING, sorted(parts, key=go_bytes))


FUNCTIONS: dict[str, Callable[..., object]] = {
    "join": join,
    "sortAlpha": sort_alpha,
    "split": split,
    "splitList": split_list,
    "splitn": splitn,
    "toStrings": to_strings,
}

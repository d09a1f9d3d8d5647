"""What the table of allowed modules is written in."""

from collections.abc import Mapping

from attrs import frozen

from dockcaddy_policy.values import Check


@frozen
class Anything:
    """Any value. Where Caddy keeps it secret, it may read secrets."""

    is_secret: bool = False


@frozen
class Inline:
    """A module of a namespace, or several, named at `key` of the object."""

    namespace: str
    key: str


@frozen
class Named:
    """Modules of a namespace by their names."""

    namespace: str


@frozen
class Nested:
    """Routes or matchers."""

    what: str


ANY, SECRET = Anything(), Anything(is_secret=True)
ROUTES, MATCHERS = Nested("routes"), Nested("matchers")
Entry = Anything | Check | Inline | Named | Nested | tuple[Check, ...]
Fields = Mapping[str, Entry]
Modules = Mapping[str, Fields]


def anything(fields: str) -> Fields:
    """Fields that may have any value."""
    return dict.fromkeys(fields.split(), ANY)


def below(path: str, fields: Fields) -> Fields:
    """The fields of the objects at a path."""
    return {f"{path}.{field}": entry for field, entry in fields.items()}


def modules(namespace: str, fields: Modules) -> Modules:
    """The modules of a namespace."""
    return {f"{namespace}.{name}": each for name, each in fields.items()}


def alike(names: str, fields: Fields) -> Modules:
    """Modules with the same fields."""
    return dict.fromkeys(names.split(), fields)

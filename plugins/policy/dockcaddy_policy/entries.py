"""What the table of allowed modules is written in, and what it is as a tree."""

from collections.abc import Mapping

from attrs import define, field, frozen

from dockcaddy_policy.values import Check


@frozen
class Anything:
    """Any value. Where Caddy keeps it secret, it may read secrets."""

    is_secret: bool = False


@frozen
class Inline:
    """A module of a namespace, or several, named at `key` of the object. Without a key, `namespace` is the module."""

    namespace: str
    key: str = ""


@frozen
class Named:
    """Modules of a namespace by their names, or a list of such."""

    namespace: str


ANY, SECRET = Anything(), Anything(is_secret=True)
Entry = Anything | Check | Inline | Named | tuple[Check, ...]
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


@define(eq=False)
class Node:
    """What may stand at a place: what `entry` allows, with these fields, `*` for any other. A leaf says nothing about fields."""

    entry: Entry | None = None
    fields: dict[str, "Node"] = field(factory=dict)

    @classmethod
    def of(cls, table: Fields) -> "Node":
        """The node of a module."""
        root = cls()
        for path, entry in table.items():
            node = root
            for key in path.split(".") if path else ():
                node = node.fields.setdefault(key, cls())
            node.entry = entry
        return root

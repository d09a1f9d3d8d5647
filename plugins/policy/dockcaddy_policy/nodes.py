"""The table as a tree: at each node the fields of an object, each with what may stand there."""

from functools import cache

from attrs import define, field

from dockcaddy_policy.entries import Entry, Fields
from dockcaddy_policy.table import TABLE


@define(eq=False)
class Node:
    """What may stand at a place: what `entry` allows, with these fields. A leaf says nothing about fields."""

    entry: Entry | None = None
    fields: dict[str, "Node"] = field(factory=dict)
    any_field: "Node | None" = None
    is_leaf: bool = True

    @classmethod
    def of(cls, table: Fields) -> "Node":
        """The node of a module."""
        root = cls()
        for path, entry in table.items():
            node = root
            for key in path.split(".") if path else ():
                node = node._below(key)
            node.entry = entry
        return root

    def _below(self, key: str) -> "Node":
        self.is_leaf = False
        if key != "*":
            return self.fields.setdefault(key, Node())
        self.any_field = self.any_field or Node()
        return self.any_field


@cache
def node_of(module: str) -> Node | None:
    """The node of a module, None where the table does not have it."""
    fields = TABLE.get(module, TABLE.get(f"{module.rpartition('.')[0]}.*"))
    return None if fields is None else Node.of(fields)

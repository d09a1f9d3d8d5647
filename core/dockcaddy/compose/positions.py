"""The lines of labels in Compose files: through merged anchors, lists, several files and `extends`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field

from dockcaddy.compose.nodes import (
    Position,
    at,
    check_labels,
    check_root,
    entries,
    is_mapping,
    labelled,
    plain,
    position,
    read_node,
)

# where a service has its labels
SECTIONS: tuple[tuple[str, ...], ...] = (("labels",), ("deploy", "labels"))


@define(eq=False)
class Positions:
    """Where services and labels are: of several files, in the last one that has them."""

    services: dict[str, Position] = field(factory=dict)
    labels: dict[tuple[str, tuple[str, ...], str], Position] = field(factory=dict)
    _roots: dict[str, Any] = field(factory=dict)
    _seen: set[tuple[str, str]] = field(factory=set)

    @classmethod
    def of(cls, files: Sequence[str]) -> "Positions":
        """The positions in these files. Raises SettingsError for a file or a label that cannot be read."""
        made = cls()
        for file in files:
            made._add_file(file)
        return made

    def find(self, service: str, section: tuple[str, ...], label: str) -> Position | None:
        """Where a service has a label; where the service begins if that is not known."""
        return self.labels.get((service, section, label)) or self.services.get(service)

    @property
    def order(self) -> Mapping[str, int]:
        """The services' places in the files."""
        return {name: place for place, name in enumerate(self.services)}

    def of_path(self, path: Sequence[str]) -> Position | None:
        """Where the files have the last of these keys that they have, None where they have none of them."""
        for length in range(len(path), 0, -1):
            for file, root in self._roots.items():
                if (node := at(root, *path[: length - 1])) is not None and path[length - 1] in entries(node):
                    return position(entries(node)[path[length - 1]].key, file)
        return None

    def _root(self, file: str) -> Any:
        if file not in self._roots:
            self._roots[file] = read_node(file)
        return self._roots[file]

    def _add_file(self, file: str) -> None:
        if file in self._roots:
            return
        root = self._root(file)
        check_root(root, file)
        for included in _included(root, file):
            self._add_file(included)
        for name, service in entries(at(root, "services")).items():
            self.services[name] = position(service.key, file)
            self._add_labels(name, service.value, file)
            self._seen.clear()

    def _add_labels(self, name: str, node: Any, file: str) -> None:
        """The labels of a service: first those of the service that it extends, which its own replace."""
        other, base = _extended(node, file)
        if base and (other, base) not in self._seen and Path(other).is_file():
            self._seen.add((other, base))
            self._add_labels(name, at(self._root(other), "services", base), other)
        for section in SECTIONS:
            check_labels(at(node, *section), file)
            for label in labelled(at(node, *section)):
                self.labels[name, section, label.name] = position(label.key, file)


def _extended(node: Any, file: str) -> tuple[str, str]:
    """The file and the name of the service that this one extends, empty if it is none."""
    said = plain(at(node, "extends"))
    if isinstance(said, str):
        return file, said
    if not isinstance(said, dict) or not isinstance(said.get("service"), str):
        return "", ""
    other = said.get("file")
    return (str(Path(file).parent / other) if isinstance(other, str) else file), said["service"]


def _included(root: Any, file: str) -> list[str]:
    """The files that a file includes and that are there."""
    named: list[str] = []
    said = plain(at(root, "include")) if is_mapping(root) else None
    for each in said if isinstance(said, list) else ():
        paths = each.get("path") if isinstance(each, dict) else each
        named += [str(path) for path in (paths if isinstance(paths, list) else [paths]) if path]
    found = [Path(file).parent / path for path in named]
    return [str(path) for path in found if path.is_file()]

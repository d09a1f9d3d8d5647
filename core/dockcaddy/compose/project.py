"""A Compose project: its resolved model, and where its services have their labels."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import field, frozen

from dockcaddy.compose import loader
from dockcaddy.compose.docker_compose import Resolved, compose_program, resolve
from dockcaddy.compose.nodes import Position
from dockcaddy.compose.positions import Positions
from dockcaddy.errors import ComposeFileError
from dockcaddy.model import Problem

# in a folder: the first of these, and its override; https://docs.docker.com/compose/intro/compose-application-model/
_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_PATH = re.compile(r"\b(?:services|networks|volumes|configs|secrets)(?:\.[\w-]+)+")
_UNSET = "not set, it becomes an empty text: set it, or write $$ for a dollar sign"


@frozen(eq=False)
class Project:
    """A project. `problems` are what could not be resolved; `places` are their lines, by resource."""

    name: str
    model: Mapping[str, Any]
    positions: Positions
    files: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    places: Mapping[str, Position] = field(factory=dict)

    @property
    def services(self) -> dict[str, Mapping[str, Any]]:
        """The services of the profiles in use, by name, in the order of the files."""
        found = {name: each or {} for name, each in (self.model.get("services") or {}).items()}
        order = self.positions.order
        return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))


def load_project(
    paths: Sequence[str],
    profiles: Sequence[str],
    environment: Mapping[str, str],
    *,
    program: Sequence[str] | None = None,
) -> Project:
    """The project of these files; a folder stands for the files that Compose reads in it. Raises SettingsError.

    Docker Compose resolves it. Where there is none (`program` is empty), our own loader does, and says what it left out.
    """
    files = tuple(file for path in paths for file in _files(path))
    positions = Positions.of(files)
    program = compose_program() if program is None else program
    try:
        resolved = resolve(program, files, profiles) if program else loader.resolve(files, profiles, environment)
    except ComposeFileError as error:
        raise _placed(error, positions) from error.__cause__
    if not resolved.model.get("services"):
        raise ComposeFileError(files[0], "no services, or all of them are in profiles: --profile NAME")
    problems = [Problem(f"compose {files[0]}", "", each, "warning") for each in resolved.unresolved]
    problems += [Problem(f"variable {each}", "", _UNSET, "warning") for each in resolved.unset]
    lines = {f"variable {each}": _line(each, files) for each in resolved.unset}
    places = {resource: line for resource, line in lines.items() if line is not None}
    return Project(_name(resolved, files[0]), resolved.model, positions, files, tuple(problems), places)


def _placed(error: ComposeFileError, positions: Positions) -> ComposeFileError:
    """The error with the line of the key that it is about, where it names one."""
    named = _PATH.search(error.reason)
    at = positions.of_path(named[0].split(".")) if named and not error.line else None
    return error if at is None else ComposeFileError(at.file, error.reason, at.line)


def _name(resolved: Resolved, file: str) -> str:
    return str(resolved.model.get("name") or loader.project_name(file))


def _files(path: str) -> list[str]:
    folder = Path(path)
    if not folder.is_dir():
        return [path]
    first = next((folder / name for name in _NAMES if (folder / name).is_file()), None)
    if first is None:
        raise ComposeFileError(path, f"no {_NAMES[0]} in this folder")
    overrides = [first.with_suffix(f".override{suffix}") for suffix in (".yaml", ".yml")]
    return [str(first), *(str(each) for each in overrides[:2] if each.is_file())][:2]


def _line(variable: str, files: Sequence[str]) -> Position | None:
    used = re.compile(rf"(?<!\$)(?:\$\$)*\$(?:{variable}\b|\{{{variable}\b)")
    for file in files:
        for number, line in enumerate(Path(file).read_text(errors="replace").splitlines(), 1):
            if used.search(line.partition(" #")[0]):
                return Position(file, number)
    return None

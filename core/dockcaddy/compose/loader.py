"""Resolves a project where there is no Docker Compose: what labels need, and a warning for what it leaves out."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dockcaddy.compose.docker_compose import Resolved
from dockcaddy.compose.interpolation import interpolated
from dockcaddy.compose.nodes import plain, read_node
from dockcaddy.compose.shapes import check_shapes
from dockcaddy.compose.short_forms import as_mapping, long_form
from dockcaddy.errors import ComposeFileError, SettingsError

_FILE = ".env"
_WITHOUT = "read without Docker Compose, which is not there: values may differ from those that it would use"
# keys of a file that are not read
_IGNORED = {
    "include": "the files that it includes are not read",
    "provider": "what it provides is not known",
}
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][\w.]*)\s*=\s*(.*?)\s*")


def resolve(files: Sequence[str], profiles: Sequence[str], environment: Mapping[str, str]) -> Resolved:
    """The project of these files. Raises SettingsError."""
    folder = Path(files[0]).parent
    variables = {**variables_of(folder / _FILE), **environment}
    unset: dict[str, None] = {}
    model: dict[str, Any] = {}
    for file in files:
        model = _merged(model, _services_in(file, variables, unset))
    unresolved = [_WITHOUT, *(f'"{key}" needs Docker Compose: {why}' for key, why in _IGNORED.items() if key in model)]
    chosen = {*profiles, *filter(None, variables.get("COMPOSE_PROFILES", "").split(","))}
    services = {
        name: long_form(each, folder, variables)
        for name, each in (model.get("services") or {}).items()
        if not each.get("profiles") or "*" in chosen or chosen.intersection(each["profiles"])
    }
    name = variables.get("COMPOSE_PROJECT_NAME") or model.get("name") or project_name(files[0])
    resolved = {**model, "name": name, "services": services}
    for kind in ("networks", "volumes", "configs"):
        resolved[kind] = {key: _named(key, each or {}, name) for key, each in (model.get(kind) or {}).items()}
    resolved["networks"].setdefault("default", {"name": f"{name}_default"})
    return Resolved(resolved, tuple(unset), tuple(unresolved))


def project_name(file: str) -> str:
    """The name of a project without one, which is its folder's."""
    folder = Path(file).resolve().parent.name
    return re.sub(r"[^a-z0-9_-]", "", folder.lower()).lstrip("_-") or "default"


def variables_of(path: Path) -> dict[str, str]:
    """The variables of an `.env` file, none where there is no such file."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found = (_ASSIGNMENT.fullmatch(line) for line in lines)
    return {each[1]: _unquoted(each[2]) for each in found if each}


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text.partition(" #")[0].rstrip()


def _services_in(file: str, variables: Mapping[str, str], unset: dict[str, None]) -> dict[str, Any]:
    """A file as data, its services with those that they extend."""
    try:
        found = interpolated(plain(read_node(file)), variables, unset.setdefault)
        check_shapes(found)
    except ComposeFileError:
        raise
    except SettingsError as error:
        raise ComposeFileError(file, str(error)) from None
    if found is None:
        return {}
    services = {name: each or {} for name, each in (found.get("services") or {}).items()}
    made = {name: _whole(each, services, file, variables, unset, ()) for name, each in services.items()}
    return {**found, "services": made}


def _whole(
    service: dict[str, Any],
    services: Mapping[str, Any],
    file: str,
    variables: Mapping[str, str],
    unset: dict[str, None],
    seen: tuple[str, ...],
) -> dict[str, Any]:
    """The service with what it extends, in which labels and the like are mappings."""
    said = service.get("extends")
    base: dict[str, Any] = {}
    if said:
        name = said if isinstance(said, str) else str(said.get("service"))
        other = "" if isinstance(said, str) else str(said.get("file") or "")
        place = f"{other}:{name}"
        if place in seen:
            raise ComposeFileError(file, f'"{name}" extends itself')
        if other:
            path = str(Path(file).parent / other)
            base = _services_in(path, variables, unset)["services"].get(name)
        elif name in services:
            base = _whole(services[name], services, file, variables, unset, (*seen, place))
        if not base:
            raise ComposeFileError(file, f'extends "{name}", and there is no such service')
    own = {key: each for key, each in service.items() if key != "extends"}
    merged: dict[str, Any] = _merged(base, as_mapping(own))
    return merged


def _merged(base: Any, over: Any) -> Any:
    """Mappings are merged and lists joined, as Compose does with several files; but a command replaces the other one."""
    if isinstance(base, dict) and isinstance(over, dict):
        kept = {key: each for key, each in base.items() if key not in over}
        return {**kept, **{key: _joined(key, base.get(key), each) for key, each in over.items()}}
    return over


def _joined(key: str, base: Any, over: Any) -> Any:
    if isinstance(base, list) and isinstance(over, list) and key not in ("command", "entrypoint", "test"):
        return [*base, *(each for each in over if each not in base)]
    return _merged(base, over) if over is not None else base


def _named(key: str, item: Mapping[str, Any], project: str) -> dict[str, Any]:
    return {"name": key if item.get("external") else f"{project}_{key}", **item}

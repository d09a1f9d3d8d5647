"""Merge the core's settings from flags, environment and dockcaddy.toml."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli

from dockcaddy.errors import SettingsError
from dockcaddy.files import unreadable
from dockcaddy.settings import engine_tables
from dockcaddy.settings.table import CORE_SECTIONS, OPTIONS, PLURALS, Option, Settings, nearest
from dockcaddy.settings.values import written

CONFIG_FILES = ("dockcaddy.toml", "/etc/dockcaddy/dockcaddy.toml")
_BY_NAME = {option.name: option for option in OPTIONS}


def load(
    flags: Mapping[str, Any], environment: Mapping[str, str], config: str = "", overrides: Sequence[str] = ()
) -> Settings:
    """The settings of all sources. `flags` are values by option name, None if not given; `config` is a file's path.

    `overrides` are `SECTION.KEY=VALUE` texts, which have the highest precedence. The settings of plugins are kept
    unchecked for `load_sections`. Raises SettingsError, which names the source, the key and the nearest valid key.
    """
    path, document = _read_file(config)
    engines = _engines(path, document)
    core, sections = _split(document)
    given = {name: value for name, value in flags.items() if value is not None}
    others = {**_from_environment(environment), **given}
    if "docker_sockets" in others:
        # these are other engines
        engines = {}
    values = {**engines, **_from_file(path, core), **others}
    rest = tuple(override for override in overrides if not _override(values, override))
    return Settings(**values, source=path, sections=sections, overrides=rest)


def _read_file(config: str) -> tuple[str, dict[str, Any]]:
    path = config or next((path for path in CONFIG_FILES if Path(path).is_file()), "")
    if not path:
        return "", {}
    try:
        return path, tomli.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {unreadable(error)}") from error
    except RecursionError as error:
        raise SettingsError(f"{path}: not TOML: nested too deeply") from error
    except tomli.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error


def _engines(path: str, document: dict[str, Any]) -> dict[str, Any]:
    """The options of the tables `[[engines]]`, which are taken out of the document."""
    if (tables := document.pop("engines", None)) is None:
        return {}
    try:
        for option in sorted(engine_tables.OPTIONS & document.keys()):
            raise ValueError(f"engines and {option} are both given, leave one of them out")
        found = engine_tables.engine_lists(tables, Path(path).parent)
        for name, value in found.items():
            _BY_NAME[name].check(value)
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from None
    return found


def _split(document: Mapping[str, Any]) -> tuple[list[tuple[str, str, Any]], dict[str, dict[str, Any]]]:
    """The core's own entries as (section, key, value), and the tables of the plugins."""
    core: list[tuple[str, str, Any]] = []
    sections: dict[str, dict[str, Any]] = {}
    for key, value in document.items():
        if not isinstance(value, dict):
            core.append(("", key, value))
        elif key in CORE_SECTIONS:
            core += [(key, inner, content) for inner, content in value.items()]
        else:
            sections[key] = value
    return core, sections


def _find(section: str, key: str) -> Option | None:
    """The option of a key, written with `-` or `_`. Options of a section may be at the top level too."""
    name = key.replace("-", "_")
    option = _BY_NAME.get(PLURALS.get(name, name))
    return option if option is not None and section in ("", option.section) else None


def _unknown(section: str, key: str) -> str:
    known = [option.name for option in OPTIONS if section in ("", option.section)]
    spelled = f"{section}.{key}" if section else key
    word = key.replace("-", "_").lower()
    return f'unknown key "{spelled}"{nearest(word, known if section else [*known, *PLURALS])}'


def _from_file(path: str, entries: Iterable[tuple[str, str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for section, key, value in entries:
        option = _find(section, key)
        if option is None:
            raise SettingsError(f"{path}: {_unknown(section, key)}")
        if option.name in values:
            raise SettingsError(f'{path}: key "{key}": {option.name} is given twice')
        try:
            values[option.name] = anchored(option, option.from_toml(value), Path(path).parent)
        except ValueError as error:
            raise SettingsError(f"{path}: {key} = {written(value)}: {error}") from None
    return values


def anchored(option: Option, value: Any, folder: Path) -> Any:
    """The value of an option; relative paths in it are relative to the folder."""
    if folder == Path() or not value or option.kind not in ("path", "paths"):
        return value
    return str(folder / value) if option.kind == "path" else tuple(str(folder / each) for each in value)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for option in OPTIONS:
        sources: tuple[tuple[str, Callable[[str], Any]], ...] = (
            (option.variable, option.parse),
            (option.peer, option.parse_peers),
        )
        for name, parse in sources:
            text = environment.get(name, "") if name else ""
            if text and option.name not in values:
                try:
                    values[option.name] = parse(text)
                except ValueError as error:
                    raise SettingsError(f"environment variable {name}={text!r}: {error}") from None
    return values


def _override(values: dict[str, Any], override: str) -> bool:
    """Set the value of `SECTION.KEY=VALUE`. Returns False if it is a setting of a plugin."""
    spelled, sign, text = override.partition("=")
    section, _, key = spelled.strip().rpartition(".")
    if not sign or not key:
        raise SettingsError(f"--set {override}: write --set SECTION.KEY=VALUE")
    if section and section not in CORE_SECTIONS:
        return False
    option = _find(section, key)
    if option is None:
        raise SettingsError(f"--set {override}: {_unknown(section, key)}")
    try:
        values[option.name] = option.parse(text)
    except ValueError as error:
        raise SettingsError(f"--set {override}: {error}") from None
    return True

"""The table of options for the docs, and the plugins' settings for the help."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from dockcaddy.hookspecs import SettingsSection
from dockcaddy.settings.table import OPTIONS, PLURALS, PREFIX, Option

# the type of defaults that are made by a factory
_FACTORY: type = type(attrs.Factory(tuple))
# the placeholder of a value in the help, by type
_METAVARS: Mapping[Any, str] = {bool: "[true|false]", int: "NUMBER", float: "DURATION", tuple[str, ...]: "LIST"}
_HEAD = ("option", "dockcaddy.toml", "environment", "caddy-docker-proxy's", "default", "meaning")


def option_table(sections: Sequence[SettingsSection] = ()) -> str:
    """The options as a Markdown table, followed by those of the plugins' `sections`."""
    config = ("`--config FILE`", "", f"`{PREFIX}CONFIG`", "", "", "the settings file; else ./dockcaddy.toml, else")
    rows = [_HEAD, ("---",) * len(_HEAD), (*config[:-1], f"{config[-1]} /etc/dockcaddy/dockcaddy.toml")]
    rows += map(_row, OPTIONS)
    rows += (row for section in sections for row in _section_rows(section))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _row(option: Option) -> tuple[str, ...]:
    peer = f"`{option.peer}`" if option.peer else ""
    key = next((plural for plural, name in PLURALS.items() if name == option.name), option.name)
    spelled = f"`[{option.section}] {key}`" if option.section else f"`{key}`"
    return f"`{option.flag}`", spelled, f"`{option.variable}`", peer, _shown(option.default, option.kind), option.help


def _section_rows(section: SettingsSection) -> Iterator[tuple[str, ...]]:
    for each in attrs.fields(section.schema):
        variable = f"{PREFIX}{section.name}_{each.name}".upper()
        flag, key = f"`--set {section.name}.{each.name}=VALUE`", f"`[{section.name}] {each.name}`"
        yield flag, key, f"`{variable}`", "", _shown(each.default), each.metadata.get("help", "")


def section_records(sections: Sequence[SettingsSection]) -> list[tuple[str, str]]:
    """The settings of plugins for the help: `SECTION.FIELD [true|false]`, and the meaning."""
    return [
        (f"{section.name}.{each.name} {_METAVARS.get(each.type, 'TEXT')}", _meaning(each))
        for section in sections
        for each in attrs.fields(attrs.resolve_types(section.schema))
        if each.init
    ]


def _meaning(setting: "attrs.Attribute[Any]") -> str:
    default = _spelled(setting.default, "")
    return (
        f"{setting.metadata.get('help', '')}  [default: {default}]".strip()
        if default
        else setting.metadata.get("help", "")
    )


def shown_default(option: Option) -> str:
    """The default as written in settings, `""` if there is none."""
    return _spelled(option.default, option.kind)


def _shown(default: Any, kind: str = "") -> str:
    spelled = _spelled(default, kind)
    return f"`{spelled}`" if spelled else ""


def _spelled(default: Any, kind: str) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    if isinstance(default, _FACTORY):
        return ""
    if kind == "duration":
        return f"{default:g}s" if default >= 1 else f"{default * 1000:g}ms"
    return "" if default in (None, attrs.NOTHING) else str(default)

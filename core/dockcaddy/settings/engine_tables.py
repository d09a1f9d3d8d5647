"""The tables `[[engines]]` of dockcaddy.toml: one engine each, in the place of the aligned lists of options."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dockcaddy.settings.table import nearest

# key -> the option whose list has it
_LISTS = {
    "name": "docker_names",
    "url": "docker_sockets",
    "context": "docker_sockets",
    "certs_path": "docker_certs_path",
    "api_version": "docker_apis_version",
    "reach": "docker_reach",
}
OPTIONS = frozenset(_LISTS.values())


def engine_lists(tables: object, folder: Path) -> dict[str, tuple[str, ...]]:
    """The values of the options by name. Relative paths are relative to `folder`. Raises ValueError."""
    if not isinstance(tables, list) or not tables or not all(isinstance(each, dict) for each in tables):
        raise ValueError("engines: write a table [[engines]] for each engine")
    rows = [_row(table, f"engines[{place}]", folder) for place, table in enumerate(tables)]
    return {option: _column(rows, option) for option in sorted(OPTIONS)}


def _row(table: Mapping[str, Any], path: str, folder: Path) -> dict[str, str]:
    for key, value in table.items():
        if key not in _LISTS:
            raise ValueError(f'{path}: unknown key "{key}"{nearest(key, _LISTS)}')
        if not isinstance(value, str):
            raise ValueError(f"{path}.{key}: expected a text")
    if table.get("url") and table.get("context"):
        raise ValueError(f"{path}: url and context are both given, leave one of them out")
    row = {_LISTS[key]: value.strip() for key, value in table.items() if key != "context"}
    if table.get("context"):
        row["docker_sockets"] = f"context://{table['context'].strip()}"
    if row.get("docker_certs_path"):
        row["docker_certs_path"] = str(folder / row["docker_certs_path"])
    return row


def _column(rows: Sequence[Mapping[str, str]], option: str) -> tuple[str, ...]:
    return tuple(row.get(option, "") for row in rows)

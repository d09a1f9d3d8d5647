"""Every option, argument and setting is read by something: none is accepted and forgotten."""

import ast
from collections.abc import Iterable
from pathlib import Path

import attrs
import pytest
from dockcaddy import plugins
from dockcaddy.hookspecs import SettingsSection
from dockcaddy.settings.table import OPTIONS

ROOT = Path(__file__).parent.parent.parent
CORE = ROOT / "core" / "dockcaddy"
COMMANDS = sorted((CORE / "cli").glob("*.py"))
# the table and what fills it do not count as reading; the paths that come of two options do
TABLE = dict.fromkeys((CORE / "settings").glob("*.py"), "self")


def read_attributes(paths: Iterable[Path]) -> set[str]:
    """The names read as `settings.NAME` or `x.settings.NAME`, in the table itself as `self.NAME`."""
    found = set()
    for path in paths:
        owner = TABLE.get(path, "settings")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                of = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
                if of.lstrip("_") == owner:
                    found.add(node.attr)
    return found


def test_every_option_of_the_table_is_read() -> None:
    read = read_attributes(CORE.rglob("*.py"))
    assert {option.name for option in OPTIONS} - read == set()


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_every_parameter_of_a_command_is_read(path: Path) -> None:
    for function in ast.walk(ast.parse(path.read_text())):
        if not isinstance(function, ast.FunctionDef) or not any(
            "command" in ast.unparse(d) for d in function.decorator_list
        ):
            continue
        given = {
            each.arg for each in (*function.args.args, *function.args.kwonlyargs, *filter(None, [function.args.kwarg]))
        }
        read = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        assert given <= read, path


@pytest.mark.parametrize("section", plugins.load().sections, ids=lambda section: section.name)
def test_every_setting_of_a_plugin_is_read(section: SettingsSection) -> None:
    package = section.schema.__module__.partition(".")[0]
    read = {
        node.attr
        for found in (ROOT / "plugins").glob(f"*/{package}*")
        for path in (found.rglob("*.py") if found.is_dir() else [found])
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    assert {field.name for field in attrs.fields(section.schema)} <= read

"""No option is accepted in silence: each is read somewhere."""

import ast
from functools import cache
from pathlib import Path

import pytest
from dockcaddy.settings.table import OPTIONS

CORE = Path(__file__).parent.parent.parent / "core" / "dockcaddy"


@cache
def read_attributes() -> set[str]:
    """What is read of something that is called settings, anywhere but where settings are made."""
    found = set()
    for path in CORE.rglob("*.py"):
        if path.parent.name != "settings":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and ast.unparse(node.value).rpartition(".")[2] == "settings":
                    found.add(node.attr)
    # where the settings themselves say what they come to
    said = {"state_path": "state_directory", "address_path": "address_directory"}
    return found | {option for path, option in said.items() if path in found}


@pytest.mark.parametrize("name", [option.name for option in OPTIONS])
def test_every_option_is_read(name: str) -> None:
    assert name in read_attributes(), f"{name} does nothing"

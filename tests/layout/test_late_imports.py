"""Imports stand at the top of a file; one inside a function says why in words, or is in a place that is here with its reason."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MODULES = sorted([*(ROOT / "core").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])
# folder of the core -> why its functions may import
PLACES = {
    "cli": "a command imports only what it runs, so that each starts at once",
}
CODE = "# noqa: PLC0415"


def late_imports(path: Path) -> list[int]:
    """The lines of the imports inside functions, the first of each run of overlaps."""
    lines: set[int] = set()
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            found = (node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom))
            lines |= {node.lineno for node in found}
    return sorted(line for line in lines if line - 1 not in lines)


def reason(path: Path, line: int) -> str:
    """What is said behind the import, or in a comment above it."""
    lines = path.read_text().splitlines()
    behind, above = lines[line - 1].partition("#")[2], lines[line - 2].strip()
    said = behind.removeprefix(CODE.removeprefix("#")).strip()
    return said or (above if above.startswith("#") else "")


def test_an_import_inside_a_function_says_why() -> None:
    missing = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in MODULES
        if path.relative_to(ROOT).parts[:2] != ("core", "dockcaddy") or path.relative_to(ROOT).parts[2] not in PLACES
        for line in late_imports(path)
        if len(reason(path, line).split()) < 3
    ]
    assert missing == [], f"say why behind {CODE}"


@pytest.mark.parametrize("place", PLACES)
def test_every_place_with_late_imports_needs_them(place: str) -> None:
    assert any(map(late_imports, (ROOT / "core/dockcaddy" / place).rglob("*.py")))


def test_a_missing_reason_is_found(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text(
        f"def f():\n    import os  {CODE}\n    import re  {CODE}\n    x = 1\n    import ast  {CODE}  it is slow to import\n"
    )
    assert [(line, reason(path, line)) for line in late_imports(path)] == [(2, ""), (5, "it is slow to import")]

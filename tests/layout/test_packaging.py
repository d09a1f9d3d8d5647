"""How the project is installed, also where it cannot be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import tomli
from dockcaddy import __version__

# what `pip install` runs first, by PEP 517: the backend is imported, in an environment that has what is required
IMPORT = "import sys; sys.path.insert(0, {folder!r}); sys.version_info = {version!r}; import build_backend"


@pytest.mark.process
@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 9, 18), (3, 10, 13)])
def test_an_older_python_is_told_at_once_what_is_needed(project: Path, version: tuple[int, int, int]) -> None:
    code = IMPORT.format(folder=str(project), version=(*version, "final", 0))
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert told.stderr.startswith(f"dockcaddy needs Python 3.11 or newer, and this is Python {version[0]}.{version[1]}")
    assert len(told.stderr.splitlines()) == 1


def test_nothing_is_fetched_for_an_older_python_before_it_is_told(project: Path) -> None:
    settings = tomli.loads((project / "pyproject.toml").read_text())
    build = settings["build-system"]
    assert build["build-backend"] == "build_backend" and build["backend-path"] == ["."]
    assert all("; python_version >= '3.11'" in each for each in build["requires"])
    assert settings["project"]["requires-python"] == ">=3.11"


def test_every_python_can_read_the_backend(project: Path) -> None:
    tree = ast.parse((project / "build_backend.py").read_text(), feature_version=(3, 4))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.AnnAssign)]


def test_the_version_is_the_same_everywhere_and_in_the_changelog(project: Path) -> None:
    assert tomli.loads((project / "pyproject.toml").read_text())["project"]["version"] == __version__
    assert f"\n## {__version__} - " in (project / "CHANGELOG.md").read_text()

"""Golden files: what is expected of a case stands in a file beside its input.

`pytest --update-golden` writes these files anew, and `git diff` shows what has changed. What must not change that way,
such as who is left out, stands in the input.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tomli
from attrs import frozen

SWITCH = "--update-golden"
# where one of these is set, nobody looks at what would be written
UNATTENDED = ("CI", "DOCKCADDY_TESTS_NEED_ENGINE")


def why_not_to_update(environment: Mapping[str, str]) -> str:
    """The reason against writing golden files here, `""` where there is none."""
    found = [name for name in UNATTENDED if environment.get(name)]
    return f"{SWITCH} is for a person who reads the difference, and {found[0]} is set" if found else ""


@frozen
class Golden:
    """Compares with golden files, or writes them anew."""

    update: bool = False

    def __call__(self, path: Path, made: str) -> None:
        """Fail unless the file holds what was made."""
        expected = path.read_text(encoding="utf-8") if path.is_file() else None
        if expected == made:
            return
        if self.update:
            path.write_text(made, encoding="utf-8")
        elif expected is None:
            pytest.fail(f"there is no {path}: pytest {SWITCH} writes it")
        else:
            lines = difflib.unified_diff(expected.splitlines(), made.splitlines(), "expected", "made", lineterm="")
            pytest.fail("\n".join([f"{path} differs; where that is right, pytest {SWITCH}", *lines]))


@frozen
class Case:
    """The input of a case in TOML: settings of the case, and a table of labels for each container, the oldest first."""

    path: Path
    settings: dict[str, Any]
    containers: dict[str, dict[str, str]]

    @property
    def expected(self) -> Path:
        """The golden file."""
        return self.path.with_suffix(".expected")


def read_case(path: Path) -> Case:
    """The case in a file."""
    found = tomli.loads(path.read_text(encoding="utf-8"))
    tables = {name: labels for name, labels in found.items() if isinstance(labels, dict)}
    return Case(path, {name: value for name, value in found.items() if name not in tables}, tables)


def cases(folder: Path) -> list[Any]:
    """All cases of a folder as parameters of a test, named like their files."""
    return [pytest.param(read_case(path), id=path.stem) for path in sorted(folder.glob("*.toml"))]


def updating(config: pytest.Config) -> bool:
    """Whether golden files are to be written. Raises UsageError where nobody would look at them."""
    update = bool(config.getoption(SWITCH))
    if update and (reason := why_not_to_update(os.environ)):
        raise pytest.UsageError(reason)
    return update

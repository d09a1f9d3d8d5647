"""Compose files in an empty folder, read by Docker Compose and without it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import dockcaddy
from dockcaddy.compose import Project, load_project

__all__ = ["compose_files", "dockcaddy", "load"]


@pytest.fixture
def compose_files(sandbox: Path) -> Callable[..., None]:
    """Writes files by name."""

    def write(**files: str) -> None:
        for name, text in files.items():
            (sandbox / (".env" if name == "env" else f"{name}.yaml")).write_text(text)

    return write


@pytest.fixture
def load(sandbox: Path) -> Callable[..., Project]:
    """Loads the project of these files without Docker Compose."""

    def read(*paths: str, profiles: tuple[str, ...] = (), **variables: str) -> Project:
        return load_project(paths, profiles, variables, program=())

    return read

"""Where `render`, `check`, `explain` and `snapshot` read the inventory from."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from dockcaddy.cli.options import Environment
from dockcaddy.daemon import BaseFile, engines_for, options_for, pipeline_for
from dockcaddy.errors import SettingsError
from dockcaddy.model import Inventory, Problem
from dockcaddy.pipeline import BaseCaddyfile, Pipeline


def read_inventory(environment: Environment, path: str) -> Inventory:
    """The inventory of a snapshot file (`-`: standard input), or of the engines where there is no path."""
    if path:
        from dockcaddy.engine import from_snapshot  # noqa: PLC0415

        return from_snapshot(_document(path), options_for(environment.settings))
    engines = engines_for(environment.settings)
    return Inventory(tuple(engine.inventory() for engine in engines))


def _document(path: str) -> Any:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--inventory {path}: cannot be read: {error}") from error
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingsError(f"--inventory {path}: not JSON: {error}") from error


def pipeline_and_base(environment: Environment) -> tuple[Pipeline, BaseCaddyfile | None]:
    """The pipeline, and the operator's Caddyfile where one is named."""
    settings = environment.settings
    pipeline = pipeline_for(settings, environment.registry, environment.sections)
    return pipeline, BaseFile(settings.caddyfile_path)() if settings.caddyfile_path else None


def tell(problems: tuple[Problem, ...]) -> bool:
    """Print problems to standard error, one a line; whether one of them is an error."""
    for problem in problems:
        click.echo(f"{problem.severity}: {problem}", err=True)
    return any(problem.severity == "error" for problem in problems)

"""Where `render`, `check` and `explain` read the inventory from, and how they tell problems."""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click
from attrs import evolve, frozen

from dockcaddy.cli.options import Environment
from dockcaddy.errors import CaddyUnreachable, SettingsError
from dockcaddy.files import unreadable
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Problem
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from dockcaddy.run.composition import engines_for, options_for, pipeline_for, served_by_program, served_unchecked
from dockcaddy.run.operator_files import load_environment_file, read_base

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

logger = logging.getLogger("dockcaddy")

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def inventory_option(command: Decorated) -> Decorated:
    """Add `--inventory FILE`."""
    help = "a snapshot instead of the engine, - for standard input"
    return click.option("--inventory", "path", default="", metavar="FILE", help=help)(command)


def read_inventory(environment: Environment, path: str, *, thorough: bool = False) -> Inventory:
    """The inventory of a snapshot file (`-`: standard input), or of the engines where there is no path.

    A `thorough` one has containers without labels of ours looked at, too. Raises SettingsError, SnapshotError, EngineUnreachable.
    """
    if path:
        from dockcaddy.engine import SnapshotError, from_snapshot  # noqa: PLC0415

        try:
            return from_snapshot(_document(path), options_for(environment.settings))
        except SnapshotError as error:
            raise SnapshotError(f"{error} (--inventory {path})") from error
    engines = engines_for(environment.settings)
    found = [engine.inventory() for engine in engines]
    if thorough:
        more = [(*each.problems, *engine.overlooked()) for each, engine in zip(found, engines, strict=True)]
        found = [evolve(each, problems=problems) for each, problems in zip(found, more, strict=True)]
    return Inventory(tuple(found))


def _document(path: str) -> Any:
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--inventory {path}: {unreadable(error)}") from error
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}" if text.strip() else "it is empty"
        raise SettingsError(f"--inventory {path}: not JSON: {where}") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"--inventory {path}: not JSON: nested too deeply, or a number without end") from error
    return _mended(document) if re.search(r"\\u[dD][89a-fA-F]", text) else document


def _mended(value: Any) -> Any:
    """Half a surrogate pair is U+FFFD, as Go's encoding/json reads it."""
    if isinstance(value, str):
        return _HALF_CHARACTER.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(each) for each in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(each) for key, each in value.items()}
    return value


def pipeline_and_base(environment: Environment) -> tuple[Pipeline, BaseCaddyfile | None]:
    """The pipeline, and the operator's Caddyfile where one is named. Raises SettingsError where it cannot be read."""
    pipeline = pipeline_for(environment.settings, environment.registry, environment.sections)
    return pipeline, read_base(environment.settings.caddyfile_path)


@frozen
class Served:
    """What would be served of an inventory. `unchecked` tells why no Caddy was asked, `""` where one was."""

    configuration: Configuration
    unchecked: str = ""


def served(
    environment: Environment, pipeline: Pipeline, inventory: Inventory, base: BaseCaddyfile | None, path: str
) -> Served:
    """What would be served of the inventory that `path` names. Raises SettingsError."""
    settings = environment.settings
    if settings.envfile:
        load_environment_file(settings.envfile)
    try:
        return Served(served_by_program(settings, pipeline, inventory, base, elsewhere=bool(path)))
    except CaddyUnreachable as error:
        return Served(served_unchecked(settings, pipeline, inventory, base), str(error))


def tell(problems: Iterable[Problem]) -> bool:
    """Log problems, one a line, each once; whether one of them is an error."""
    told = dict.fromkeys(problems)
    for problem in told:
        level = logging.ERROR if problem.severity == "error" else logging.WARNING
        logger.log(level, "%s", problem, extra={"resource": problem.resource, "label": problem.label})
    return any(problem.severity == "error" for problem in told)

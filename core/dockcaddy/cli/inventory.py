"""How `render`, `check` and `explain` read the inventory and report problems."""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from attrs import evolve, frozen

from dockcaddy.cli.options import Environment, start
from dockcaddy.errors import CaddyUnreachable, SettingsError
from dockcaddy.files import unreadable
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Problem
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from dockcaddy.run.comparison import Comparison, peers_settings
from dockcaddy.run.composition import pipeline_for
from dockcaddy.run.engines import engines_for, options_for
from dockcaddy.run.environment_file import load_environment_file
from dockcaddy.run.operator_files import read_base
from dockcaddy.run.preview import served_by_program, served_unchecked
from dockcaddy.settings import limits
from dockcaddy.settings.table import Settings

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

logger = logging.getLogger("dockcaddy")

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def inventory_option(command: Decorated) -> Decorated:
    """Add `--inventory FILE`."""
    help = "read a snapshot instead of the engine, - for standard input"
    return click.option("--inventory", "path", default="", metavar="FILE", help=help)(command)


def read_inventory(settings: Settings, path: str, *, thorough: bool = False, document: Any = None) -> Inventory:
    """The inventory of a snapshot file (`-`: standard input), or of the engines if `path` is empty.

    A `document` is what has been read at the path. With `thorough`, containers without labels of ours are checked for
    labels that were probably meant for us. Raises SettingsError, SnapshotError and EngineUnreachable.
    """
    if path:
        from dockcaddy.engine import SnapshotError, from_snapshot  # noqa: PLC0415

        try:
            return from_snapshot(_document(path) if document is None else document, options_for(settings))
        except SnapshotError as error:
            raise SnapshotError(f"{error} (--inventory {path})") from error
    engines = engines_for(settings)
    found = [engine.inventory() for engine in engines]
    if len(found) > 1:
        # which addresses of an engine count depends on what the others have
        found = [engine.inventory() for engine in engines]
    if thorough:
        more = [(*each.problems, *engine.overlooked()) for each, engine in zip(found, engines, strict=True)]
        found = [evolve(each, problems=problems) for each, problems in zip(found, more, strict=True)]
    return Inventory.of(found)


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
        raise SettingsError(f"--inventory {path}: not JSON: nested too deeply, or a number is too long") from error
    return _without_surrogates(document) if re.search(r"\\u[dD][89a-fA-F]", text) else document


def _without_surrogates(value: Any) -> Any:
    """Half a surrogate pair becomes U+FFFD, as in Go's encoding/json."""
    if isinstance(value, str):
        return _HALF_CHARACTER.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
    return value


@frozen
class Served:
    """The configuration that would be served. `unchecked` is why Caddy could not be asked, `""` if it was."""

    configuration: Configuration
    unchecked: str = ""

    def warn(self) -> None:
        """Log a warning if Caddy could not be asked."""
        if self.unchecked:
            logger.warning("caddy was not asked: %s; nothing was checked", self.unchecked)


@frozen
class Source:
    """The inventory that a command reads, and what turns it into a configuration."""

    settings: Settings
    pipeline: Pipeline
    base: BaseCaddyfile | None
    inventory: Inventory
    is_snapshot: bool

    @property
    def excluded(self) -> tuple[str, ...]:
        """The labelled resources that the constraint excludes, as messages name them."""
        return tuple(dict.fromkeys(each for engine in self.inventory.engines for each in engine.excluded))

    def merged(self) -> Configuration:
        """All labels merged, without asking Caddy."""
        return self.pipeline.build(self.inventory, self.base)

    def served(self) -> Served:
        """The configuration that would be served."""
        given = (self.settings, self.pipeline, self.inventory, self.base)
        try:
            return Served(served_by_program(*given, elsewhere=self.is_snapshot))
        except CaddyUnreachable as error:
            return Served(served_unchecked(*given), str(error))


def read_source(options: Mapping[str, Any], path: str, *, thorough: bool = False) -> Source:
    """Start from a command's options, and read the inventory at `path` (see `read_inventory`).

    Raises SettingsError, PluginError, SnapshotError and EngineUnreachable.
    """
    environment = started(options)
    settings = environment.settings
    pipeline = pipeline_for(settings, environment.registry, environment.sections)
    base = read_base(settings.caddyfile_path)
    inventory = read_inventory(settings, path, thorough=thorough)
    return Source(settings, pipeline, base, inventory, bool(path))


def read_comparison(options: Mapping[str, Any], path: str) -> Comparison:
    """The comparison with caddy-docker-proxy of the inventory at `path`, or of the engines. Raises as `read_source`."""
    environment = started(options)
    settings, base = environment.settings, read_base(environment.settings.caddyfile_path)
    document = _document(path) if path else None
    peers, ours = (read_inventory(each, path, document=document) for each in (peers_settings(settings), settings))
    return Comparison(settings, environment.registry, environment.sections, peers, ours, base)


def started(options: Mapping[str, Any]) -> Environment:
    """The settings and plugins, once the environment file is loaded. Raises SettingsError and PluginError."""
    environment = start(options)
    load_environment_file(environment.settings.envfile)
    return environment


def report_excluded(excluded: Sequence[str], constraint: str) -> None:
    """Log which resources the constraint excludes, in one line."""
    if excluded:
        named = ", ".join(excluded[: limits.MAX_EXAMPLES])
        more = len(excluded) - limits.MAX_EXAMPLES
        shown = f"{named} and {more} more" if more > 0 else named
        logger.info("%s: excluded by the constraint %s", shown, constraint)


def report(problems: Iterable[Problem]) -> bool:
    """Log each problem once, one a line. Returns whether one of them is an error."""
    different = dict.fromkeys(problems)
    for problem in different:
        level = logging.ERROR if problem.severity == "error" else logging.WARNING
        logger.log(level, "%s", problem, extra={"resource": problem.resource, "label": problem.label})
    return any(problem.severity == "error" for problem in different)

"""How `render`, `check` and `explain` read the inventory: of the engines, of a snapshot, or of Compose files."""

import functools
import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve, frozen

from dockcaddy.caddyfile import Origin
from dockcaddy.cli.options import start
from dockcaddy.cli.problem_formats import Located
from dockcaddy.cli.progress import waiting_for
from dockcaddy.errors import CaddyUnreachable, SettingsError, listed
from dockcaddy.files import unreadable
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Inventory, Problem
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from dockcaddy.run.comparison import Comparison, peers_settings
from dockcaddy.run.composition import pipeline_for
from dockcaddy.run.engines import engines_for, options_for
from dockcaddy.run.environment import Environment
from dockcaddy.run.operator_files import read_base
from dockcaddy.run.preview import Arrange, Candidate, Preview
from dockcaddy.settings import limits
from dockcaddy.settings.environment_file import load_environment_file
from dockcaddy.settings.table import Settings

if TYPE_CHECKING:
    from dockcaddy.compose import Position
    from dockcaddy.compose.snapshot import ComposeSnapshot

logger = logging.getLogger("dockcaddy")

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


@frozen
class Given:
    """What a command reads instead of the engines: a snapshot file (`-`: standard input), or Compose files, or neither."""

    path: str = ""
    compose: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()

    @property
    def is_given(self) -> bool:
        """Whether it says what to read."""
        return bool(self.path or self.compose)

    @property
    def reading(self) -> str:
        """What takes its time, in words."""
        from_file = "reading standard input" if self.path == "-" else "reading the snapshot"
        return "reading Compose files" if self.compose else from_file if self.path else "listing containers"

    def read(self) -> "Read":
        """The document, read once. Raises SettingsError."""
        if self.path and self.compose:
            raise SettingsError("--inventory and --compose both say what to read: omit one of the two")
        if not self.compose:
            return Read(f"--inventory {self.path}", _document(self.path)) if self.path else Read()
        from dockcaddy.compose import load_project, snapshot_of  # noqa: PLC0415

        made = snapshot_of(load_project(self.compose, self.profiles, os.environ))
        return Read(f"--compose {self.compose[0]}", made.document, made)


@frozen(eq=False)
class Read:
    """A snapshot document that stands for the engines, `place` says where it is from; without one, the engines are asked."""

    place: str = ""
    document: Any = None
    compose: "ComposeSnapshot | None" = None

    def find(self, resource: str, label: str) -> "Position | None":
        """The line in a Compose file where a resource has a label."""
        return self.compose.find(resource, label) if self.compose is not None else None

    def named(self, origin: Origin) -> str:
        """`container web-1 caddy.tls (compose.yaml:12)`."""
        where = self.find(origin.resource, origin.label)
        return f"{origin.resource} {origin.label}".strip() + (f" ({where})" if where else "")

    @property
    def unresolved(self) -> tuple[Problem, ...]:
        """What Compose files leave open: variables that are not set, parts that were not read."""
        return self.compose.project.problems if self.compose is not None else ()

    def overlooked(self, prefix: str) -> tuple[Problem, ...]:
        """Warnings about containers without labels of ours that were meant for us."""
        if self.compose is None:
            return ()
        from dockcaddy.engine.records.resources import has_prefix  # noqa: PLC0415
        from dockcaddy.engine.records.unlabelled import warnings  # noqa: PLC0415

        containers = self.document["engines"][0]["containers"]
        others = [each for each in containers if not has_prefix(each["Labels"], prefix)]
        return warnings(others, prefix)


def inventory_option(command: Callable[..., int]) -> Callable[..., int]:
    """Add `--inventory FILE`, `--compose FILE` and `--profile NAME`; the command gets them as `given`."""

    @functools.wraps(command)
    def called(path: str, compose: tuple[str, ...], profiles: tuple[str, ...], **options: Any) -> int:
        return command(given=Given(path, compose, profiles), **options)

    snapshot = click.option(
        "--inventory",
        "path",
        default="",
        type=click.Path(),
        metavar="FILE",
        help="read a snapshot instead of the engine, - for standard input",
    )
    files = click.option(
        "--compose",
        multiple=True,
        type=click.Path(),
        metavar="FILE",
        help="read a Compose file, or the one in a folder, instead of the engine; repeatable",
    )
    profiles = click.option(
        "--profile", "profiles", multiple=True, metavar="NAME", help="a profile of the Compose files; repeatable"
    )
    return snapshot(files(profiles(called)))


def read_inventory(settings: Settings, read: Read, *, thorough: bool = False) -> Inventory:
    """The inventory of the document, or of the engines if there is none.

    With `thorough`, containers without labels of ours are checked for labels that were probably meant for us. Raises
    SettingsError, SnapshotError and EngineUnreachable.
    """
    if read.document is not None:
        from dockcaddy.engine import SnapshotError, from_snapshot  # noqa: PLC0415

        try:
            made = from_snapshot(read.document, options_for(settings))
        except SnapshotError as error:
            raise SnapshotError(f"{error} ({read.place})") from error
        overlooked = read.overlooked(settings.label_prefix) if thorough else ()
        return _with_problems(made.engines, [(*read.unresolved, *overlooked)])
    engines = engines_for(settings)
    found = [engine.inventory() for engine in engines]
    if len(found) > 1:
        # which addresses of an engine count depends on what the others have
        found = [engine.inventory() for engine in engines]
    if thorough:
        return _with_problems(found, [engine.overlooked() for engine in engines])
    return Inventory.of(found)


def _with_problems(engines: Sequence[EngineInventory], more: Sequence[tuple[Problem, ...]]) -> Inventory:
    """The inventory with more problems of each engine."""
    padded = [*more, *[()] * (len(engines) - len(more))]
    pairs = zip(engines, padded, strict=True)
    return Inventory.of([evolve(each, problems=(*each.problems, *problems)) for each, problems in pairs])


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
class Source:
    """The inventory that a command reads, and what turns it into a configuration."""

    environment: Environment
    pipeline: Pipeline
    base: BaseCaddyfile | None
    inventory: Inventory
    read: Read

    @property
    def settings(self) -> Settings:
        """The settings of the core."""
        return self.environment.settings

    @property
    def excluded(self) -> tuple[str, ...]:
        """The labelled resources that the constraint excludes, as messages name them."""
        return tuple(dict.fromkeys(each for engine in self.inventory.engines for each in engine.excluded))

    def located(self, problems: Iterable[Problem]) -> list[Located]:
        """Each problem once, with its place in a Compose file."""
        return [Located(each, self.read.find(each.resource, each.label)) for each in dict.fromkeys(problems)]

    def report(self, problems: Iterable[Problem]) -> bool:
        """Log each problem once, one a line. Returns whether one of them is an error."""
        found = self.located(problems)
        log_problems(found)
        return any(each.problem.severity == "error" for each in found)

    def merged(self) -> Configuration:
        """All labels merged, without asking Caddy."""
        return self.pipeline.build(self.inventory, self.base)

    def served(self, arrange: Arrange = tuple) -> Preview:
        """What would be served. `arrange` may add fragments."""
        candidate = Candidate(self.settings, self.pipeline, self.inventory, self.base, arrange)
        try:
            with waiting_for("caddy checks the configuration"):
                return candidate.served_by_program(elsewhere=self.read.document is not None)
        except CaddyUnreachable as error:
            return evolve(candidate.served_unchecked(), unchecked=str(error))


def read_source(options: Mapping[str, Any], given: Given) -> Source:
    """Start from a command's options, and read what is `given` (see `read_inventory`).

    Raises SettingsError, PluginError, SnapshotError and EngineUnreachable.
    """
    return source_of(started(options), given)


def source_of(environment: Environment, given: Given, *, thorough: bool = False) -> Source:
    """What is `given`, with these settings and plugins. Raises as `read_source`."""
    settings = environment.settings
    pipeline = pipeline_for(environment)
    base = read_base(settings.caddyfile_path)
    with waiting_for(given.reading):
        read = given.read()
        inventory = read_inventory(settings, read, thorough=thorough)
    return Source(environment, pipeline, base, inventory, read)


def read_comparison(options: Mapping[str, Any], given: Given) -> Comparison:
    """The comparison with caddy-docker-proxy of what is `given`, or of the engines. Raises as `read_source`."""
    environment = started(options)
    settings, base = environment.settings, read_base(environment.settings.caddyfile_path)
    read = given.read()
    peers, ours = (read_inventory(each, read) for each in (peers_settings(settings), settings))
    return Comparison(environment, peers, ours, base)


def started(options: Mapping[str, Any]) -> Environment:
    """The settings and plugins, once the environment file is loaded. Raises SettingsError and PluginError."""
    environment = start(options)
    load_environment_file(environment.settings.envfile)
    return environment


def report_unchecked(served: Preview) -> None:
    """Log a warning if Caddy could not be asked."""
    if served.unchecked:
        logger.warning("caddy was not asked: %s; nothing was checked", served.unchecked)


def report_excluded(excluded: Sequence[str], constraint: str) -> None:
    """Log which resources the constraint excludes, in one line."""
    if excluded:
        logger.info("%s: excluded by the constraint %s", listed(excluded, limits.MAX_EXAMPLES), constraint)


def log_problems(found: Iterable[Located]) -> None:
    """Log each problem, one a line, after its place in a Compose file."""
    for each in found:
        problem, where = each.problem, each.position
        level = logging.ERROR if problem.severity == "error" else logging.WARNING
        shown = f"{where}: {problem}" if where else problem
        logger.log(level, "%s", shown, extra={"resource": problem.resource, "label": problem.label})

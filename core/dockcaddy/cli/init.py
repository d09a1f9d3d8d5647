"""`dockcaddy init`."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from dockcaddy.cli import result
from dockcaddy.cli.options import Command, settings_options, start
from dockcaddy.errors import DockcaddyError, SettingsError
from dockcaddy.files import unreadable, write_atomically
from dockcaddy.run.first_files import DOCKER_SOCKET, KINDS, START, Kind, compose_text, settings_text

_NAMES = ("dockcaddy.toml", "compose.yaml")


@click.command(cls=Command)
@click.argument("folder", default=".", type=click.Path(), metavar="[FOLDER]")
@click.option("--kind", type=click.Choice(KINDS), help="what the Compose file is for; default: what the engine is")
@click.option("--force", is_flag=True, help="overwrite files that are there")
@settings_options("docker", "plugins", "log")
def command(folder: str, kind: Kind | None, force: bool, **options: Any) -> int:
    """Write a dockcaddy.toml with all options in comments, and a compose.yaml to start with, into FOLDER.

    On a terminal it asks what the files are for. Nothing is overwritten without --force.
    """
    environment = start(options)
    paths = [Path(folder) / name for name in _NAMES]
    if Path(folder).exists() and not Path(folder).is_dir():
        raise SettingsError(f"{folder}: not a folder, name another one")
    there = [str(path) for path in paths if path.exists()]
    if there and not force:
        raise SettingsError(f"{' and '.join(there)}: there already: name another folder, or overwrite with --force")
    found, socket = _engine(environment.settings)
    if kind is None and _is_terminal():
        kind = click.prompt("For which engine", type=click.Choice(KINDS), default=found, err=True)
    chosen: Kind = kind or found
    texts = (settings_text(environment.registry.sections), compose_text(chosen, socket))
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, texts, strict=True):
            write_atomically(path, text.encode(), mode=0o644)
    except OSError as error:
        raise SettingsError(f"{folder}: {unreadable(error).replace('read', 'written')}") from error
    result.write(f"wrote {paths[0]} and {paths[1]}, for {chosen}\n")
    result.write(f"next: dockcaddy check {paths[1]}\nthen, in {folder}: {START[chosen]}\n")
    return 0


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _engine(settings: Any) -> tuple[Kind, str]:
    """What the engine is, and its socket as containers mount it: Docker where none answers."""
    from dockcaddy.engine.api import podman  # noqa: PLC0415
    from dockcaddy.engine.api.engine_api import EngineApi  # noqa: PLC0415
    from dockcaddy.engine.services import may_be_in_swarm  # noqa: PLC0415
    from dockcaddy.run.engines import named_engines, options_for  # noqa: PLC0415

    first = named_engines(settings)[0]
    socket = first.endpoint.url.removeprefix("unix://") if first.endpoint.url.startswith("unix://") else DOCKER_SOCKET
    try:
        api = EngineApi(first.connection, options_for(settings))
        networks = api.networks()
        if first.connection.is_podman:
            return "podman", socket
        is_manager = may_be_in_swarm(networks) and api.swarm()[0] is not None
    except (DockcaddyError, OSError):
        is_podman = socket in podman.sockets(os.environ)
        return ("podman" if is_podman else "docker"), socket
    return ("swarm" if is_manager else "docker"), socket

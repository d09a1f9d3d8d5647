"""The options of the dockcaddy that runs in a state directory, for commands that are about that one."""

import logging
import os
from collections.abc import Mapping
from typing import Any

import click

from dockcaddy.cli.options import read_settings
from dockcaddy.errors import CaddyUnreachable
from dockcaddy.run.running import Running, running_at
from dockcaddy.settings.environment_file import load_environment_file
from dockcaddy.settings.sources import CONFIG_FILES, anchored
from dockcaddy.settings.table import OPTIONS, PREFIX

logger = logging.getLogger("dockcaddy")

# how it logs is its own affair
_BY_NAME = {option.name: option for option in OPTIONS if option.group != "log"}
_LOGGING = frozenset(name for each in OPTIONS if each.group == "log" for name in (each.variable, each.peer))
_PEERS = frozenset(option.peer for option in OPTIONS if option.peer)


def with_those_running(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a command, completed by those that the running dockcaddy was started with.

    Its environment counts likewise, and its settings file, unless --config names one. Raises SettingsError, and
    CaddyUnreachable where none is seen.
    """
    settings = read_settings(options)
    # it may say where the folders are
    load_environment_file(settings.envfile)
    running = running_at(settings.status_path())
    given = _parsed(running)
    open_ones = [each for name, each in _BY_NAME.items() if given[name] is not None and options.get(name) is None]
    taken = {each.name: anchored(each, given[each.name], running.folder) for each in open_ones}
    variables = [each for each in running.environment if each not in os.environ and each not in _LOGGING]
    names = (*(each.flag for each in open_ones), *filter(_is_setting, variables))
    if names:
        logger.info("with the options of the dockcaddy that runs here: %s", ", ".join(names))
    os.environ.update({name: running.environment[name] for name in variables})
    config = options.get("config") or _settings_file(running, given["config"])
    return {**options, **taken, "config": config, "overrides": (*given["overrides"], *options.get("overrides", ()))}


def _parsed(running: Running) -> dict[str, Any]:
    """Its options by name, as `dockcaddy run` reads them."""
    # slow to import
    from dockcaddy.cli.run import command  # noqa: PLC0415

    try:
        with command.make_context("run", list(running.arguments)) as context:
            return dict(context.params)
    except click.ClickException as error:
        # it is of another version
        raise CaddyUnreachable(f"the options of the dockcaddy that runs here are not understood: {error}") from error


def _settings_file(running: Running, given: str) -> str:
    """The settings file that it has read, `""` where that is none of its folder."""
    named = given or running.environment.get("DOCKCADDY_CONFIG", "")
    path = running.folder / (named or CONFIG_FILES[0])
    return str(path) if named or path.is_file() else ""


def _is_setting(variable: str) -> bool:
    return variable.startswith((PREFIX, "DOCKER_")) or variable in _PEERS

"""The settings' table as command-line options, and what commands share."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import click
from attrs import frozen

from dockcaddy import plugins
from dockcaddy.errors import SettingsError
from dockcaddy.registry import Registry
from dockcaddy.settings import OPTIONS, Option, Settings, load, load_sections

Command = TypeVar("Command", bound=Callable[..., Any])


@frozen
class Environment:
    """Everything a command starts from."""

    settings: Settings
    registry: Registry
    sections: Mapping[type, Any]


class _Value(click.ParamType[Any]):
    """A value that the settings' table parses."""

    def __init__(self, option: Option) -> None:
        self.option = option
        self.name = option.kind

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        try:
            return self.option.parse(value) if isinstance(value, str) else value
        except ValueError as error:
            raise SettingsError(f"{self.option.flag} {value}: {error}") from None


def _flatten(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    return tuple(item for part in value for item in part) if value else None


def settings_options(command: Command) -> Command:
    """Add every option of the table, `--config` and `--set`."""
    for option in reversed(OPTIONS):
        names = [option.flag]
        extra: dict[str, Any] = {"help": option.help, "default": None, "type": _Value(option)}
        if option.kind == "boolean":
            extra |= {"is_flag": False, "flag_value": "true", "metavar": "[true|false]"}
        if option.kind == "list":
            extra |= {"multiple": True, "callback": _flatten, "metavar": "LIST"}
        command = click.option(*names, option.name, **extra)(command)
    command = click.option("--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="a plugin's setting")(
        command
    )
    return click.option("--config", default="", metavar="FILE", help="settings file; else ./dockcaddy.toml")(command)


def start(options: dict[str, Any], report: Callable[[str], None] | None = None) -> Environment:
    """Settings and plugins from a command's options. Raises SettingsError and PluginError."""
    config = options.pop("config", "") or os.environ.get("DOCKCADDY_CONFIG", "")
    overrides = options.pop("overrides", ())
    settings = load(options, os.environ, config, overrides)
    registry = plugins.load(
        settings.plugin,
        disabled=settings.disable_plugin,
        replace=settings.replace,
        skip_failed=settings.skip_failed_plugins,
        report=report or partial(click.echo, err=True),
    )
    return Environment(settings, registry, load_sections(settings, registry.sections, os.environ))

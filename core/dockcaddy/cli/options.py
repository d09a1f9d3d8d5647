"""The settings' table as command-line options, and what commands start from."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from dockcaddy import logs
from dockcaddy.cli.output import reserve
from dockcaddy.cli.plugin_settings import ARGUMENTS, write_plugin_settings
from dockcaddy.errors import SettingsError
from dockcaddy.run.environment import Environment
from dockcaddy.settings.pages import shown_default
from dockcaddy.settings.sources import load
from dockcaddy.settings.table import OPTIONS, Option, Settings, nearest

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

logger = logging.getLogger("dockcaddy")

_LISTS = ("list", "aligned", "paths")
# kind -> the placeholder of a value in the help
_METAVARS = {
    "text": "TEXT",
    "path": "PATH",
    "boolean": "[true|false]",
    "duration": "DURATION",
    "port": "PORT",
    "list": "LIST",
    "aligned": "LIST",
    "paths": "PATHS",
}
_SWITCHES = frozenset(option.flag for option in OPTIONS if option.kind == "boolean")


class Command(click.Command):
    """A command that takes the options of the settings' table."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        words = list(explicit(args))
        context.meta[ARGUMENTS] = tuple(words)
        return super().parse_args(context, words)

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options, then those of the settings' table in groups."""
        groups: dict[str, list[tuple[str, str]]] = {"Options": []}
        by_name = {option.name: option for option in OPTIONS}
        for parameter in self.get_params(context):
            record = parameter.get_help_record(context)
            option = by_name.get(parameter.name or "")
            if record is not None:
                groups.setdefault(option.group.capitalize() if option else "Options", []).append(record)
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)
        if "Plugins" in groups:
            write_plugin_settings(self, context, formatter)


def explicit(arguments: Iterable[str]) -> Iterator[str]:
    """`--flag` and `--flag false` as `--flag=true` and `--flag=false`, so that `--flag WORD` leaves the word alone."""
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            yield argument
            yield from waiting
        elif argument in _SWITCHES:
            following = next(waiting, None)
            if following in ("true", "false"):
                yield f"{argument}={following}"
            else:
                yield f"{argument}=true"
                if following is not None:
                    yield from explicit([following, *waiting])
        else:
            yield argument


class _Value(click.ParamType[Any]):
    """A value that is parsed by the settings' table."""

    def __init__(self, option: Option) -> None:
        self.option = option
        self.name = option.kind

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        try:
            return self.option.parse(value) if isinstance(value, str) else value
        except ValueError as error:
            raise SettingsError(f"{self.option.flag} {value}: {error}") from None

    def shell_complete(self, context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
        """Its choices, or a file."""
        if self.option.kind in ("path", "paths"):
            return [CompletionItem(begun, type="file")]
        choices = ("true", "false") if self.option.kind == "boolean" else self.option.choices
        return [CompletionItem(each) for each in choices if each and each.startswith(begun)]


def _flatten(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    return tuple(item for part in value for item in part) if value else None


def settings_options(*groups: str) -> Callable[[Decorated], Decorated]:
    """Add all options of the table, `--config` and `--set`. The help shows those of `groups`, or all without groups."""

    def add(command: Decorated) -> Decorated:
        for option in reversed(OPTIONS):
            command = _option(option, hidden=bool(groups) and option.group not in groups)(command)
        overriding = click.option(
            "--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="set a plugin's setting; repeatable"
        )
        config = click.option("--config", default="", metavar="FILE", help="settings file; else ./dockcaddy.toml")
        return config(overriding(command))

    return add


def _option(option: Option, *, hidden: bool) -> Callable[[Decorated], Decorated]:
    default = shown_default(option)
    help = f"{option.help}  [default: {default}]" if default else option.help
    extra: dict[str, Any] = {"help": help, "default": None, "type": _Value(option), "hidden": hidden}
    extra["metavar"] = f"[{'|'.join(filter(None, option.choices))}]" if option.choices else _METAVARS[option.kind]
    if option.kind in _LISTS:
        extra |= {"multiple": True, "callback": _flatten}
    return click.option(option.flag, option.name, **extra)


def read_settings(options: Mapping[str, Any], *, timed: bool = False) -> Settings:
    """Set up logging and settings as `start` does, without plugins. Raises SettingsError."""
    if not timed:
        reserve()
    flags = {name: value for name, value in options.items() if name not in ("config", "overrides")}
    config = options.get("config") or os.environ.get("DOCKCADDY_CONFIG", "")
    settings = load(flags, os.environ, config, options.get("overrides", ()))
    logs.configure(settings.log_level, settings.log_format, timed=timed)
    return settings


def start(options: Mapping[str, Any], *, timed: bool = False) -> Environment:
    """Set up logging, settings and plugins from a command's options. With `timed`, log lines have the time of day.

    Raises SettingsError and PluginError.
    """
    from dockcaddy import plugins  # noqa: PLC0415
    from dockcaddy.plugins.sections import load_sections  # noqa: PLC0415

    settings = read_settings(options, timed=timed)
    registry = plugins.load(
        settings.plugin,
        disabled=settings.disable_plugin,
        replace=settings.replace,
        skip_failed=settings.skip_failed_plugins,
        report=logger.error,
    )
    for name in settings.replace:
        if name not in registry.functions and not settings.skip_failed_plugins:
            raise SettingsError(f'replace: no template function "{name}"{nearest(name, registry.functions)}')
    sections = load_sections(settings, registry.sections, os.environ, logger.warning)
    return Environment(settings, registry, sections)

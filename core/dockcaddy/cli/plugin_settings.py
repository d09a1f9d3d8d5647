"""What `--help` says of the settings of plugins, those of entry points and site files too."""

import os
from collections.abc import Iterator, Sequence

import click

from dockcaddy import plugins
from dockcaddy.errors import DockcaddyError, one_line
from dockcaddy.settings.pages import section_records
from dockcaddy.settings.sources import load
from dockcaddy.settings.table import OPTIONS, Settings

TITLE = "Settings of plugins (--set SECTION.KEY=VALUE)"
# what says which plugins there are
_CHOOSING = frozenset(("plugin", "disable_plugin", "replace"))
# what begins the arguments that a command was called with, in click's notes of a call
ARGUMENTS = "dockcaddy.cli.arguments"


def write_plugin_settings(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
    """The section of the help; with what keeps a plugin from being loaded, which is no reason to show no help."""
    failures: list[str] = []
    try:
        settings = _settings(command, context)
    except (DockcaddyError, click.ClickException) as error:
        failures.append(str(error))
        settings = Settings()
    registry = plugins.load(
        settings.plugin,
        disabled=settings.disable_plugin,
        replace=settings.replace,
        skip_failed=True,
        report=failures.append,
    )
    records = section_records(registry.sections)
    with formatter.section(TITLE):
        if records:
            formatter.write_dl(records)
        for failure in failures:
            formatter.write_text(one_line(failure))


def _settings(command: click.Command, context: click.Context) -> Settings:
    """The settings as far as they choose plugins. The help is asked for before any argument is read."""
    arguments: Sequence[str] = context.meta.get(ARGUMENTS, ())
    given, _, _ = command.make_parser(context).parse_args(list(arguments))
    flags = {
        option.name: tuple(item for text in given[option.name] for item in option.parse(text))
        for option in OPTIONS
        if option.name in _CHOOSING and given.get(option.name)
    }
    return load(flags, os.environ, next(_texts(given.get("config")), os.environ.get("DOCKCADDY_CONFIG", "")))


def _texts(given: object) -> Iterator[str]:
    if isinstance(given, str) and given:
        yield given

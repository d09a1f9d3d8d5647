"""The settings of plugins in `--help`, those of entry points and site files included."""

import os
from collections.abc import Sequence

import click

from dockcaddy.errors import DockcaddyError, one_line
from dockcaddy.settings.pages import section_records
from dockcaddy.settings.sources import load
from dockcaddy.settings.table import OPTIONS, Settings

TITLE = "Settings of plugins (--set SECTION.KEY=VALUE)"
# options that choose the plugins
_CHOOSING = frozenset(("plugin", "disable_plugin", "replace"))
# the key of a command's arguments in click's `Context.meta`
ARGUMENTS = "dockcaddy.cli.arguments"


def write_plugin_settings(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the section of the help. A plugin that cannot be loaded is reported in it and does not prevent the help."""
    from dockcaddy import plugins  # noqa: PLC0415

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
    """The settings that choose plugins. click shows the help before it reads the other arguments."""
    arguments: Sequence[str] = context.meta.get(ARGUMENTS, ())
    given, _, _ = command.make_parser(context).parse_args(list(arguments))
    flags = {
        option.name: tuple(item for text in given[option.name] for item in option.parse(text))
        for option in OPTIONS
        if option.name in _CHOOSING and given.get(option.name)
    }
    return load(flags, os.environ, str(given.get("config") or os.environ.get("DOCKCADDY_CONFIG", "")))

"""`dockcaddy functions`."""

from collections import Counter
from typing import Any

import click

from dockcaddy.cli import result
from dockcaddy.cli.options import Command, settings_options, start
from dockcaddy.errors import SettingsError
from dockcaddy.gotemplate import RESERVED
from dockcaddy.settings.table import nearest

# functions of one plugin that would bury the others
MANY = 50


@click.command(cls=Command)
@click.argument("name", required=False)
@settings_options("plugins", "log")
def command(name: str | None, **options: Any) -> int:
    """List the template functions, or the help of one."""
    functions = start(options).registry.functions
    if name is None:
        crowds = Counter(entry.plugin for entry in functions.values())
        # by plugin, the one with the most functions last
        grouped = sorted(functions.values(), key=lambda entry: (crowds[entry.plugin] > MANY, entry.plugin))
        rows = [(entry.signature, entry.plugin, entry.help.partition("\n")[0]) for entry in grouped]
        result.write_table(("function", "plugin", "gives"), rows)
        return 0
    entry = functions.get(name)
    if entry is None and name in RESERVED:
        result.write_text(f"{name} is part of Go's text/template: https://pkg.go.dev/text/template\n")
        return 0
    if entry is None:
        raise SettingsError(f'no template function "{name}"{nearest(name, functions)}')
    result.write_text(f"{entry.signature}\n\n{entry.help}\n\nplugin {entry.plugin} ({entry.source})\n")
    return 0

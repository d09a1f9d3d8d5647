"""`dockcaddy functions`."""

from typing import Any

import click

from dockcaddy.cli.options import settings_options, start
from dockcaddy.errors import SettingsError
from dockcaddy.settings import nearest


@click.command()
@click.argument("name", required=False)
@settings_options
def command(name: str | None, **options: Any) -> int:
    """List the template functions, or the help of one."""
    functions = start(options).registry.functions
    if name is not None:
        entry = functions.get(name)
        if entry is None:
            raise SettingsError(f'no template function "{name}"{nearest(name, functions)}')
        click.echo(f"{entry.signature}\n\n{entry.help}\n\nplugin {entry.plugin} ({entry.source})")
        return 0
    width = max(len(entry.signature) for entry in functions.values())
    owners = max(len(entry.plugin) for entry in functions.values())
    for entry in functions.values():
        click.echo(f"{entry.signature:<{width}}  {entry.plugin:<{owners}}  {entry.help.partition(chr(10))[0]}")
    return 0

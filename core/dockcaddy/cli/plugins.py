"""`dockcaddy plugins`."""

from typing import Any

import click

from dockcaddy.cli.options import settings_options, start


@click.command()
@settings_options
def command(**options: Any) -> int:
    """List what is loaded, from where, and what it contributes."""
    entries = start(options).registry.plugins
    width = max(len(entry.name) for entry in entries)
    sources = max(len(entry.source) for entry in entries)
    for entry in entries:
        click.echo(f"{entry.name:<{width}}  {entry.source:<{sources}}  {'; '.join(entry.contributes)}")
    return 0

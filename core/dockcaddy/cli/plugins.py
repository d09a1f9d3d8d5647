"""`dockcaddy plugins`."""

from typing import Any

import click

from dockcaddy.cli import result
from dockcaddy.cli.options import Command, settings_options, start


@click.command(cls=Command)
@settings_options("plugins", "log")
def command(**options: Any) -> int:
    """List the plugins, their source and contributions."""
    entries = start(options).registry.plugins
    result.write_table(
        ("plugin", "from", "contributes"),
        [(entry.name, entry.source, "; ".join(entry.contributes)) for entry in entries],
    )
    return 0

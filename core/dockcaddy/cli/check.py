"""`dockcaddy check`."""

from typing import Any

import click

from dockcaddy.cli.inventory import pipeline_and_base, read_inventory, tell
from dockcaddy.cli.options import settings_options, start
from dockcaddy.daemon import checked_by_program


@click.command()
@click.option(
    "--inventory", "path", default="", metavar="FILE", help="a snapshot instead of the engine, - for standard input"
)
@settings_options
def command(path: str, **options: Any) -> int:
    """List what is wrong with labels; exit 1 where there is anything."""
    environment = start(options)
    pipeline, base = pipeline_and_base(environment)
    configuration = checked_by_program(environment.settings, pipeline, read_inventory(environment, path), base)
    return 1 if tell(configuration.problems) else 0

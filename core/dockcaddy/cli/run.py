"""`dockcaddy run`."""

from typing import Any

import click

from dockcaddy.cli.options import Command, settings_options, start
from dockcaddy.cli.output import reserve, results_descriptor
from dockcaddy.run.daemon import run


@click.command(cls=Command)
@settings_options()
def command(**options: Any) -> int:
    """Watch Docker and keep Caddy configured. By default, run a Caddy as a child process."""
    reserve()
    return run(start(options, timed=True), results_descriptor())

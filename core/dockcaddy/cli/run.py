"""`dockcaddy run`."""

import logging
from typing import Any

import click

from dockcaddy import logs
from dockcaddy.cli.options import settings_options, start
from dockcaddy.daemon import run


@click.command()
@settings_options
def command(**options: Any) -> int:
    """Watch Docker and keep Caddy configured, by default with a Caddy of its own."""
    environment = start(options, report=logging.getLogger("dockcaddy").error)
    logs.configure(environment.settings.log_level, environment.settings.log_format)
    return run(environment.settings, environment.registry, environment.sections)

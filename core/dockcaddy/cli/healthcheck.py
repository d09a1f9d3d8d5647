"""`dockcaddy healthcheck`."""

import logging
from typing import Any

import click

from dockcaddy.cli.options import Command, read_settings, settings_options
from dockcaddy.cli.result import write
from dockcaddy.errors import CaddyUnreachable, DockcaddyError
from dockcaddy.run.health import check_caddy
from dockcaddy.run.running import running_arguments
from dockcaddy.settings.environment_file import load_environment_file

logger = logging.getLogger("dockcaddy")
UNHEALTHY = 1


class _AsItRuns(Command):
    """A command that takes the options of `dockcaddy run`, and without any those of the one that runs here."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        try:
            given = args or running_arguments()
        except CaddyUnreachable as error:
            logger.error("%s", error)
            context.exit(UNHEALTHY)
        return super().parse_args(context, given)


@click.command(cls=_AsItRuns)
@settings_options("run")
def command(**options: Any) -> int:
    """Exit 0 if `dockcaddy run` runs in this container and its Caddy answers.

    For HEALTHCHECK of an image and for probes. Without options, those of the running one count.
    """
    settings = read_settings(options)
    try:
        # it may say where the folders are
        load_environment_file(settings.envfile)
        write(check_caddy(settings) + "\n")
    except DockcaddyError as error:
        logger.error("%s", error)
        return UNHEALTHY
    return 0

"""`dockcaddy check`."""

import logging
from typing import Any

import click

from dockcaddy.cli.inventory import adapted, inventory_option, pipeline_and_base, read_inventory, tell
from dockcaddy.cli.options import Command, settings_options, start
from dockcaddy.errors import CaddyUnreachable

logger = logging.getLogger("dockcaddy")


@click.command(cls=Command)
@inventory_option
@settings_options("docker", "labels", "caddy", "plugins", "log")
def command(path: str, **options: Any) -> int:
    """List what is wrong with labels; exit 1 where there is anything."""
    environment = start(options)
    pipeline, base = pipeline_and_base(environment)
    inventory = read_inventory(environment, path)
    problems = pipeline.build(inventory, base).problems
    wrong = tell(problems)
    try:
        configuration = adapted(environment, pipeline, inventory, base)
    except CaddyUnreachable as error:
        if not wrong:
            raise
        logger.warning("caddy was not asked: %s", error)
        return 1
    refused = tell(problem for problem in configuration.problems if problem not in problems)
    return 1 if wrong or refused else 0

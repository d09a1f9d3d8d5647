"""`dockcaddy check`."""

import logging
from typing import Any

import click

from dockcaddy.cli import result
from dockcaddy.cli.inventory import inventory_option, pipeline_and_base, read_inventory, served, tell
from dockcaddy.cli.options import Command, settings_options, start
from dockcaddy.errors import CaddyUnreachable
from dockcaddy.model import Inventory
from dockcaddy.pipeline import Configuration
from dockcaddy.unanswered import unanswered

logger = logging.getLogger("dockcaddy")


@click.command(cls=Command)
@inventory_option
@settings_options("docker", "labels", "caddy", "plugins", "log")
def command(path: str, **options: Any) -> int:
    """List what is wrong with labels; exit 1 where there is anything."""
    environment = start(options)
    pipeline, base = pipeline_and_base(environment)
    inventory = read_inventory(environment, path)
    found = served(environment, pipeline, inventory, base, path)
    wrong = tell((*found.configuration.problems, *unanswered(found.configuration)))
    if found.unchecked and not wrong:
        raise CaddyUnreachable(found.unchecked)
    if found.unchecked:
        logger.warning("caddy was not asked: %s; nothing was checked", found.unchecked)
    if not wrong:
        result.write(f"{_counted(inventory, found.configuration)}, ok\n")
    return 1 if wrong else 0


def _counted(inventory: Inventory, configuration: Configuration) -> str:
    """`3 containers, 1 service, 2 sites`."""
    kinds = [resource.kind for engine in inventory.engines for resource in engine.resources]
    counts = {"container": kinds.count("container"), "service": kinds.count("service"), "site": configuration.sites}
    shown = [(name, count) for name, count in counts.items() if count or name != "service"]
    return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in shown)

"""`dockcaddy render`."""

import logging
from typing import Any

import click

from dockcaddy.cli import result
from dockcaddy.cli.inventory import inventory_option, pipeline_and_base, read_inventory, served, tell
from dockcaddy.cli.options import Command, settings_options, start
from dockcaddy.errors import CaddyUnreachable, SettingsError

logger = logging.getLogger("dockcaddy")


@click.command(cls=Command)
@click.option(
    "--format",
    "style",
    type=click.Choice(["caddyfile", "json"]),
    default="caddyfile",
    show_default=True,
    help="what is printed",
)
@click.option("--raw", is_flag=True, help="the merged text before Caddy is asked, with what would be left out")
@inventory_option
@click.option("--strict", is_flag=True, help="exit 1 when something is wrong with a label")
@settings_options("docker", "labels", "caddy", "plugins", "log")
def command(style: str, raw: bool, path: str, strict: bool, **options: Any) -> int:
    """Print the configuration that would be served, once. What is left out of it is told on standard error."""
    if raw and style == "json":
        raise SettingsError("--raw is about the Caddyfile, JSON is what Caddy makes of it: leave out one of the two")
    environment = start(options)
    pipeline, base = pipeline_and_base(environment)
    inventory = read_inventory(environment, path)
    unchecked = ""
    if raw:
        configuration = pipeline.build(inventory, base)
    else:
        found = served(environment, pipeline, inventory, base, path)
        configuration, unchecked = found.configuration, found.unchecked
    if unchecked and style == "json":
        raise CaddyUnreachable(unchecked)
    result.write(configuration.text if style == "caddyfile" else configuration.json.decode() + "\n")
    wrong = tell(configuration.problems)
    if unchecked:
        logger.warning("caddy was not asked: %s; nothing was checked", unchecked)
    if not strict:
        return 0
    return 1 if wrong else 3 if unchecked else 0

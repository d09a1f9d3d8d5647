"""`dockcaddy render`."""

import logging
from typing import Any

import click

from dockcaddy.cli import result
from dockcaddy.cli.inventory import inventory_option, pipeline_and_base, read_inventory, report, served
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
    help="the format to print",
)
@click.option(
    "--raw", is_flag=True, help="print the merged text without asking Caddy, including what would be left out"
)
@inventory_option
@click.option("--strict", is_flag=True, help="exit 1 if a label has an error")
@settings_options("docker", "labels", "caddy", "plugins", "log")
def command(style: str, raw: bool, path: str, strict: bool, **options: Any) -> int:
    """Print the configuration that would be served. What is left out is reported on standard error."""
    if raw and style == "json":
        raise SettingsError("--raw prints the Caddyfile and needs no Caddy, JSON is made by Caddy: omit one of the two")
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
    wrong = report(configuration.problems)
    if unchecked:
        logger.warning("caddy was not asked: %s; nothing was checked", unchecked)
    if not strict:
        return 0
    return 1 if wrong else 3 if unchecked else 0

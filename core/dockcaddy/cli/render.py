"""`dockcaddy render`."""

from typing import Any

import click

from dockcaddy.cli import result
from dockcaddy.cli.inventory import adapted, inventory_option, pipeline_and_base, read_inventory, tell
from dockcaddy.cli.options import Command, settings_options, start


@click.command(cls=Command)
@click.option(
    "--format", "style", type=click.Choice(["caddyfile", "json"]), default="caddyfile", help="what is printed"
)
@inventory_option
@click.option("--strict", is_flag=True, help="exit 1 when something is wrong with a label")
@settings_options("docker", "labels", "caddy", "plugins", "log")
def command(style: str, path: str, strict: bool, **options: Any) -> int:
    """Print the configuration once."""
    environment = start(options)
    pipeline, base = pipeline_and_base(environment)
    inventory = read_inventory(environment, path)
    configuration = pipeline.build(inventory, base)
    problems = configuration.problems
    if style == "caddyfile":
        printed = configuration.text
    else:
        configuration = adapted(environment, pipeline, inventory, base)
        problems += configuration.problems
        printed = configuration.json.decode() + "\n"
    result.write(printed)
    return 1 if tell(problems) and strict else 0

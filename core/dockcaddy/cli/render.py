"""`dockcaddy render`."""

from typing import Any

import click

from dockcaddy.cli.inventory import pipeline_and_base, read_inventory, tell
from dockcaddy.cli.options import settings_options, start


@click.command()
@click.option(
    "--format", "style", type=click.Choice(["caddyfile", "json"]), default="caddyfile", help="what is printed"
)
@click.option(
    "--inventory", "path", default="", metavar="FILE", help="a snapshot instead of the engine, - for standard input"
)
@click.option("--strict", is_flag=True, help="exit 1 when something is wrong with a label")
@settings_options
def command(style: str, path: str, strict: bool, **options: Any) -> int:
    """Print the configuration once."""
    environment = start(options)
    pipeline, base = pipeline_and_base(environment)
    inventory = read_inventory(environment, path)
    if style == "json":
        from dockcaddy.daemon import checked_by_program  # noqa: PLC0415

        configuration = checked_by_program(environment.settings, pipeline, inventory, base)
        click.echo(configuration.json.decode())
    else:
        configuration = pipeline.build(inventory, base)
        click.echo(configuration.text, nl=False)
    wrong = tell(configuration.problems)
    return 1 if wrong and strict else 0

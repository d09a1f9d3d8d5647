"""`dockcaddy render`."""

from typing import Any

import click

from dockcaddy.cli import result
from dockcaddy.cli.as_it_runs import AsItRuns
from dockcaddy.cli.inventory import Given, inventory_option, read_source, report_unchecked
from dockcaddy.cli.options import settings_options
from dockcaddy.errors import CaddyUnreachable, SettingsError
from dockcaddy.run.preview import Preview


@click.command(cls=AsItRuns)
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
def command(style: str, raw: bool, given: Given, strict: bool, **options: Any) -> int:
    """Print the configuration that would be served. What is left out is reported on standard error."""
    if raw and style == "json":
        raise SettingsError("--raw prints the Caddyfile and needs no Caddy, JSON is made by Caddy: omit one of the two")
    source = read_source(options, given)
    found = Preview(source.merged()) if raw else source.served()
    if found.unchecked and style == "json":
        raise CaddyUnreachable(found.unchecked)
    configuration = found.configuration
    result.write(configuration.text if style == "caddyfile" else configuration.json.decode() + "\n")
    wrong = source.report(configuration.problems)
    report_unchecked(found)
    if not strict:
        return 0
    return 1 if wrong else 3 if found.unchecked else 0

"""`dockcaddy snapshot`."""

import json
import logging
from typing import Any

import click

from dockcaddy.cli import result
from dockcaddy.cli.inventory import started
from dockcaddy.cli.options import Command, settings_options
from dockcaddy.engine import VERSION
from dockcaddy.engine.records.redaction import environment_count, redacted
from dockcaddy.run.engines import engines_for

logger = logging.getLogger("dockcaddy")


@click.command(cls=Command)
@click.option(
    "--redact", is_flag=True, help="replace the values of environment variables, and secrets, by placeholders"
)
@settings_options("docker", "labels", "log")
def command(redact: bool, **options: Any) -> int:
    """Print the inventory as JSON, for bug reports and for rendering elsewhere."""
    engines = engines_for(started(options).settings)
    document = {"version": VERSION, "engines": [engine.snapshot() for engine in engines]}
    count = environment_count(document)
    if redact:
        document = redacted(document)
    result.write(json.dumps(document, indent=1) + "\n")
    if count and not redact:
        logger.warning(
            "the snapshot contains the values of %d environment variables, which may be secrets: "
            "review it before you share it, or use --redact",
            count,
        )
    return 0

"""`dockcaddy snapshot`."""

import json
from typing import Any

import click

from dockcaddy.cli import result
from dockcaddy.cli.options import Command, settings_options, start
from dockcaddy.composition import engines_for
from dockcaddy.engine import VERSION


@click.command(cls=Command)
@settings_options("docker", "log")
def command(**options: Any) -> int:
    """Print the inventory as JSON. It holds the labelled containers' environment: look before you hand it on."""
    engines = engines_for(start(options).settings)
    document = {"version": VERSION, "engines": [engine.snapshot() for engine in engines]}
    result.write(json.dumps(document, indent=1) + "\n")
    return 0

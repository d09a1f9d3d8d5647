"""`dockcaddy schema`."""

import json
from collections import Counter
from typing import Any

import click

from dockcaddy.cli import result
from dockcaddy.cli.functions import MANY
from dockcaddy.cli.options import Command, settings_options, start
from dockcaddy.compose.schema import compose_schema
from dockcaddy.gotemplate import RESERVED
from dockcaddy.plugins.registry import Registry


@click.command(cls=Command)
@settings_options("labels", "plugins", "log")
def command(**options: Any) -> int:
    """Print a JSON Schema of Compose files, with which editors complete labels and underline misspelt ones."""
    environment = start(options)
    made = schema_of(environment.settings.label_prefix, environment.registry)
    result.write(json.dumps(made, indent=1) + "\n")
    return 0


def schema_of(prefix: str, registry: Registry) -> dict[str, Any]:
    """The schema. Functions of a plugin with very many are known, and not completed."""
    entries = registry.functions.values()
    crowds = Counter(entry.plugin for entry in entries)
    functions = {entry.name: entry.signature for entry in entries if crowds[entry.plugin] <= MANY}
    return compose_schema(prefix, functions, {*RESERVED, *registry.functions})

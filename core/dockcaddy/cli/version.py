"""`dockcaddy version`."""

import click

from dockcaddy import __version__


@click.command()
def command() -> int:
    """Print the version."""
    click.echo(f"dockcaddy {__version__}")
    return 0

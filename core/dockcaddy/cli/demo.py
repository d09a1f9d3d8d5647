"""`dockcaddy demo`."""

from typing import Any

import click

from dockcaddy.cli.options import Command, settings_options, start


@click.command(cls=Command)
@click.option("--port", default=8880, show_default=True, help="where the demo's sites listen, on loopback")
@click.option("--pause", default=4.0, show_default=True, help="seconds between two changes")
@click.option("--once", is_flag=True, help="end after the last change")
@settings_options("caddy", "plugins", "log")
def command(port: int, pause: float, once: bool, **options: Any) -> int:
    """Show live how labels become sites: real backends, the real pipeline, a real Caddy, no Docker."""
    from dockcaddy.demo import show  # noqa: PLC0415

    environment = start(options, timed=True)
    return show(environment.settings, environment.registry, environment.sections, port, pause, once, click.echo)

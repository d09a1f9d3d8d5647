"""`dockcaddy demo`."""

import os
import sys
from typing import Any

import click

from dockcaddy.caddy.ports import holder_of, obstacle
from dockcaddy.cli.options import Command, settings_options, start
from dockcaddy.errors import SettingsError

FIRST_PORT, PORTS = 8880, 20


@click.command(cls=Command)
@click.option("--port", type=int, help="port of the demo's sites, on loopback; default: the first free one from 8880")
@click.option("--pause", default=4.0, show_default=True, help="seconds between changes")
@click.option("--once", is_flag=True, help="exit after the last change")
@settings_options("caddy", "plugins", "log")
def command(port: int | None, pause: float, once: bool, **options: Any) -> int:
    """Show live how labels become sites, with real backends, the real pipeline and a real Caddy, without Docker."""
    from dockcaddy.run.demo import show  # noqa: PLC0415
    from dockcaddy.run.demo.screen import Screen  # noqa: PLC0415

    environment = start(options, timed=True)
    screen = Screen(click.echo, sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    return show(environment, _usable(port), pause, once, screen)


def _usable(port: int | None) -> int:
    """The given port, or the first free one. Raises SettingsError."""
    if port is None:
        return next(
            (each for each in range(FIRST_PORT, FIRST_PORT + PORTS) if not obstacle("127.0.0.1", each)), FIRST_PORT
        )
    if not 0 < port < 65536:
        raise SettingsError(f"--port {port}: expected a port from 1 to 65535")
    if reason := obstacle("127.0.0.1", port):
        holder = holder_of(port)
        whose = f", {holder} has it" if holder else ""
        raise SettingsError(f"--port {port}: {reason.lower()}{whose}, choose another one, or omit the option")
    return port

"""Where the admin endpoint of our own Caddy listens. Quick to import, for health checks."""

import os
from pathlib import Path

from dockcaddy.errors import SettingsError
from dockcaddy.settings import limits
from dockcaddy.settings.table import Settings


def own_address(settings: Settings, directory: Path) -> str:
    """The address; `directory` is the state directory. Raises SettingsError if nobody, or no controller, could reach it."""
    if settings.mode == "server":
        from dockcaddy.run.server import admin_address  # noqa: PLC0415  it is slow to import, and only servers need it

        return admin_address(settings)
    if settings.admin.lower() != "off":
        return settings.admin
    path = directory.absolute() / "admin.sock"
    if len(os.fsencode(path)) > limits.MAX_SOCKET_PATH:
        raise SettingsError(
            f"admin address {path}: the path is too long for a socket, choose a shorter --state-directory, or another --admin"
        )
    return f"unix/{path}"

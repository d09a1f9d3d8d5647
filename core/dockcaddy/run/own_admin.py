"""Where the admin endpoint of our own Caddy listens. Quick to import, for health checks."""

from pathlib import Path

from dockcaddy.settings.table import Settings


def own_address(settings: Settings, directory: Path) -> str:
    """The address; `directory` is the state directory. Raises SettingsError if a controller could not reach it."""
    if settings.mode == "server":
        from dockcaddy.run.server import admin_address  # noqa: PLC0415  it is slow to import, and only servers need it

        return admin_address(settings)
    return f"unix/{directory.absolute() / 'admin.sock'}" if settings.admin.lower() == "off" else settings.admin

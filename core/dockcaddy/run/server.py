"""Mode server: a Caddy that a controller configures. It has no engine, and keeps its configuration over restarts."""

import json
import logging
import os
import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path

from attrs import frozen

from dockcaddy.caddy.folders import caddy_folders
from dockcaddy.controller.discovery import DEFAULT_PORT
from dockcaddy.engine.reach.own_addresses import own_addresses
from dockcaddy.errors import SettingsError
from dockcaddy.files import write_atomically
from dockcaddy.model import bracketed
from dockcaddy.settings.table import OPTIONS, Settings

logger = logging.getLogger("dockcaddy")


def admin_address(settings: Settings) -> str:
    """Where the admin endpoint of a server listens: as the settings say, else at its address in the controller network.

    Raises SettingsError if a controller could not reach it.
    """
    if settings.admin.strip().lower() == "off":
        raise SettingsError('--mode server: --admin "off" (CADDY_ADMIN) leaves no way for a controller, set an address')
    if settings.admin != Settings().admin:
        return settings.admin
    if not settings.controller_network:
        raise SettingsError(
            "--mode server: it is not known where controllers reach this server: set --controller-network to the network "
            "that it shares with them (CADDY_CONTROLLER_NETWORK), or the address with --admin (CADDY_ADMIN)"
        )
    network = ip_network(settings.controller_network, strict=False)
    own = sorted(own_addresses() or (), key=lambda each: (":" in each, ip_address(each)))
    found = next((each for each in own if ip_address(each) in network), "")
    if not found:
        raise SettingsError(
            f"--controller-network {settings.controller_network}: this server has no address there, it has "
            f"{', '.join(own) or 'none'}: connect it to that network, or correct the option"
        )
    return f"tcp/{bracketed(found)}:{DEFAULT_PORT}"


# what a server uses; the rest is for those who read labels
_USED = frozenset(
    ["mode", "controller_network", "admin", "caddy", "envfile", "log_level", "log_format", "state_directory"]
)


def report_without_effect(settings: Settings) -> None:
    """Warn of options that a server does not use, and of an admin endpoint that only this machine reaches."""
    others = [each for each in OPTIONS if each.name not in _USED and each.group != "plugins"]
    unused = ", ".join(each.flag for each in others if getattr(settings, each.name) != each.default)
    if unused:
        logger.warning("options without effect in mode server: %s; they are for the controller", unused)
    if re.match(r"(?:tcp[46]?/)?(?:localhost|127\.|\[::1\])", settings.admin) and settings.admin != Settings().admin:
        logger.warning("--admin %s (CADDY_ADMIN): only controllers on this machine reach this server", settings.admin)


@frozen
class Kept:
    """The configuration that the server had last, in the state directory `folder`.

    Caddy saves it there (`autosave.json`) and not where another Caddy of this machine does. A copy outlives a start without it.
    """

    folder: Path

    @property
    def copy(self) -> Path:
        """The copy."""
        return self.folder / "last-configuration.json"

    @property
    def environment(self) -> Mapping[str, str]:
        """What has Caddy save its configuration there."""
        return {"XDG_CONFIG_HOME": str((self.folder / "config").absolute())}

    def load(self) -> bytes:
        """The configuration, `{}` if there is none yet."""
        config = _with_apps(caddy_folders({**os.environ, **self.environment})[1] / "autosave.json")
        if config is None:
            return _with_apps(self.copy) or b"{}"
        try:
            write_atomically(self.copy, config, 0o600)
        except OSError as error:
            logger.warning("cannot write %s: %s", self.copy, error.strerror or error)
        return config


def _with_apps(path: Path) -> bytes | None:
    """The configuration in a file, None unless it serves something."""
    try:
        content = path.read_bytes()
        decoded = json.loads(content)
    except (OSError, ValueError):
        return None
    return content if isinstance(decoded, dict) and decoded.get("apps") else None

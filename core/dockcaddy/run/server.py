"""Mode server: a Caddy that a controller configures. It has no engine, and keeps its configuration over restarts."""

import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path

from attrs import frozen

from dockcaddy.controller.discovery import DEFAULT_PORT
from dockcaddy.errors import SettingsError
from dockcaddy.files import write_atomically
from dockcaddy.run.caddy_folders import caddy_folders
from dockcaddy.settings.table import Settings

logger = logging.getLogger("dockcaddy")

_IPV4, _IPV6 = Path("/proc/net/fib_trie"), Path("/proc/net/if_inet6")
_LOCAL = re.compile(r"\|-- (\S+)\n\s+/32 host LOCAL")


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
    own = list(dict.fromkeys(own_addresses()))
    found = next((each for each in own if ip_address(each) in network), "")
    if not found:
        raise SettingsError(
            f"--controller-network {settings.controller_network}: this server has no address there, it has "
            f"{', '.join(own) or 'none'}: connect it to that network, or correct the option"
        )
    return f"tcp/{f'[{found}]' if ':' in found else found}:{DEFAULT_PORT}"


def own_addresses() -> Iterator[str]:
    """The addresses of this machine, or of this container."""
    with suppress(OSError):
        yield from _LOCAL.findall(_IPV4.read_text())
    with suppress(OSError):
        for line in _IPV6.read_text().splitlines():
            yield str(ip_address(bytes.fromhex(line.split()[0])))


@frozen
class Kept:
    """The configuration that the server had last. Caddy saves it (`autosave.json`); `copy` outlives a start without it."""

    copy: Path

    def load(self) -> bytes:
        """The configuration, `{}` if there is none yet."""
        saved = caddy_folders(os.environ)[1] / "autosave.json"
        config = _with_apps(saved)
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

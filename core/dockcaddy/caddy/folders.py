"""Where our Caddy keeps certificates and its configuration, and whether it may."""

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

logger = logging.getLogger("dockcaddy")


def caddy_folders(environment: Mapping[str, str]) -> tuple[Path, Path]:
    """Caddy's folders for data and configuration, see https://caddyserver.com/docs/conventions#file-locations."""
    home = Path(environment.get("HOME") or "/root")
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local/share")
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    return data / "caddy", config / "caddy"


def report_folders(environment: Mapping[str, str]) -> None:
    """Warn of what an earlier Caddy left there as another user: this one could neither read it nor write beside it."""
    for folder in caddy_folders(environment):
        for closed in _closed(folder):
            logger.warning(
                "caddy cannot use %s, so certificates are not kept: give it to this user: chown -R %d %s",
                closed,
                os.getuid(),
                folder,
            )
            break


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        # a folder above it is closed to us: that one is reported
        return False


def _closed(folder: Path) -> Iterator[Path]:
    """What of a folder, its contents and the folder above it we may not use."""
    existing = next(each for each in (folder, *folder.parents) if _exists(each))
    candidates = [existing, *(sorted(folder.iterdir()) if os.access(folder, os.R_OK | os.X_OK) else ())]
    for path in candidates:
        if not os.access(path, os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)):
            yield path

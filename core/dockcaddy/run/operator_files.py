"""What the operator wrote for the whole program: the base Caddyfile."""

import logging
from pathlib import Path

from attrs import define

from dockcaddy.errors import SettingsError
from dockcaddy.files import unreadable
from dockcaddy.reconcile.pipeline import BaseCaddyfile

logger = logging.getLogger("dockcaddy")


@define
class BaseFile:
    """The operator's Caddyfile on disk, read anew when it changed; what was read last stays where it cannot be read."""

    path: str
    _seen: tuple[int, int] | None = None
    _last: BaseCaddyfile | None = None
    _failure: str = ""

    def __call__(self) -> BaseCaddyfile | None:
        """The file's text now."""
        try:
            status = Path(self.path).stat()
            seen = (status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                self._last = BaseCaddyfile(self.path, Path(self.path).read_text(encoding="utf-8"))
                self._seen = seen
            self._failure = ""
        except (OSError, UnicodeDecodeError) as error:
            if not self._failure:
                logger.error("caddyfile %s: %s, what was read last stays", self.path, unreadable(error))
            self._failure = str(error)
        return self._last


def read_base(path: str) -> BaseCaddyfile | None:
    """The base Caddyfile, None where none is named. Raises SettingsError where it cannot be read."""
    if not path:
        return None
    try:
        return BaseCaddyfile(path, Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--caddyfile-path {path}: {unreadable(error)}") from error

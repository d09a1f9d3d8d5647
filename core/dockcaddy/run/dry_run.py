"""`dockcaddy run --dry-run`: the loop as always, which sends nothing and logs what it would send."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from attrs import define, evolve

from dockcaddy.errors import OutputError, SettingsError
from dockcaddy.files import TemporaryFolder
from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.run.difference import changes, in_order_of
from dockcaddy.settings.table import Settings

logger = logging.getLogger("dockcaddy")


@contextmanager
def without_effect(settings: Settings) -> Iterator[Settings]:
    """The settings of a run that touches no Caddy and no folder but a temporary one. Raises SettingsError."""
    if settings.mode == "server":
        raise SettingsError("--dry-run: a server is given its configuration by a controller: use it with that one")
    with TemporaryFolder.made("dry-run") as folder:
        folders = evolve(settings, state_directory=str(folder), address_directory="")
        yield evolve(folders, output=(), caddy_admin=(), mode="standalone", express=False, status_listen="")


def fragments_before(settings: Settings) -> tuple[Fragment, ...]:
    """What the dockcaddy with these settings had Caddy accept last; nothing where that is not known."""
    path = settings.state_path() / "last-good.db"
    try:
        return tuple(LastGood(path).read_only().fragments.values()) if path.is_file() else ()
    except (OSError, OutputError):
        return ()


@define
class DryRun:
    """An output that logs what another one would be sent, beginning with what changes since `running` was. `build` merges that."""

    running: Sequence[Fragment]
    build: Callable[[Sequence[Fragment]], Configuration]
    _before: Configuration | None = None

    def write(self, configuration: Configuration) -> None:
        """Log the difference."""
        if self._before is None:
            self._before = self.build(in_order_of(configuration.assembly.fragments, self.running))
        found = changes(self._before, configuration)
        self._before = configuration
        for each in found:
            logger.info("would send: %s %s (%s)", each.kind, each.site, ", ".join(each.resources) or "settings")
            for line in each.lines:
                logger.info("    %s", line)
        if not found:
            logger.info("would send nothing: no difference")

    def holds(self, configuration: Configuration) -> bool:
        """It has what was logged."""
        return True

    def close(self) -> None:
        """Nothing is held."""

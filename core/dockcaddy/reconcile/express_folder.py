"""The folder in which Caddy finds new plain sites: see `caddyjson/express.py`.

While Caddy looks, it sees the old addresses of a host or the new ones: new ones are another file, which comes first, and
the old file stays until `trim`.
"""

import contextlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path

from attrs import define, field

from dockcaddy.caddyjson.express import Place

# names are in the order of their numbers: the newest is the smallest
_FIRST = 10**9


@define(eq=False)
class ExpressFolder:
    """The files in `path`. Every method but `has` raises OSError."""

    path: Path
    _names: dict[Place, list[str]] = field(factory=dict)

    def make(self) -> None:
        """Make the folder."""
        self.path.mkdir(mode=0o755, parents=True, exist_ok=True)

    def read(self) -> None:
        """Take up what an earlier run left."""
        self._names = {}
        for folder in self.path.glob("*/*/*/"):
            server, shape, host = folder.relative_to(self.path).parts
            self._names[Place(server, shape, host)] = sorted(each.name for each in folder.iterdir())

    @property
    def places(self) -> Collection[Place]:
        """The places that have a site."""
        return tuple(self._names)

    def write(self, place: Place, addresses: tuple[str, ...]) -> None:
        """Have a site answer from these addresses from now on."""
        names = self._names.get(place, [])
        if names and _addresses(names[0]) == addresses and self.has(place):
            return
        number = int(names[0].partition(",")[0]) - 1 if names else _FIRST
        name = ",".join((f"{number:010d}", *addresses))
        folder = self._folder(place)
        for each in (folder.parent.parent, folder.parent, folder):
            _make_folder(each)
        os.close(os.open(folder / name, os.O_WRONLY | os.O_CREAT, 0o644))
        (folder / name).chmod(0o644)
        self._names[place] = [name, *names]

    def has(self, place: Place) -> bool:
        """Whether the newest addresses of a site are still there."""
        names = self._names.get(place, [])
        return bool(names) and (self._folder(place) / names[0]).exists()

    def trim(self, place: Place) -> None:
        """Remove older addresses of a site."""
        for name in self._names[place][1:]:
            (self._folder(place) / name).unlink(missing_ok=True)
        del self._names[place][1:]

    def remove(self, place: Place) -> None:
        """Have a site answer no longer."""
        folder = self._folder(place)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder)
        self._names.pop(place, None)
        for each in (folder.parent, folder.parent.parent):
            with contextlib.suppress(OSError):
                # there are others in it
                each.rmdir()

    @property
    def older(self) -> Collection[Place]:
        """The places that have older addresses too."""
        return [place for place, names in self._names.items() if len(names) > 1]

    def _folder(self, place: Place) -> Path:
        return self.path / place.server / place.shape / place.host


def _make_folder(path: Path) -> None:
    if not path.is_dir():
        path.mkdir(mode=0o755, exist_ok=True)
        # whatever the umask is
        path.chmod(0o755)


def _addresses(name: str) -> tuple[str, ...]:
    return tuple(name.split(",")[1:])

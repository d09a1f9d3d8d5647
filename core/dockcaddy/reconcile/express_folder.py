"""The folder in which Caddy finds plain sites: see `caddyjson/express.py`.

While Caddy looks, it sees the old addresses of a host or the new ones: new ones are another file, which comes first, and
the old file stays until `trim`.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Collection
from pathlib import Path

from attrs import define, field

from dockcaddy.caddyjson.express import Answer, Place

# names are in the order of their numbers: the newest is the smallest
_FIRST = 10**9
_NAME = re.compile(r"\d{10},\w+(?:,[^,]+)*")


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
        for folder in self.path.glob("*/*/"):
            server, host = folder.relative_to(self.path).parts
            names = sorted(each.name for each in folder.iterdir())
            self._names[Place(server, host)] = [each for each in names if _NAME.fullmatch(each)]

    def clear(self) -> None:
        """Remove all sites, and the folder."""
        self.read()
        for each in self.places:
            self.remove(each)
        self.path.rmdir()

    @property
    def places(self) -> Collection[Place]:
        """The places that have a site."""
        return tuple(self._names)

    def answer(self, place: Place) -> Answer | None:
        """What a site answers."""
        names = self._names.get(place)
        _, shape, *addresses = names[0].split(",") if names else ("", "")
        return Answer(shape, tuple(addresses)) if names else None

    def write(self, place: Place, answer: Answer) -> None:
        """Have a site answer like this from now on."""
        names = self._names.get(place, [])
        if self.answer(place) == answer and self.has(place):
            return
        number = int(names[0].partition(",")[0]) - 1 if names else _FIRST
        name = ",".join((f"{number:010d}", answer.shape, *answer.addresses))
        folder = self._folder(place)
        for each in (folder.parent, folder):
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
        with contextlib.suppress(OSError):
            # there are others in it
            folder.parent.rmdir()

    @property
    def older(self) -> Collection[Place]:
        """The places that have older addresses too."""
        return [place for place, names in self._names.items() if len(names) > 1]

    def _folder(self, place: Place) -> Path:
        return self.path / place.server / place.host


def _make_folder(path: Path) -> None:
    if not path.is_dir():
        path.mkdir(mode=0o755, exist_ok=True)
        # whatever the umask is
        path.chmod(0o755)

"""The addresses behind a configuration's upstreams, in files that Caddy reads at each request.

So nobody has to answer for them: while the program hangs, is stopped or replaced, Caddy goes on with what the files say.
"""

import contextlib
import logging
import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import define, field

from dockcaddy import caddyfile
from dockcaddy.backoff import Backoff
from dockcaddy.caddyfile import Block
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, OutputError
from dockcaddy.hookspecs import Adapter
from dockcaddy.merge.sites import ADDRESS_SUFFIX, Names, contents

logger = logging.getLogger("dockcaddy")

TEMPORARY = ".new"
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
# what would end the placeholder that names a file, or the line it stands in
_UNUSABLE = re.compile(r"[{}\\\s\"`]")
_TOKEN_FILE = "readable.caddyfile"


class AddressesMoved(OutputError):
    """Addresses stand elsewhere from now on, in files or in the configuration: it has to be made anew."""


@define(eq=False)
class AddressFiles:
    """Keeps the files in `folder`, one for each place of an upstream. `clock` gives seconds.

    `path` is the folder as configurations name it, `""` while addresses have to stand in the configuration itself:
    nobody can write there, or one of the `readers`, Caddys that are not ours, does not see it. `failure` says why, and
    it is tried again at `retry_at`.
    """

    folder: Path
    clock: Callable[[], float]
    readers: Mapping[str, Adapter] = field(factory=dict)
    path: str = ""
    failure: str = ""
    _backoff: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))
    _written: dict[str, str] = field(factory=dict)
    _stamp: int = 0

    def __attrs_post_init__(self) -> None:
        if not self.readers and not _UNUSABLE.search(str(self.folder)):
            self.path = str(self.folder)

    def tell(self, names: Names) -> None:
        """Keep these addresses and no others. Raises AddressesMoved where they stand elsewhere than before."""
        self._keep(names, only_these=True)

    def add(self, names: Names) -> None:
        """Keep these addresses besides. Raises AddressesMoved where they stand elsewhere than before."""
        self._keep(names, only_these=False)

    @property
    def retry_at(self) -> float | None:
        """When files are tried again after a failure, in seconds of the clock."""
        return self._backoff.retry_at

    @property
    def disturbed(self) -> bool:
        """Whether somebody else has changed what is in the folder."""
        if not self.path or not self._written:
            return False
        try:
            return self.folder.stat().st_mtime_ns != self._stamp
        except OSError:
            return True

    def _keep(self, names: Names, *, only_these: bool) -> None:
        if not names and not self._written:
            self.failure = ""
            self._backoff.succeeded()
            return
        if not self._backoff.is_due(self.clock()):
            return
        before = self.path
        try:
            self._prepare()
            self._write(contents(names), only_these=only_these)
        except (OSError, CaddyRefusal, CaddyUnreachable) as error:
            self._failed(error)
        else:
            self.path, self.failure = str(self.folder), ""
            self._backoff.succeeded()
        if self.path != before:
            raise AddressesMoved(self.failure or f"addresses are in {self.folder} again")

    def _prepare(self) -> None:
        """Have the folder, seen by everyone who is to read it, and know what is in it."""
        if found := _UNUSABLE.search(str(self.folder)):
            raise OSError(0, f"a path that caddy is to read cannot have {found[0]!r}")
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not self.path:
            for name, reader in self.readers.items():
                self._check(name, reader)
        if self.folder.stat().st_mtime_ns != self._stamp:
            self._written = dict(_found(self.folder))

    def _check(self, name: str, reader: Adapter) -> None:
        """Whether this Caddy sees what we write: it is given a file of ours to import."""
        token = f"{secrets.token_hex(8)}.invalid"
        file = self.folder / _TOKEN_FILE
        file.write_text(f"http://{token} {{\n}}\n")
        file.chmod(0o644)
        try:
            seen = reader.adapt(caddyfile.write([Block(("import", str(file)))]))
        except CaddyRefusal as refusal:
            raise CaddyRefusal(f"{name} does not see it: {refusal}") from refusal
        finally:
            file.unlink()
        if token.encode() not in seen:
            raise CaddyRefusal(f"{name} sees another folder there")

    def _write(self, wanted: Mapping[str, str], *, only_these: bool) -> None:
        """Change what differs; one that goes on is never seen without an address, nor with half of one."""
        for name, address in wanted.items():
            if self._written.get(name) != address:
                _replace(self.folder / name, address)
                self._written[name] = address
        if only_these:
            for name in self._written.keys() - wanted.keys():
                (self.folder / name).unlink(missing_ok=True)
                del self._written[name]
        self._stamp = self.folder.stat().st_mtime_ns

    def _failed(self, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        self.path, self._stamp = "", 0
        self.failure = (
            f"addresses of upstreams cannot be in {self.folder}: {reason}, so they stand in the configuration and each "
            "change is a reload: share that folder with caddy, or name another one with --address-directory"
        )
        self._backoff.failed(self.clock())


def _found(folder: Path) -> Sequence[tuple[str, str]]:
    """The files that an earlier run left, or somebody changed."""
    found = []
    for path in folder.iterdir():
        if path.name.endswith(ADDRESS_SUFFIX + TEMPORARY):
            path.unlink(missing_ok=True)
        elif path.name.endswith(ADDRESS_SUFFIX):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                found.append((path.name, path.read_text()))
    return found


def _replace(path: Path, content: str) -> None:
    """Not forced onto the disk: after a crash of the machine the containers have other addresses anyway."""
    temporary = path.with_name(path.name + TEMPORARY)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
            os.fchmod(descriptor, 0o644)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise

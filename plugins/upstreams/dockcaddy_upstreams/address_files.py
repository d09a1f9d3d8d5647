"""The service that keeps addresses of upstreams in files, which Caddy reads at each request.

While dockcaddy hangs, is stopped or replaced, Caddy continues with what is in the files.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from attrs import define, field
from dockcaddy import (
    Adapter,
    Backoff,
    CaddyRefusal,
    CaddyUnreachable,
    Configuration,
    ServiceContext,
    check_shared,
)

NAME = "upstreams"
SUFFIX = ".address"
TEMPORARY = ".new"
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
# characters that end a placeholder or a line
_UNUSABLE = re.compile(r"[{}\\\s\"`]")


def address_files(context: ServiceContext) -> "AddressFiles":
    """The service of this plugin, which writes to the folder that Caddy reads addresses from."""
    return AddressFiles(Path(context.proxy.address_folder), context.clock, context.other_caddys)


@define(eq=False)
class AddressFiles:
    """Keeps the files in `folder`, one for each place of an upstream. `clock` gives seconds.

    `state` is the folder, or `""` while addresses have to be in the configuration: the folder cannot be written, or one of
    the `readers`, Caddys that are not dockcaddy's own, does not see it. `failure` is the reason; the next try is at
    `retry_at`.
    """

    folder: Path
    clock: Callable[[], float]
    readers: Mapping[str, Adapter] = field(factory=dict)
    state: str = ""
    failure: str = ""
    _backoff: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))
    _written: dict[str, str] = field(factory=dict)
    _stamp: int = 0

    def __attrs_post_init__(self) -> None:
        if not self.readers and not _UNUSABLE.search(str(self.folder)):
            self.state = str(self.folder)

    def start(self) -> None:
        """Do nothing before the first configuration."""

    def stop(self) -> None:
        """Do nothing: the files stay, because Caddy still reads them."""

    def before_offer(self, configuration: Configuration) -> None:
        """Write its addresses. Those of the present configuration stay, because Caddy still reads them."""
        self.keep(files_of(configuration), only_these=False)

    def after_accepted(self, configuration: Configuration) -> None:
        """Delete all addresses that it does not need."""
        self.keep(files_of(configuration), only_these=True)

    def problems(self) -> Iterable[str]:
        """The reason why addresses are not in files."""
        return [self.failure] if self.failure else []

    @property
    def retry_at(self) -> float | None:
        """When files are tried again after a failure, in seconds of the clock."""
        return self._backoff.retry_at

    def holds(self) -> bool:
        """Whether nobody else has changed what is in the folder."""
        if not self.state or not self._written:
            return True
        try:
            return self.folder.stat().st_mtime_ns == self._stamp
        except OSError:
            return False

    def keep(self, files: Mapping[str, str], *, only_these: bool) -> None:
        """Write these files, name -> address; with `only_these` delete all others."""
        if not files and not self._written:
            self.failure = ""
            self._backoff.succeeded()
            return
        if not self._backoff.is_due(self.clock()):
            return
        try:
            self._prepare()
            self._write(files, only_these=only_these)
        except (OSError, CaddyRefusal, CaddyUnreachable) as error:
            self._failed(error)
        else:
            self.state, self.failure = str(self.folder), ""
            self._backoff.succeeded()

    def _prepare(self) -> None:
        """Make the folder, have the readers see it, and read what is in it."""
        if found := _UNUSABLE.search(str(self.folder)):
            raise OSError(0, f"a path that caddy is to read cannot have {found[0]!r}")
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not self.state:
            for name, reader in self.readers.items():
                check_shared(self.folder, name, reader)
        if self.folder.stat().st_mtime_ns != self._stamp:
            self._written = dict(_found(self.folder))

    def _write(self, wanted: Mapping[str, str], *, only_these: bool) -> None:
        """Write what differs. A reader always sees a whole address."""
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
        self.state, self._stamp = "", 0
        self.failure = (
            f"addresses of upstreams cannot be in {self.folder}: {reason}, so they stand in the configuration and each "
            "change is a reload: share that folder with caddy, or name another one with --address-directory"
        )
        self._backoff.failed(self.clock())


def placeholder(folder: str, name: str, place: int) -> str:
    """Caddy's placeholder for the address at this place of a proxy; `name` is the proxy's."""
    return f"{{file.{folder}/{name}.{place}{SUFFIX}}}"


def files_of(configuration: Configuration) -> dict[str, str]:
    """The files that Caddy reads with this configuration: name -> address."""
    return {
        placeholder.rpartition("/")[2].removesuffix("}"): address
        for placeholder, address in configuration.placeholders.items()
        if placeholder.endswith(f"{SUFFIX}}}")
    }


def _found(folder: Path) -> Sequence[tuple[str, str]]:
    """The files of an earlier run, or as somebody changed them. Temporary files are deleted."""
    found = []
    for path in folder.iterdir():
        if path.name.endswith(SUFFIX + TEMPORARY):
            path.unlink(missing_ok=True)
        elif path.name.endswith(SUFFIX):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                found.append((path.name, path.read_text()))
    return found


def _replace(path: Path, content: str) -> None:
    """Replace a file without a sync: after a crash of the machine containers have other addresses anyway."""
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

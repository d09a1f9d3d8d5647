"""Files that are whole or not there, outputs to a file, and what is said of files that cannot be read."""

import contextlib
import os
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path

from attrs import frozen

from dockcaddy.errors import OutputError
from dockcaddy.hookspecs import Configuration, OutputContext


def unreadable(error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be had as text, in plain words: `cannot be read: No such file or directory`."""
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: byte 0x{error.object[error.start]:02x} at {error.start}"
    return f"cannot be read: {error.strerror or error}"


def write_atomically(path: Path, content: bytes, mode: int = 0o640) -> None:
    """Write beside the file and rename: who reads sees the old bytes or the new ones, also after a crash.

    Raises OSError, and then the old file is as it was.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def target_file(context: OutputContext, name: str) -> Path:
    """The file of `--output NAME=PATH`. Raises OutputError where there can be none."""
    target = context.options.get("target", "")
    if not target:
        raise OutputError(f"output {name} needs a path: --output {name}=PATH")
    path = Path(target)
    if path.is_dir():
        raise OutputError(f"output {name}={path}: that is a folder, name a file in it")
    if not path.parent.is_dir():
        raise OutputError(f"output {name}={path}: there is no folder {path.parent}, make it, or name another one")
    return path


@frozen
class FileOutput(ABC):
    """An output that keeps a file at `path`: a subclass says with `content(configuration)` what is in it.

    Its factory has the path from `target_file(context, "my-output")`. The file is written to a temporary name and
    renamed, and only where it holds something else.
    """

    path: Path

    @abstractmethod
    def content(self, configuration: Configuration) -> bytes:
        """What the file is to hold. May raise CaddyRefusal."""

    def write(self, configuration: Configuration) -> None:
        """Write the content where the file holds another. Raises OutputError."""
        content = self.content(configuration)
        if self._held() == content:
            return
        try:
            write_atomically(self.path, content)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}, the old file stays") from error

    def holds(self, configuration: Configuration) -> bool:
        """Whether the file still holds the content."""
        return self._held() == self.content(configuration)

    def close(self) -> None:  # noqa: B027
        """Nothing is held."""

    def _held(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except OSError:
            return None

"""Files that are whole or not there, and what is said of those that cannot be read."""

import contextlib
import os
import tempfile
from pathlib import Path


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

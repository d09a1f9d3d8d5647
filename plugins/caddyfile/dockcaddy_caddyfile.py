"""The output `caddyfile`: the configuration as a Caddyfile on disk."""

from collections.abc import Callable, Mapping
from pathlib import Path

import dockcaddy
from attrs import frozen
from dockcaddy import Configuration, OutputContext, OutputError, write_atomically


@dockcaddy.hook
def dockcaddy_outputs() -> Mapping[str, Callable[[OutputContext], object]]:
    """The output of this plugin."""
    return {"caddyfile": caddyfile_output}


def caddyfile_output(context: OutputContext) -> "CaddyfileOutput":
    """The output for `--output caddyfile=PATH`."""
    target = context.options.get("target", "")
    if not target:
        raise OutputError("output caddyfile needs a path: --output caddyfile=PATH")
    path = Path(target)
    if path.is_dir():
        raise OutputError(f"output caddyfile={path}: that is a folder, name a file in it")
    if not path.parent.is_dir():
        raise OutputError(f"output caddyfile={path}: there is no folder {path.parent}, make it, or name another one")
    return CaddyfileOutput(path)


@frozen
class CaddyfileOutput:
    """Writes the Caddyfile to a temporary name and renames it."""

    path: Path

    def write(self, configuration: Configuration) -> None:
        """Write the text where the file holds another. Raises OutputError."""
        content = configuration.text.encode()
        if self._held() == content:
            return
        try:
            write_atomically(self.path, content)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}, the old file stays") from error

    def holds(self, configuration: Configuration) -> bool:
        """Whether the file still holds the text."""
        return self._held() == configuration.text.encode()

    def close(self) -> None:
        """Nothing is held."""

    def _held(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except OSError:
            return None

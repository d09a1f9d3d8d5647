"""The output `json`: the configuration as Caddy's own JSON on disk."""

from collections.abc import Callable, Mapping
from pathlib import Path

import dockcaddy
from attrs import frozen
from dockcaddy import Configuration, OutputContext, OutputError, write_atomically


@dockcaddy.hook
def dockcaddy_outputs() -> Mapping[str, Callable[[OutputContext], object]]:
    """The output of this plugin."""
    return {"json": json_output}


def json_output(context: OutputContext) -> "JsonOutput":
    """The output for `--output json=PATH`."""
    target = context.options.get("target", "")
    if not target:
        raise OutputError("output json needs a path: --output json=PATH")
    path = Path(target)
    if path.is_dir():
        raise OutputError(f"output json={path}: that is a folder, name a file in it")
    if not path.parent.is_dir():
        raise OutputError(f"output json={path}: there is no folder {path.parent}, make it, or name another one")
    return JsonOutput(path)


@frozen
class JsonOutput:
    """Writes what Caddy's adapter made of the Caddyfile to a temporary name and renames it."""

    path: Path

    def write(self, configuration: Configuration) -> None:
        """Write the JSON where the file holds another. Raises OutputError."""
        if self._held() == configuration.json:
            return
        try:
            write_atomically(self.path, configuration.json)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}, the old file stays") from error

    def holds(self, configuration: Configuration) -> bool:
        """Whether the file still holds the JSON."""
        return self._held() == configuration.json

    def close(self) -> None:
        """Nothing is held."""

    def _held(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except OSError:
            return None

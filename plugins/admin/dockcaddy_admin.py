"""The output `admin`: the configuration loaded through Caddy's admin API."""

from collections.abc import Callable, Mapping
from hashlib import sha256

import dockcaddy
from attrs import define
from dockcaddy import CaddyUnreachable, Configuration, Loader, OutputContext, OutputError


@dockcaddy.hook
def dockcaddy_outputs() -> Mapping[str, Callable[[OutputContext], object]]:
    """The output of this plugin."""
    return {"admin": admin_output}


def admin_output(context: OutputContext) -> "AdminOutput":
    """The output for `--output admin` (the program's Caddy) and `--output admin=URL`."""
    return AdminOutput(context.connect(context.options.get("target", "")))


@define
class AdminOutput:
    """Loads the JSON and remembers what Caddy then says it runs."""

    loader: Loader
    _running: bytes = b""

    def write(self, configuration: Configuration) -> None:
        """POST /load. Raises CaddyRefusal with Caddy's own words, OutputError where it does not answer."""
        try:
            self.loader.load(configuration.json)
        except CaddyUnreachable as error:
            raise OutputError(str(error)) from error
        self._running = self._now()

    def holds(self, configuration: Configuration) -> bool:
        """Whether Caddy still runs what was loaded. Raises OutputError where it does not answer."""
        return self._now() == self._running

    def _now(self) -> bytes:
        try:
            return sha256(self.loader.config()).digest()
        except CaddyUnreachable as error:
            raise OutputError(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self.loader.close()

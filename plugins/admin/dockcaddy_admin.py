"""The output `admin`: the configuration loaded through Caddy's admin API."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import dockcaddy
from attrs import define
from dockcaddy import CaddyRefusal, CaddyUnreachable, Configuration, Loader, OutputContext, OutputError, OutputType


@dockcaddy.hook
def dockcaddy_outputs() -> Mapping[str, OutputType]:
    """The output of this plugin."""
    return {"admin": OutputType(admin_output, live=True)}


def admin_output(context: OutputContext) -> "AdminOutput":
    """The output for `--output admin` (the program's Caddy) and `--output admin=URL`."""
    return AdminOutput(context.connect(context.options.get("target", "")))


@define
class AdminOutput:
    """Loads the JSON, and remembers the configuration that Caddy reports afterwards."""

    loader: Loader
    _running: bytes = b""

    def write(self, configuration: Configuration) -> None:
        """POST /load. Raises CaddyRefusal with Caddy's own words, OutputError where it does not answer."""
        before, self._running = self._running, b""
        try:
            self.loader.load(configuration.json)
        except CaddyRefusal:
            self._running = before
            raise
        except CaddyUnreachable as error:
            raise OutputError(str(error)) from error
        self._running = sha256(self._config()).digest()

    def holds(self, configuration: Configuration) -> bool:
        """Whether Caddy still runs what was loaded. Raises OutputError where it does not answer."""
        config = self._config()
        if not self._running:
            # it is unknown whether the last load succeeded
            return bool(_apps(config) == _apps(configuration.json))
        return sha256(config).digest() == self._running

    def _config(self) -> bytes:
        try:
            return self.loader.config()
        except CaddyUnreachable as error:
            raise OutputError(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self.loader.close()


def _apps(config: bytes) -> Any:
    """What a configuration serves, without where its admin endpoint is and what it logs."""
    return (json.loads(config) or {}).get("apps")

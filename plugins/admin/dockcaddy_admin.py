"""The output `admin`: the configuration loaded through Caddy's admin API."""

import json
from collections.abc import Hashable, Mapping
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
    """Loads the JSON, and remembers since when Caddy has it.

    Only where somebody else may have loaded something meanwhile, it also remembers what Caddy reports, once there is time.
    """

    loader: Loader
    _running: bytes = b""
    _since: Hashable = ()
    _is_known: bool = False

    def write(self, configuration: Configuration) -> None:
        """POST /load. Raises CaddyRefusal with Caddy's own words, OutputError where it does not answer."""
        before = self._running, self._since, self._is_known
        # until it is known whether this load succeeds
        self._running, self._since, self._is_known = b"", (), False
        try:
            since = self.loader.load(configuration.json)
        except CaddyRefusal:
            self._running, self._since, self._is_known = before
            raise
        except CaddyUnreachable as error:
            raise OutputError(str(error)) from error
        self._is_known = bool(since)
        self._since = since or self._asked_since()
        if not self._since:
            self._running = _digest(self._config())

    def holds(self, configuration: Configuration) -> bool:
        """Whether Caddy still runs what was loaded. Raises OutputError where it does not answer."""
        since = self._asked_since()
        if self._is_known and since and since == self._since:
            return True
        config = self._config()
        # somebody may have loaded another one, or the same
        is_held = bool(
            _digest(config) == self._running if self._running else _apps(config) == _apps(configuration.json)
        )
        if is_held:
            self._running, self._since, self._is_known = _digest(config), since, True
        return is_held

    def _asked_since(self) -> Hashable:
        try:
            return self.loader.since()
        except CaddyUnreachable:
            # a Caddy that is busy may still answer what takes longer
            return ()

    def _config(self) -> bytes:
        try:
            return self.loader.config()
        except CaddyUnreachable as error:
            raise OutputError(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self.loader.close()


def _digest(config: bytes) -> bytes:
    return sha256(config).digest()


def _apps(config: bytes) -> Any:
    """What a configuration serves, without where its admin endpoint is and what it logs."""
    return (json.loads(config) or {}).get("apps")

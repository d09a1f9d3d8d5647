"""A Caddy that is asked all the time whether it still runs what it was given.

Caddy's metrics say when it took its configuration. As long as that stays the same, so does the configuration. Requests for
metrics are short, and Caddy's log has no line about them.
"""

import json
import re
from collections.abc import Callable, Hashable
from hashlib import sha256
from typing import Any

from attrs import define, field, frozen

from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.exchange import decoded
from dockcaddy.caddy.loaders import ExternalCaddy, own_admin
from dockcaddy.caddy.vitals import Vitals, vitals_of
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable

_MARK = re.compile(r"dockcaddy\.(\d+)\.([\w-]*)")
# Caddy writes `@id` first
_MARKED = b'{"@id":"'


@frozen
class Mark:
    """The controller that leads, and how many led before it: the `@id` of a configuration.

    Caddy keeps this text and does not interpret it (https://caddyserver.com/docs/api#using-id-in-json). An empty `holder`
    gave the lead back.
    """

    term: int = 0
    holder: str = ""

    @classmethod
    def of(cls, text: str | None) -> "Mark | None":
        """The mark in an `@id`, None if there is none."""
        found = _MARK.fullmatch(text or "")
        return cls(int(found[1]), found[2]) if found else None

    def __str__(self) -> str:
        return f"dockcaddy.{self.term}.{self.holder}"


@define
class WatchedCaddy:
    """Loads configurations while this controller `leads`, with the `mark` of a controller if it gives one."""

    client: AdminClient
    leads: Callable[[], bool] = lambda: True
    mark: Callable[[], Mark | None] = lambda: None
    _external: ExternalCaddy = field(init=False)
    # the configuration that was loaded or found last, what Caddy reports then, and its vitals
    _held: bytes = b""
    _essence: bytes = b""
    _vitals: Vitals = field(factory=Vitals)

    def __attrs_post_init__(self) -> None:
        self._external = ExternalCaddy(self.client)

    def adapt(self, caddyfile: str) -> bytes:
        """See AdminClient."""
        return self.client.adapt(caddyfile)

    def load(self, config: bytes) -> None:
        """Have Caddy run it. Raises CaddyRefusal, and then Caddy keeps what it has; CaddyUnreachable."""
        if not self.leads():
            raise CaddyUnreachable("another controller leads")
        before, self._held = self._held, b""
        try:
            self._external.load(_marked(config, self.mark()))
        except CaddyRefusal:
            self._held = before
            raise
        self._vitals = vitals_of(self.client)
        self._essence, self._held = _essence(self.client.config()), config

    def holds(self, config: bytes) -> bool:
        """Whether Caddy runs it. Raises CaddyUnreachable."""
        vitals = vitals_of(self.client)
        if self._held == config and vitals.since and vitals.since == self._vitals.since:
            return True
        running = self.client.config()
        essence = _essence(running)
        is_held = essence == self._essence if self._held == config else _is_same(running, config)
        if is_held:
            self._held, self._essence, self._vitals = config, essence, vitals
        return is_held

    def since(self) -> Hashable:
        """What changes when Caddy restarts or takes a configuration, if it has metrics. Raises CaddyUnreachable."""
        return vitals_of(self.client).since

    def config(self) -> bytes:
        """See AdminClient."""
        return self.client.config()

    def serves(self, config: bytes) -> bool:
        """Whether Caddy serves what this configuration serves. Raises CaddyUnreachable."""
        return bool(_apps(self.client.config()) == _apps(config))

    def close(self) -> None:
        """See AdminClient."""
        self.client.close()


def _marked(config: bytes, mark: Mark | None) -> bytes:
    if mark is None:
        return config
    rest = (config.strip() or b"{}").removeprefix(b"{").lstrip()
    return b'{"@id":' + json.dumps(str(mark)).encode() + (b"" if rest == b"}" else b",") + rest


def _essence(running: bytes) -> bytes:
    """A digest of a running configuration without its mark, which another controller may change."""
    if running.startswith(_MARKED):
        rest = running[running.index(b'"', len(_MARKED)) + 1 :]
        running = b"{" + rest.removeprefix(b",")
    return sha256(running).digest()


def _is_same(running: bytes, config: bytes) -> bool:
    """Whether Caddy reports what it would after loading this configuration. The endpoint itself stays as it is."""
    has, wanted = decoded(running), decoded(config)
    ours, kept = own_admin(wanted.pop("admin", None)), has.pop("admin", None) or {}
    for each in (has, wanted):
        each.pop("@id", None)
    return has == wanted and all(kept.get(key) == value for key, value in ours.items())


def _apps(config: bytes) -> Any:
    return decoded(config).get("apps")
